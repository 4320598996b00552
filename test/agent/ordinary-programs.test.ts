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
    - { name: secrets, columns: ['users.password_hash'], strategy: 'null' }
`,
].join('\n---\n');

const SEED = `
  create table customers (id serial primary key, name text not null, email text unique not null, ssn text, active boolean default true, code varchar(4));
  create table users (id int primary key, email varchar(255) unique not null, password_hash text not null, customer_id int references customers);
  create table orders (id serial primary key, customer_id int not null references customers, total numeric(10,2) default 0);
  insert into customers (name, email, ssn) select 'Name ' || g, 'user' || g || '@corp.example', '517-26-508' || g from generate_series(1, 5) g;
  insert into users select g, 'user' || g || '@corp.example', md5(g::text), g from generate_series(1, 3) g;
  insert into orders (customer_id, total) select 1 + g % 3, g from generate_series(1, 9) g;
`;
const ONE = 'user1@corp.example';
const TWO = 'user2@corp.example';

/** What programs send, in the shape that they send it, and how many rows come back or change. */
const ALLOWED: readonly (readonly [who: string, rows: number, text: string, values?: readonly unknown[]])[] = [
  ['Django exclude()', 4, 'SELECT * FROM customers WHERE NOT (email = $1)', [ONE]],
  ['SQLAlchemy !=', 4, 'SELECT customers.id FROM customers WHERE customers.email != $1', [ONE]],
  ['TypeORM Not(In())', 3, 'SELECT c.id FROM customers c WHERE NOT (c.email IN ($1, $2))', [ONE, TWO]],
  ['knex whereNotIn', 3, 'select "id" from "customers" where "email" not in ($1, $2)', [ONE, TWO]],
  ['Rails where.not of a list', 3, 'SELECT id FROM customers WHERE email <> ALL ($1::text[])', [[ONE, TWO]]],
  ['an optional filter', 1, "SELECT id FROM customers WHERE ($1::text IS NULL OR email = $1) AND email <> ''", [ONE]],
  ['Django iexact', 1, 'SELECT id FROM customers WHERE UPPER(email::text) = UPPER($1)', [ONE]],
  ['a keyset of rows', 1, 'SELECT id FROM customers WHERE (id, email) IN (($1, $2), ($3, $4))', [1, ONE, 2, 'x']],
  ['Slonik unnest', 2, 'SELECT c.id FROM customers c JOIN unnest($1::text[]) k(v) ON k.v = c.email', [[ONE, TWO]]],
  ['a data loader', 2, 'SELECT id FROM customers WHERE email IN (SELECT unnest($1::text[]))', [[ONE, TWO]]],
  ['Kysely VALUES', 2, 'SELECT c.id FROM customers c JOIN (VALUES ($1), ($2)) v(e) ON v.e = c.email', [ONE, TWO]],
  [
    'Django distinct() over a join',
    3,
    'SELECT DISTINCT c.id, c.name, c.email FROM customers c JOIN orders o ON o.customer_id = c.id',
  ],
  ['Hibernate select distinct', 3, 'select distinct c.* from customers c join orders o on o.customer_id = c.id'],
  [
    'a report by row',
    5,
    'SELECT c.id, c.name, c.email, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.name, c.email ORDER BY c.id',
  ],
  [
    'TypeORM pages',
    2,
    'SELECT DISTINCT "d"."c_id" AS "ids_c_id" FROM (SELECT "c"."id" AS "c_id", "c"."email" AS "c_email", "o"."id" AS "o_id" FROM "customers" "c" LEFT JOIN "orders" "o" ON "o"."customer_id" = "c"."id") "d" ORDER BY "c_id" ASC LIMIT 2',
  ],
  ['Rails exists?', 1, 'SELECT 1 AS one FROM customers WHERE LOWER(email) = LOWER($1) AND id != $2 LIMIT 1', [ONE, 9]],
  [
    'TypeORM upsert of what differs',
    0,
    'INSERT INTO customers (id, name, email) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, email = EXCLUDED.email WHERE (customers.name IS DISTINCT FROM EXCLUDED.name OR customers.email IS DISTINCT FROM EXCLUDED.email)',
    [1, 'Name 1', ONE],
  ],
  [
    'a bulk upsert',
    2,
    'INSERT INTO customers (name, email) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (email) DO UPDATE SET name = excluded.name',
    [
      ['A', 'B'],
      [ONE, TWO],
    ],
  ],
  [
    'pg-promise multi-row update',
    1,
    'UPDATE customers AS t SET name = v.name FROM (VALUES ($1, $2)) AS v(name, email) WHERE v.email = t.email',
    ['A', ONE],
  ],
  [
    'MERGE',
    1,
    'MERGE INTO customers c USING (VALUES ($1::text, $2::text)) v(name, email) ON c.email = v.email WHEN MATCHED THEN UPDATE SET name = v.name',
    ['A', ONE],
  ],
  [
    'Django bulk_update',
    2,
    'UPDATE customers SET email = CASE WHEN id = 1 THEN $1 WHEN id = 2 THEN $2 ELSE NULL END WHERE id IN (1, 2)',
    ['a@corp.example', 'b@corp.example'],
  ],
  ['select for update', 1, 'SELECT id FROM customers WHERE email = $1 FOR UPDATE SKIP LOCKED', [ONE]],
];

/** Documents that ORMs have the server build: what is shown of them. */
const DOCUMENTS: readonly (readonly [who: string, text: string, shown: unknown])[] = [
  [
    'Drizzle',
    'select o.id, c.data from orders o left join lateral (select json_build_array(c.id, c.name, c.email, c.ssn) as data from (select * from customers c where c.id = o.customer_id limit 1) c) c on true where o.id = 3',
    [3, [1, 'Name 1', '*****@corp.example', '[masked]']],
  ],
  [
    'Kysely jsonArrayFrom',
    "select c.id, (select coalesce(json_agg(agg), '[]') from (select u.id, u.email, u.password_hash from users u where u.customer_id = c.id) as agg) as users from customers c where c.id = 1",
    [1, [{ id: 1, email: '*****@corp.example', password_hash: null }]],
  ],
  [
    'a row as JSON',
    'select to_jsonb(c) from customers c where id = 1',
    [{ id: 1, name: 'Name 1', email: '*****@corp.example', ssn: '[ssn]', active: true, code: null }],
  ],
  [
    'rows in rows',
    "select json_build_object('total', sum(o.total), 'who', json_agg(distinct c.name), 'c', json_agg(json_build_object('e', c.email, 'u', upper(c.ssn), 'mail', 'to joe@corp.example'))) from orders o join customers c on c.id = o.customer_id where o.id = 3",
    [{ total: 3, who: ['Name 1'], c: [{ e: '*****@corp.example', u: '[u]', mail: 'to *****@corp.example' }] }],
  ],
  [
    'PostgREST',
    "with s as (select c.id, c.email from customers c where c.id = 1 limit 10) select null::bigint as total_result_set, pg_catalog.count(_t) as page_total, coalesce(json_agg(_t), '[]')::character varying as body from (select * from s) _t",
    [null, '1', '[{"id":1,"email":"*****@corp.example"}]'],
  ],
  [
    'PostgREST, of a row that it has put in',
    "with s as (select * from customers where id = 1) select coalesce((json_agg(_t)->0)::text, 'null') as body from (select s.id, s.email, s.ssn from s) _t",
    ['{"id":1,"email":"*****@corp.example","ssn":"[ssn]"}'],
  ],
  [
    'Hasura',
    `select coalesce(json_agg("root"), '[]') as "root" from (select row_to_json((select "_e" from (select "_root"."id" as "id", "_root"."email" as "mail", "_root"."ssn" as "ssn") as "_e")) as "root" from (select * from customers where id = 1) as "_root") as "_r"`,
    [[{ id: 1, mail: '*****@corp.example', ssn: '[ssn]' }]],
  ],
  [
    'a row in a row',
    'select to_json(x) from (select o.id, c from orders o join customers c on c.id = o.customer_id where o.id = 3) x',
    [{ id: 3, c: { id: 1, name: 'Name 1', email: '*****@corp.example', ssn: '[ssn]', active: true, code: null } }],
  ],
  ['rows counted by themselves', 'select count(c), count(c.*) from customers c', ['5', '5']],
  // What only looks like these.
  [
    'the text of a document in another',
    "select json_build_object('id', id, 'text', json_build_object('ssn', ssn)::text) from customers where id = 1",
    [{ id: 1, text: '[text]' }],
  ],
  [
    'the text of a document in a row',
    "select to_json(x) from (select id, json_build_object('ssn', ssn)::text as text from customers where id = 1) x",
    [{ id: 1, text: '[text]' }],
  ],
  [
    'a piece of a text of a document',
    "select json_build_object('ssn', ssn)::varchar(20), json_build_object('ssn', ssn)::text || '', left(to_json(c)::text, 99) from customers c where id = 1",
    ['[json_build_object]', '[?column?]', '[left]'],
  ],
  [
    'a text that is a document by its looks alone',
    `select ('{"id":1,"ssn":"' || ssn || '"}')::text, (('{"id":1,"ssn":"' || ssn || '"}')::json)::text from customers where id = 1`,
    ['[text]', '[text]'],
  ],
  [
    'a member that is no document',
    "select json_build_object('a', ssn)->'a', json_build_object('a', ssn)->>'a', json_agg(c)->id, json_agg(c)->(-1)->'ssn' from customers c where id = 1 group by id",
    ['[?column?]', '[?column?]', null, '[?column?]'],
  ],
  [
    'a row whose names are others',
    'select row_to_json((select e from (select ssn, id from customers where id = 1) e(id, ssn))) as j',
    [null],
  ],
  [
    'rows of one of two queries',
    "select row_to_json((select e from (select ssn as a) e)) as j from customers where id = 1 union all select to_json('x'::text) where false",
    [{ a: '[a]' }],
  ],
  [
    'a row counted where a column has its name',
    'select count(distinct c), count(x.c) from (select ssn || 1 as c from customers) x, (select 1) as c',
    [null, null],
  ],
  ['a document of unknown keys', 'select json_build_object(email, name) from customers where id = 1', [null]],
  [
    'a document with one key twice',
    "select json_build_object('x', id, 'x', email) from customers where id = 1",
    [null],
  ],
  [
    'a list that DISTINCT has sorted by what is masked',
    "select jsonb_agg(distinct jsonb_build_object('a', ssn, 'id', id)) from customers",
    [null],
  ],
  ['columns of other names', 'select to_json(c) from customers c(a, b, d) where a = 1', [null]],
  [
    'one that a condition chooses',
    "select case when ssn like '5%' then json_build_object('id', id) end from customers where id = 1",
    [null],
  ],
];

/** Refused, and by what. */
const REFUSED: readonly (readonly [who: string, text: string, why: string])[] = [
  [
    'a sorted list',
    'SELECT id FROM customers ORDER BY email LIMIT 10',
    'people/emails: masked column customers.email may not be used in ORDER BY',
  ],
  [
    'a search',
    "SELECT id FROM customers WHERE email ILIKE '%x%'",
    'people/emails: masked column customers.email may not be used in WHERE',
  ],
  [
    'a count by value',
    'SELECT email, count(*) FROM users GROUP BY email',
    'people/emails: masked column users.email may not be used in GROUP BY',
  ],
  ['two tables by e-mail', 'SELECT 1 FROM users u JOIN customers c ON c.email = u.email', 'may not be used in JOIN'],
  ["knex's lock", 'update "orders" set "total" = 1', 'standard-sql/update-no-where'],
  [
    'statements behind settings',
    'SET application_name = x; DELETE FROM orders WHERE id = 1',
    'standard-sql/multi-statement',
  ],
];

describe.skipIf(missingPostgres() !== undefined)('what ordinary programs send, with rules and masks on', () => {
  let agent: TestAgent;
  let db: pg.Client;

  beforeAll(async () => {
    const database = 'ordinary_programs';
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

  it.each(ALLOWED.map(([who, rows, text, values = []]) => ({ who, rows, text, values })))(
    '$who passes',
    async ({ rows, text, values }) => {
      await db.query('begin');
      const answer = await db.query({ text, values: [...values] }).finally(() => db.query('rollback'));
      expect(answer.rowCount).toBe(rows);
    },
  );

  it.each(DOCUMENTS)('%s: a document is masked in its places, or not shown', async (who, text, shown) => {
    expect((await db.query({ text, rowMode: 'array' })).rows).toEqual([shown]);
    // By the extended protocol as well.
    expect((await db.query({ text, values: [], name: who, rowMode: 'array' })).rows).toEqual([shown]);
  });

  it('a refusal for a mask says the way out', async () => {
    const hintOf = (text: string): Promise<unknown> =>
      db.query(text).then(
        () => undefined,
        (error: unknown) => (error as pg.DatabaseError).hint,
      );
    expect(await hintOf('SELECT id FROM customers ORDER BY email')).toBe(
      'Compare it by = or IN with values of your own, or sort, group and join by another column; for more, run it as a group that the mask emails names in exceptGroups, or let policy people say inference: allow.',
    );
    expect(await hintOf('CREATE TABLE copied AS SELECT * FROM customers')).toContain('as for migrations');
    expect(await hintOf('DELETE FROM orders')).toBeUndefined();
  });

  it.each([
    [
      'a column that is there',
      'ALTER TABLE customers ADD COLUMN email text',
      '42701',
      /column "email" of relation "customers" already exists/,
    ],
    [
      'a value that is too long',
      "INSERT INTO customers (name, email, code) VALUES ('x', 'y@corp.example', '12345')",
      '22001',
      /value too long for type character varying\(4\)/,
    ],
    ['a column that is not there', 'SELECT id, emial FROM customers', '42703', /column "emial" does not exist/],
    [
      'a value that is there already',
      `INSERT INTO customers (name, email) VALUES ('x', '${ONE}')`,
      '23505',
      /unique constraint "customers_email_key"/,
    ],
  ])("an error of the server's says of %s what it is", async (_, text, code, message) => {
    await expect(db.query(text)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  it('a document of columns that the open transaction has renamed is not shown', async () => {
    await db.query('begin');
    await db.query('alter table customers rename column name to label');
    const { rows } = await db.query('select to_jsonb(c) as c from customers c where id = 1');
    await db.query('rollback');
    expect(rows).toEqual([{ c: null }]);
  });

  it.each(REFUSED)('%s is refused, and the message says by which rule or mask', async (_, text, why) => {
    await expect(db.query(text)).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining(why) as string,
    });
  });

  it.each([
    [
      'asyncpg, as a connection goes back to its pool',
      'SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;',
    ],
    ['asyncpg in a transaction', 'ROLLBACK;\nSELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;'],
    [
      'Sequelize',
      "SET standard_conforming_strings=on;SET client_min_messages TO warning;SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE",
    ],
    [
      'pgAdmin',
      "SET DateStyle=ISO; SET client_min_messages=notice; SELECT set_config('bytea_output','hex',false) FROM pg_settings WHERE name = 'bytea_output'; SET client_encoding='UTF8';",
    ],
  ])('the settings of %s pass in one message', async (_, text) => {
    await db.query(text);
    await db.query('reset all');
  });
});
