import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const policy = (name: string): string =>
  readFileSync(new URL(`../../examples/policies/${name}.yaml`, import.meta.url), 'utf8');

const POLICIES = [
  policy('standard-sql'),
  policy('standard-masking'),
  `apiVersion: hoop/v1
kind: Policy
metadata: { name: people }
spec:
  mask:
    - { name: emails, columns: ['*.email'], strategy: partial }
    - { name: ssn, columns: ['customers.ssn'], strategy: redact }
`,
].join('\n---\n');

const SEED = `
  create table customers (id int primary key, name text not null, email text, ssn text);
  insert into customers select g, 'Name ' || g, 'user' || g || '@corp.example', '517-26-508' || g from generate_series(1, 5) g;
  create function add_one(i int) returns int language plpgsql as 'begin return i + 1; end';
  create function reopen(name refcursor) returns void language plpgsql as
    $$ begin close name; open name for select upper(ssn), 1 from customers order by id; end $$;
  create function listed() returns refcursor language plpgsql as
    $$ declare r refcursor; begin open r for select id, email, ssn from customers order by id; return r; end $$;
  create function listed_as(r refcursor, low int) returns refcursor language plpgsql as
    $$ begin open r for select id, email, ssn from customers where id >= low order by id; return r; end $$;
  create function two_lists() returns setof refcursor language plpgsql as
    $$ declare a refcursor := 'list_a'; b refcursor := null; begin
       open a for select id, email from customers order by id; return next a; open b for select 1; return next b; end $$;
  create procedure list_out(inout a refcursor, inout b refcursor) language plpgsql as
    $$ begin open a for select email from customers; open b for select 1; end $$;
  create function told() returns refcursor language plpgsql as
    $$ declare r refcursor := (select ssn from customers where id = 1); begin open r for select 1; return r; end $$;
  create function told_by_assignment() returns refcursor language plpgsql as
    $$ declare r refcursor; begin r := (select ssn from customers where id = 1); open r for select 1; return r; end $$;
  create function told_by_choice() returns refcursor language plpgsql as
    $$ declare a refcursor := 'is_five'; b refcursor := 'is_other'; begin
       if (select ssn from customers where id = 1) like '5%' then open a for select 1; return a; end if;
       open b for select 1; return b; end $$;
  create function told_by_into() returns refcursor language plpgsql as
    $$ declare r refcursor; begin select ssn into r from customers where id = 1; open r for select 1; return r; end $$;
  create function told_by_expression() returns refcursor language plpgsql as
    $$ declare r refcursor; begin open r for select 1; return (select ssn from customers where id = 1); end $$;
`;

/** What drivers put around a statement of a program, in one message with it; with rules and masks on. */
describe.skipIf(missingPostgres() !== undefined)('several statements of a driver in one message', () => {
  let agent: TestAgent;
  let db: pg.Client;

  beforeAll(async () => {
    const database = 'driver_messages';
    await (await sharedPostgres()).createDatabase(database, SEED);
    agent = await startTestAgent({ policies: POLICIES, database });
    const { port } = await agent.port({ groups: ['engineering', 'dba'] });
    db = new pg.Client({ host: '127.0.0.1', port, user: 'x', database });
    await db.connect();
  }, 60_000);

  afterAll(async () => {
    await db.end();
    await agent.close();
  });

  /** The rows of the last statement of a message. */
  const rows = async (text: string): Promise<unknown[]> => {
    const answer = (await db.query({ text, rowMode: 'array' })) as unknown as
      pg.QueryArrayResult | pg.QueryArrayResult[];
    return (Array.isArray(answer) ? answer.at(-1) : answer)?.rows ?? [];
  };
  const refusal = (text: string): Promise<unknown> =>
    rows(text).then(
      () => 'not refused',
      (error: unknown) => (error as pg.DatabaseError).message,
    );

  it('psqlODBC connects, and runs statements in transactions with a savepoint each', async () => {
    expect(await rows("SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation")).toEqual([
      ['read committed'],
    ]);
    expect(await rows("BEGIN;select id, email, ssn, ssn || 'x' as y from customers where id = 1")).toEqual([
      [1, '*****@corp.example', '[ssn]', '[y]'],
    ]);
    expect(await rows('SAVEPOINT _EXEC_SVP_0x1;select count(*) from customers')).toEqual([['5']]);
    expect(
      await rows("RELEASE _EXEC_SVP_0x1;SAVEPOINT _EXEC_SVP_0x1;update customers set name = 'n' where id = 2"),
    ).toEqual([]);
    expect(await refusal('RELEASE _EXEC_SVP_0x1;SAVEPOINT _EXEC_SVP_0x1;delete from customers')).toBe(
      'blocked by policy standard-sql/delete-no-where: A DELETE needs a WHERE that restricts it to some rows.',
    );
    await rows('ROLLBACK');
  });

  it('Npgsql loads the types of a database in one message, and cleans a session for its pool in one', async () => {
    const [version, types, fields, labels] = (await db.query({
      text: `
        SELECT version();
        SELECT n.nspname, t.oid, t.typname, t.kind, t.element FROM (
          SELECT y.oid, y.typnamespace, y.typname, y.typrelid,
            CASE WHEN p.proname = 'array_recv' THEN 'a' ELSE y.typtype END AS kind,
            CASE WHEN p.proname = 'array_recv' THEN y.typelem
              WHEN y.typtype = 'r' THEN r.rngsubtype
              WHEN y.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = y.oid)
              WHEN y.typtype = 'd' THEN y.typbasetype END AS element
          FROM pg_type AS y LEFT JOIN pg_class AS c ON c.oid = y.typrelid LEFT JOIN pg_proc AS p ON p.oid = y.typreceive
            LEFT JOIN pg_range AS r ON r.rngtypid = y.oid
        ) AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
        WHERE kind IN ('b', 'r', 'm', 'e', 'd', 'a') OR (kind = 'p' AND typname IN ('record', 'void'))
        ORDER BY CASE kind WHEN 'b' THEN 0 WHEN 'r' THEN 1 ELSE 2 END;
        -- the fields of composite types
        SELECT y.oid, a.attname, a.atttypid FROM pg_type AS y JOIN pg_class AS c ON c.oid = y.typrelid
          JOIN pg_attribute AS a ON a.attrelid = y.typrelid WHERE y.typtype = 'c' AND c.relkind = 'c' AND attnum > 0
          ORDER BY y.oid, a.attnum;
        SELECT t.oid, enumlabel FROM pg_enum JOIN pg_type AS t ON t.oid = enumtypid ORDER BY oid, enumsortorder;`,
      rowMode: 'array',
    })) as unknown as pg.QueryArrayResult[];
    expect(version?.rows[0]?.[0]).toMatch(/^PostgreSQL/);
    expect(types?.rows).toContainEqual(['pg_catalog', 23, 'int4', 'b', null]);
    expect(types?.rows).toContainEqual(['pg_catalog', 1007, '_int4', 'a', 23]);
    expect([fields?.rows, labels?.rows]).toEqual([[], []]);
    await rows(
      'SET SESSION AUTHORIZATION DEFAULT;RESET ALL;CLOSE ALL;UNLISTEN *;SELECT pg_advisory_unlock_all();DISCARD SEQUENCES;DISCARD TEMP',
    );
    // deadpool, of tokio-postgres.
    await rows(
      'CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES;',
    );
    expect(await refusal('SET SESSION AUTHORIZATION hoop_app;RESET ALL;CLOSE ALL')).toContain('standard-sql/identity');
    // A table of the catalogue's name is none of the catalogue's.
    await rows('create schema own');
    await rows('create table own.pg_type (oid int)');
    expect(await refusal('select oid from own.pg_type; select 1')).toContain('standard-sql/multi-statement');
    await rows('set search_path = own, pg_catalog');
    expect(await refusal('select oid from pg_type; select 1')).toContain('standard-sql/multi-statement');
    await rows('reset search_path');
  });

  it('refuses what is put behind a statement, as before', async () => {
    for (const text of [
      'select 1; delete from customers where id = 1',
      'begin; select 1; delete from customers where id = 1',
      'select 1; commit',
      'select 1; begin',
      'declare c cursor for select 1; select 2; fetch 1 from c',
    ])
      expect(await refusal(text), text).toBe(
        'blocked by policy standard-sql/multi-statement: Send one statement at a time.',
      );
  });

  it('a cursor that is declared and fetched from in one message is known, whatever the name stood for before', async () => {
    const cursor = (query: string): string =>
      `declare "SQL_CUR0x1" cursor with hold for ${query};fetch 100 in "SQL_CUR0x1"`;
    const fetched = async (query: string): Promise<unknown[]> => {
      const found = await rows(cursor(query));
      await rows('close "SQL_CUR0x1"');
      return found;
    };
    expect(await fetched('select upper(ssn), lower(email), id + 1 from customers where id = 1')).toEqual([
      ['[upper]', '[lower]', 2],
    ]);
    expect(await fetched("select 'a', 1, count(*) from customers")).toEqual([['a', 1, '5']]);
    // Code of somebody's that may have opened any cursor makes no difference: DECLARE would fail.
    expect(await rows('select add_one(1)')).toEqual([[2]]);
    expect(await fetched("select 'a', 1, count(*) from customers")).toEqual([['a', 1, '5']]);
    expect(await fetched('select upper(ssn), lower(email), id + 1 from customers where id = 1')).toEqual([
      ['[upper]', '[lower]', 2],
    ]);
    // And so for the rows that are fetched later.
    await rows(
      'declare "SQL_CUR0x1" cursor with hold for select name || 1, id + 1 from customers where id > 3 order by id;fetch 1 in "SQL_CUR0x1"',
    );
    expect(await rows('fetch 1 in "SQL_CUR0x1"')).toEqual([['Name 51', 6]]);
    await rows('close "SQL_CUR0x1"');
  });

  it('names of cursors that a function opens are shown, as JDBC and ODBC fetch from them', async () => {
    await rows('begin');
    expect(await rows('select * from listed() as result')).toEqual([['<unnamed portal 1>']]);
    expect(await rows('fetch 1 from "<unnamed portal 1>"')).toEqual([[1, '*****@corp.example', '[ssn]']]);
    expect(await rows("select listed_as('mine', 2)")).toEqual([['mine']]);
    expect(await rows('fetch 1 in mine')).toEqual([[2, '*****@corp.example', '[ssn]']]);
    expect(await rows('select two_lists()')).toEqual([['list_a'], ['<unnamed portal 2>']]);
    expect(await rows("call list_out('first', null)")).toEqual([['first', '<unnamed portal 3>']]);
    expect(await rows('fetch 1 from first')).toEqual([['*****@corp.example']]);
    await rows('rollback');
  });

  it('a name that could tell of what is masked is none of them', async () => {
    for (const name of ['told', 'told_by_assignment', 'told_by_choice', 'told_by_into', 'told_by_expression']) {
      await rows('begin');
      expect(await rows(`select ${name}() as n`), name).toEqual([['[n]']]);
      await rows('rollback');
    }
    expect(await refusal('select listed_as(ssn::refcursor, 1) from customers where id = 1')).toContain('people/ssn');
  });

  it('a cursor that code has opened anew under the name is not taken for the one that was declared', async () => {
    await rows('begin;declare k cursor for select name || 1, 1 from customers;fetch 1 in k');
    await rows("select reopen('k')");
    expect(JSON.stringify(await rows('fetch 1 in k'))).not.toMatch(/517/);
    await rows('rollback');
    // Also in a message with the code itself, where the policy lets several pass.
    await rows('begin;declare k cursor for select name || 1, add_one(id) from customers;fetch 1 in k');
    await rows("select reopen('k')");
    expect(JSON.stringify(await rows('savepoint a;fetch 1 in k'))).not.toMatch(/517/);
    await rows('rollback');
  });
});
