import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';

const run = promisify(execFile);

const policy = (name: string): string =>
  readFileSync(new URL(`../../examples/policies/${name}.yaml`, import.meta.url), 'utf8');

/** One of everything that programs ask the catalogue about. */
const SCHEMA = `
  create type mood as enum ('calm', 'wild');
  create domain percent as int check (value between 0 and 100);
  create table places (id int generated always as identity primary key, name text not null default 'x', share percent,
    felt mood, tags text[], made timestamptz default now(), unique (name), check (length(name) < 50));
  create index on places (lower(name)) where share > 1;
  create table visits (place int references places on delete cascade on update cascade, at date) partition by range (at);
  create table visits_2024 partition of visits for values from ('2024-01-01') to ('2025-01-01');
  create view known as select p.id, p.name, count(v.*) from places p left join visits v on v.place = p.id group by p.id;
  create materialized view kept as select name from places;
  create function stamp() returns trigger language plpgsql as $$ begin new.made := now(); return new; end $$;
  create trigger stamps before update on places for each row execute function stamp();
  create policy own on places using (share > 0);
  create statistics together on name, share from places;
  comment on table places is 'where one goes';
  insert into places (name, share) values ('a', 1), ('b', 2);
  grant all on all tables in schema public to hoop_admin;
  grant all on all sequences in schema public to hoop_admin;
`;

/** Statements of psql 15 (as `psql -E` shows them), pgjdbc and ORMs, each as it is sent. */
const QUERIES: readonly (readonly [string, string])[] = [
  [
    'pgjdbc getTables',
    `SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME,
      CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN 'SYSTEM TABLE' ELSE 'TABLE' END AS TABLE_TYPE,
      d.description AS REMARKS
      FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c
      LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass)
      WHERE c.relnamespace = n.oid AND c.relname LIKE '%' ORDER BY TABLE_TYPE, TABLE_SCHEM, TABLE_NAME`,
  ],
  [
    'pgjdbc getColumns',
    `SELECT * FROM (SELECT n.nspname, c.relname, a.attname, a.atttypid, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull,
      a.atttypmod, a.attlen, t.typtypmod, row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum,
      nullif(a.attidentity, '') as attidentity, nullif(a.attgenerated, '') as attgenerated,
      pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc, dsc.description, t.typbasetype, t.typtype
      FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid)
      JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
      LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum)
      LEFT JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid)
      WHERE c.relkind in ('r', 'p', 'v', 'f', 'm') and a.attnum > 0 AND NOT a.attisdropped AND n.nspname LIKE 'public') c
      WHERE true ORDER BY nspname, c.relname, attnum`,
  ],
  [
    'pgjdbc getPrimaryKeys',
    `SELECT result.TABLE_CAT, result.COLUMN_NAME, result.KEY_SEQ, result.PK_NAME FROM (SELECT NULL AS TABLE_CAT, a.attname AS COLUMN_NAME,
      (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME,
      information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM
      FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid)
      JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid)
      JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND ct.relname = 'places' AND i.indisprimary) result
      where result.A_ATTNUM = (result.KEYS).x ORDER BY result.pk_name, result.key_seq`,
  ],
  [
    'Rails column definitions',
    `SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod,
      c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
      WHERE a.attrelid = '"places"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  ],
  [
    'Rails indexes',
    `SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment
      FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid
      LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f'
      AND t.relname = 'places' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname`,
  ],
  [
    'Rails foreign keys',
    `SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, c.conname AS name, c.confupdtype AS on_update, c.conkey
      FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid
      JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid WHERE c.contype = 'f' AND t1.relname = 'visits'`,
  ],
  [
    'Django constraints',
    `SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
      JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype,
      (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid
      WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions
      FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'places' AND pg_catalog.pg_table_is_visible(cl.oid)`,
  ],
  [
    'SQLAlchemy constraints',
    `SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true) as condef, n.nspname as conschema
      FROM pg_catalog.pg_constraint r, pg_namespace n, pg_class c WHERE r.conrelid = 'visits'::regclass AND r.contype = 'f'
      AND c.oid = confrelid AND n.oid = c.relnamespace ORDER BY 1`,
  ],
  [
    'SQLAlchemy enums',
    `SELECT pg_catalog.pg_type.typname AS name, pg_catalog.pg_type_is_visible(pg_catalog.pg_type.oid) AS visible, pg_catalog.pg_namespace.nspname AS schema, lbl_agg.labels
      FROM pg_catalog.pg_type JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_type.typnamespace
      LEFT OUTER JOIN (SELECT pg_catalog.pg_enum.enumtypid AS enumtypid, array_agg(CAST(pg_catalog.pg_enum.enumlabel AS TEXT) ORDER BY pg_catalog.pg_enum.enumsortorder) AS labels
      FROM pg_catalog.pg_enum GROUP BY pg_catalog.pg_enum.enumtypid) AS lbl_agg ON pg_catalog.pg_type.oid = lbl_agg.enumtypid
      WHERE pg_catalog.pg_type.typtype = 'e'`,
  ],
  [
    'Prisma columns',
    `SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) as formatted_type, info.numeric_precision,
      info.udt_name, pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity
      FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name
      JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname as namespace FROM pg_class JOIN pg_namespace on pg_namespace.oid = pg_class.relnamespace
      AND pg_namespace.nspname = ANY (ARRAY['public'])) as oid on oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
      LEFT JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum ORDER BY namespace, table_name, ordinal_position`,
  ],
  [
    'Hibernate columns',
    `select table_catalog, table_schema, table_name, column_name, data_type from information_schema.columns where table_name = 'places'`,
  ],
  [
    'TypeORM constraints',
    `SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "cnst"."conname" AS "constraint_name", pg_get_constraintdef("cnst"."oid") AS "expression"
      FROM "pg_constraint" "cnst" INNER JOIN "pg_class" "t" ON "t"."oid" = "cnst"."conrelid"
      INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "cnst"."connamespace" WHERE "t"."relkind" IN ('r', 'p')`,
  ],
  [
    'information_schema of keys',
    `select tc.constraint_name, kcu.column_name, ccu.table_name from information_schema.table_constraints tc
      join information_schema.key_column_usage kcu using (constraint_name, table_schema)
      join information_schema.constraint_column_usage ccu using (constraint_name)
      join information_schema.referential_constraints rc using (constraint_name) where tc.constraint_type = 'FOREIGN KEY'`,
  ],
  [
    'information_schema of code',
    `select r.routine_name, v.view_definition, t.action_statement from information_schema.routines r
      cross join information_schema.views v cross join information_schema.triggers t where r.routine_schema = 'public'`,
  ],
  [
    'activity and sizes',
    `select pid, state, query from pg_stat_activity union all select 0, relname, pg_size_pretty(pg_total_relation_size(relid)) from pg_stat_user_tables`,
  ],
  ['settings', `select name, setting from pg_settings where name like 'work%'; `],
  [
    'definitions',
    `select pg_get_viewdef('known'::regclass), pg_get_functiondef('stamp'::regproc), pg_get_triggerdef(oid) from pg_trigger`,
  ],
];

/** Commands of psql, each a handful of statements. */
const COMMANDS = [
  ...[
    '\\l',
    '\\dn+',
    '\\dt+',
    '\\dv+',
    '\\dm',
    '\\di+',
    '\\ds',
    '\\df+ public.*',
    '\\dT+',
    '\\dD',
    '\\du',
    '\\dx',
    '\\dp',
  ],
  ...[
    '\\d',
    '\\d+ places',
    '\\d+ visits',
    '\\d visits_2024',
    '\\d+ known',
    '\\d kept',
    '\\sf stamp',
    '\\sv known',
    '\\dO',
    '\\dc',
  ],
  ...[
    '\\dy',
    '\\dX',
    '\\drds',
    '\\des',
    '\\dRp',
    '\\dconfig work_mem',
    '\\dd',
    '\\do',
    '\\dC',
    '\\dPn',
    '\\ddp',
    '\\dg+',
    '\\conninfo',
  ],
];

describe.skipIf(missingPostgres() !== undefined)(
  'what programs ask of the catalogue passes the standard policies',
  () => {
    let agent: TestAgent;
    let port: number;

    beforeAll(async () => {
      agent = await startTestAgent({ policies: [policy('standard-sql'), policy('standard-masking')].join('\n---\n') });
      await agent.postgres.sql(SCHEMA, agent.database);
      port = (await agent.port({ groups: ['dba'] })).port;
    }, 60_000);

    afterAll(async () => {
      await agent.close();
    });

    /** What the program wrote, through hoop or past it. */
    async function program(name: string, args: readonly string[], through: boolean): Promise<string> {
      const { binDir, superuser } = agent.postgres;
      const user = through ? 'x' : superuser.username;
      const at = [
        '-h',
        '127.0.0.1',
        '-p',
        String(through ? port : agent.postgres.port),
        '-U',
        user,
        '-d',
        agent.database,
      ];
      const env = { ...process.env, PGPASSWORD: superuser.password, PGSSLMODE: 'disable' };
      const { stdout, stderr } = await run(join(binDir, name), [...at, ...args], { env });
      // pg_dump guards its text by a word that differs every time.
      return (stdout + stderr).replaceAll(/^\\(un)?restrict .*$/gm, '');
    }

    it.each(QUERIES)('%s', async (_name, sql) => {
      const args = ['-X', '-A', '-v', 'ON_ERROR_STOP=1', '-c', sql];
      const shown = await program('psql', args, true);
      expect(shown).not.toContain('blocked by policy');
      expect(shown).toMatch(/\(\d+ rows?\)/);
    });

    it(`psql's ${String(COMMANDS.length)} commands`, async () => {
      const args = ['-X', '-v', 'ON_ERROR_STOP=1', ...COMMANDS.flatMap((command) => ['-c', command])];
      const shown = await program('psql', args, true);
      expect(shown).not.toMatch(/blocked by policy|ERROR/);
      expect(shown).toContain('where one goes');
    });

    it('pg_dump of a schema, the same text as past hoop', async () => {
      const args = ['--schema-only', '--schema=public', '--no-owner', '--no-privileges'];
      const through = await program('pg_dump', args, true);
      expect(through).toContain('CREATE POLICY own');
      expect(through).toBe(await program('pg_dump', args, false));
    });

    it('pg_dump of the rows of two tables', async () => {
      const args = ['--data-only', '--table=places', '--table=visits'];
      expect(await program('pg_dump', args, true)).toBe(await program('pg_dump', args, false));
    });
  },
);
