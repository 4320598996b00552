import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: people }
spec:
  mask:
    - { name: emails, columns: ['*.email', '*.whole'], strategy: partial }
    - { name: ssn, columns: ['customers.ssn'], strategy: redact }
    - { name: secrets, columns: ['users.password_hash'], strategy: 'null' }
    - { name: cards, entities: [credit-card], strategy: partial }
`;
const SEED = `
  create table customers (id int primary key, name text not null, email text not null, ssn text, extra jsonb);
  create table users (id int primary key, email text not null, password_hash text not null, customer_id int references customers);
  create table orders (id int primary key, customer_id int not null references customers, total numeric(10,2));
  insert into customers select g, 'Name ' || g, 'user' || g || '@corp.example', '517-26-508' || g, jsonb_build_object('k', g) from generate_series(1, 2) g;
  insert into users select g, 'user' || g || '@corp.example', 'hash-of-' || g, g from generate_series(1, 2) g;
  insert into orders values (1, 1, 5), (2, 2, 6);
  create view documents as select id, json_build_object('id', id, 'email', email) as doc, name || email as told from customers;
  create view people as select c.id, to_jsonb(c.*) as doc,
    (select coalesce(json_agg(u.*), '[]'::json) from users u where u.customer_id = c.id) as users from customers c;
  create view named_by_mask as select json_build_object('id', id, 'name', name) as whole from customers;
`;
const MAIL = '*****@corp.example';
const ROW = { id: 1, name: 'Name 1', email: MAIL, ssn: '[ssn]', extra: { k: 1 } };
const USER = { id: 1, email: MAIL, password_hash: null, customer_id: 1 };

/** What a program sends, and what is shown of the first row. */
const MASKED: readonly (readonly [who: string, text: string, shown: readonly unknown[]])[] = [
  ['keys of data', 'select json_object_agg(id, email) from customers where id = 1', [{ 1: MAIL }]],
  [
    'rows by name',
    "select jsonb_object_agg(name, json_build_object('e', email, 's', left(ssn, 4))) from customers where id = 1",
    [{ 'Name 1': { e: MAIL, s: '[s]' } }],
  ],
  [
    'a key that holds a card number',
    "select json_object_agg('4111 1111 1111 1111', email) from customers where id = 1",
    [{ '**** **** **** 1111': MAIL }],
  ],
  ['a row and more', 'select to_jsonb(c) || \'{"x": 1}\' from customers c where id = 1', [{ ...ROW, x: 1 }]],
  [
    'a row and less',
    "select to_jsonb(c) - 'ssn' - 'extra' from customers c where id = 1",
    [{ id: 1, name: 'Name 1', email: MAIL }],
  ],
  [
    'a column of JSON and more',
    "select extra || jsonb_build_object('m', email) from customers where id = 1",
    [{ k: 1, m: MAIL }],
  ],
  [
    'a member that is written over',
    "select to_jsonb(c) || jsonb_build_object('name', ssn) from customers c where id = 1",
    [{ ...ROW, name: '[name]' }],
  ],
  [
    'jsonb_set',
    "select jsonb_set(to_jsonb(c), '{name}', to_jsonb(ssn)) from customers c where id = 1",
    [{ ...ROW, name: '[name]' }],
  ],
  ['jsonb_strip_nulls', 'select jsonb_strip_nulls(to_jsonb(c)) from customers c where id = 1', [ROW]],
  [
    'one of two documents',
    "select case when id = 1 then json_build_object('e', email) else json_build_object('f', name) end from customers order by id",
    [{ e: MAIL }],
  ],
  [
    'rows or none',
    'select coalesce(jsonb_agg(jsonb_build_array(id, email)), jsonb_build_array()) from users where id = 1',
    [[[1, MAIL]]],
  ],
  ['no rows', "select coalesce(json_agg(u), '[]') from users u where id = 0", [[]]],
  ['a view of documents', 'select doc from documents where id = 1', [{ id: 1, email: MAIL }]],
  ['a view of rows', 'select * from people where id = 1', [1, ROW, [USER]]],
  [
    'a row of a view',
    'select to_jsonb(d) from documents d where id = 1',
    [{ id: 1, doc: { id: 1, email: MAIL }, told: '[told]' }],
  ],
  [
    'rows of two queries',
    "select json_build_object('a', id, 'e', email) from customers where id = 1 union all select json_build_object('a', id, 'p', password_hash) from users",
    [{ a: 1, e: MAIL }],
  ],
  [
    'documents in rows',
    "select json_agg(x) from (select json_build_object('e', email) as d from customers where id = 1) x",
    [[{ d: { e: MAIL } }]],
  ],
  [
    'an array of documents',
    "select array_agg(json_build_object('e', email)) from customers where id = 1",
    [[{ e: MAIL }]],
  ],
  ['an array of a query', 'select array(select to_jsonb(u) from users u where id = 1)', [[USER]]],
  [
    'rows as they were made before json_agg',
    'select array_to_json(array_agg(row_to_json(t))) from (select id, email from users where id = 1) t',
    [[{ id: 1, email: MAIL }]],
  ],
  [
    'members of a row',
    "select to_jsonb(c) -> 'id', to_jsonb(c) ->> 'email', to_jsonb(c) -> 'ssn', to_jsonb(c) #> '{extra,k}' from customers c where id = 1",
    [1, MAIL, '[?column?]', 1],
  ],
  [
    'a member by number',
    "select jsonb_agg(jsonb_build_object('i', id, 'e', email)) -> 0 from customers where id = 1",
    [{ i: 1, e: MAIL }],
  ],
  [
    'elements of a list',
    "select e ->> 'id', e ->> 'email', e from jsonb_array_elements((select jsonb_agg(u) from users u where id = 1)) e",
    ['1', MAIL, USER],
  ],
  [
    'a member of a sub-select',
    "select json_build_object('n', (select count(*) from users), 'all', array(select id from users), 'e', email) from customers where id = 1",
    [{ n: 2, all: [1, 2], e: MAIL }],
  ],
  [
    'PostGraphile, a column',
    'select to_json((c."email")) as "email", to_json((c."id")) as "id" from customers c where id = 1',
    [MAIL, 1],
  ],
  [
    'PostGraphile, a list',
    `with __local_0__ as (select to_json((json_build_object('id'::text, (__local_1__."id"), 'email'::text, (__local_1__."email")))) as "@nodes" from (select __local_1__.* from "public"."customers" as __local_1__ where (TRUE) and id = 1) __local_1__), __local_2__ as (select json_agg(to_json(__local_0__)) as data from __local_0__) select coalesce((select __local_2__.data from __local_2__), '[]'::json) as "data"`,
    [[{ '@nodes': { id: 1, email: MAIL } }]],
  ],
  [
    'Hasura',
    `SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.or.c"."c" AS "c") AS "_e")) AS "root" FROM (SELECT * FROM "public"."orders" WHERE id = 1) AS "_root.base" LEFT OUTER JOIN LATERAL (SELECT row_to_json((SELECT "_e" FROM (SELECT "b"."name" AS "name", "b"."email" AS "email") AS "_e")) AS "c" FROM (SELECT * FROM customers WHERE "_root.base"."customer_id" = id LIMIT 1) AS "b") AS "_root.or.c" ON ('true')) AS "_root"`,
    [[{ id: 1, c: { name: 'Name 1', email: MAIL } }]],
  ],
  [
    'PostgREST',
    `WITH pgrst_source AS (SELECT "public"."customers"."id", "public"."customers"."email", row_to_json("o_1".*)::jsonb AS "order", COALESCE("u_1"."u_1", '[]') AS "users" FROM "public"."customers" LEFT JOIN LATERAL (SELECT "o_2"."id" FROM "public"."orders" AS "o_2" WHERE "o_2"."customer_id" = "public"."customers"."id") AS "o_1" ON TRUE LEFT JOIN LATERAL (SELECT json_agg("u_1")::jsonb AS "u_1" FROM (SELECT "u_2"."id", "u_2"."email" FROM "public"."users" AS "u_2" WHERE "u_2"."customer_id" = "public"."customers"."id") AS "u_1") AS "u_1" ON TRUE WHERE "public"."customers"."id" = 1) SELECT pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body FROM (SELECT * FROM pgrst_source) _postgrest_t`,
    ['1', [{ id: 1, email: MAIL, order: { id: 1 }, users: [{ id: 1, email: MAIL }] }]],
  ],
  [
    'PostgREST, one row',
    `WITH pgrst_source AS (SELECT "public"."customers".* FROM "public"."customers" WHERE id = 1) SELECT coalesce(json_agg(_postgrest_t)->0, 'null') AS body FROM (SELECT * FROM pgrst_source) _postgrest_t`,
    [ROW],
  ],
  [
    'Prisma',
    `SELECT "t1"."id", "c_users"."__prisma_data__" AS "users" FROM "public"."customers" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t4"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t3"."id", 'email', "t3"."email") AS "__prisma_data__" FROM (SELECT "t2".* FROM "public"."users" AS "t2" WHERE "t1"."id" = "t2"."customer_id") AS "t3") AS "t4") AS "t5") AS "c_users" ON TRUE WHERE "t1"."id" = 1`,
    [1, [{ id: 1, email: MAIL }]],
  ],
  [
    'jOOQ',
    `select (select coalesce(jsonb_agg(jsonb_build_array("v0", "v1")), jsonb_build_array()) from (select u.id as "v0", u.email as "v1" from users u where u.customer_id = c.id) as "t") from customers c where c.id = 1`,
    [[[1, MAIL]]],
  ],
];

/** What looks alike and has to stay hidden: each shows something of a masked column where no mask is. */
const HIDDEN: readonly string[] = [
  'select json_object_agg(email, id) from customers',
  'select json_build_object(email, id) from customers',
  'select jsonb_object_agg(left(ssn, 6), id) from customers',
  "select to_jsonb(c) || jsonb_build_object(case when id = 1 then 'name' else 'x' end, c.ssn) from customers c",
  "select (to_jsonb(c) || jsonb_build_object(case when id = 1 then 'name' else 'x' end, c.ssn)) ->> 'name' from customers c",
  "select json_build_object('name', id, case when id = 1 then 'name' else 'x' end, c.ssn) ->> 'name' from customers c",
  // Of json, unlike jsonb, || joins the text; and so it does with text.
  `select ('{"a":' || json_build_object('e', email) || '}')::json -> 'a' ->> 'e' from customers`,
  `select ('{"a":' || json_build_object('e', email) || '}')::json ->> 'a' from customers`,
  `select ('["' || c || '"]')::jsonb ->> 0 from (select id, email from customers) c`,
  `select ('{"a":"' || c || '"}')::jsonb -> 'a' from (select id, email from customers) c`,
  "select (to_jsonb(c) || ' '::text)::jsonb -> 'email' from customers c",
  // An object and anything else become an array.
  "select (to_jsonb(c) || '[]') ->> 0 from customers c",
  "select (to_jsonb(c) || (select '[]'::jsonb)) #>> '{0}' from customers c",
  "select (to_jsonb(c) || (select '[]'::jsonb)) #>> '{0,email}' from customers c",
  "select to_jsonb(c) || (select '[]'::jsonb) from customers c",
  // A cast that cuts a key.
  "select json_build_object('i', id, 'id'::char(1), ssn) ->> 'i' from customers",
  "select json_build_object('i', id, 'id'::char(1), ssn) from customers",
  "select jsonb_set(to_jsonb(c), array['na' || 'me'], to_jsonb(ssn)) from customers c",
  "select jsonb_set(to_jsonb(c), '{extra,k}', to_jsonb(ssn)) #>> '{extra,k}' from customers c",
  "select jsonb_set(jsonb_build_array(id, email), '{0}', to_jsonb(ssn)) from customers",
  "select jsonb_insert(jsonb_build_array(id, email, name), '{0}', '1') from customers",
  "select jsonb_build_array(id, email, name) #- '{0}' from customers",
  'select (jsonb_build_array(id, email, name) - 0) ->> 0 from customers',
  "select coalesce(case when id = 0 then jsonb_build_array(1, 2) end, '[1]') || jsonb_build_array(id, email) || '[1,2]'::jsonb from customers",
  "select coalesce((select null::jsonb), '[1]') || jsonb_build_array(email, id) ->> 1 from customers",
  "select case when ssn like '%1' then json_build_object('id', id, 'ssn', ssn) else json_build_object('x', id, 'ssn', ssn) end from customers",
  "select json_build_object('id', id, 'd', case when ssn like '%1' then json_build_object('id', id, 'ssn', ssn) end) from customers",
  `select coalesce(case when ssn like '%1' then '{"a":1}'::json end, json_build_object('id', id, 'ssn', ssn)) from customers`,
  "select jsonb_strip_nulls(jsonb_build_object('id', id, 'c', case when ssn like '%1' then 1 end)) from customers",
  "select jsonb_set(to_jsonb(c), '{name}', to_jsonb(nullif(ssn, '517-26-5081'))) is null, jsonb_set(to_jsonb(c), '{name}', to_jsonb(nullif(ssn, '517-26-5081'))) from customers c",
  "select jsonb_set(to_jsonb(c), '{nom}', '1', ssn like '%1') from customers c",
  "select to_jsonb(c) || case when ssn like '%1' then '{}'::jsonb end from customers c",
  "select to_jsonb(c) - case when ssn like '%1' then 'id' else 'name' end from customers c",
  "select json_build_object('a', id) from customers where id = 0 union all select json_build_object('a', ssn) from customers",
  "select a ->> 'a' from (select json_build_object('a', id) as a from customers where id = 0 union all select json_build_object('a', ssn) from customers) q",
  "with q(id, ssn) as (select ssn, id from customers) select to_jsonb(q), to_jsonb(q) ->> 'id' from q",
  "select to_jsonb(r) ->> 'name', to_jsonb(r) ->> 'email', to_jsonb(r) ->> 'id' from customers as r(email, id, name)",
  'select to_jsonb(r.*) from customers as r(email, id, name)',
  "select to_jsonb(r), to_jsonb(r) ->> 'id' from (select ssn, id from customers offset 0) as r(id, ssn)",
  "select json_build_object('x', id, 'x', email) ->> 'x' from customers",
  'select to_json(q) from (select id as a, email as a from customers) q',
  "select to_jsonb(c) ->> ('ss' || 'n') from customers c",
  "select (to_jsonb(c)) ['ssn'] from customers c",
  "select to_jsonb(c)::text::json ->> 'ssn' from customers c",
  'select jsonb_pretty(to_jsonb(c)) from customers c',
  'select json_agg(distinct to_jsonb(c)) from customers c',
  'select to_jsonb(c) @> \'{"ssn": "517-26-5081"}\' from customers c',
  'select array[array[to_jsonb(c)]] from customers c',
  'select (array_agg(to_jsonb(c)))[1] from customers c',
  "with recursive t(d, n) as (select jsonb_build_object('a', 0), 1 union all select jsonb_build_object('a', c.ssn), n + 1 from t, customers c where n < 2) select d, d ->> 'a' from t offset 1",
  'select doc || jsonb_build_object($$id$$, told) from (select doc::jsonb, told from documents) d',
  'select whole from named_by_mask',
];

describe.skipIf(missingPostgres() !== undefined)('a document that a query builds', () => {
  let agent: TestAgent;
  let through: pg.Client;
  let direct: pg.Client;

  beforeAll(async () => {
    const database = 'built_documents';
    await (await sharedPostgres()).createDatabase(database, SEED);
    agent = await startTestAgent({ policies: POLICY, database });
    const { port } = await agent.port({ groups: ['engineering', 'dba'] });
    through = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
    const { admin } = agent.postgres;
    direct = new pg.Client({
      host: '127.0.0.1',
      port: agent.postgres.port,
      user: admin.username,
      password: admin.password,
      database,
    });
    await Promise.all([through.connect(), direct.connect()]);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([through.end(), direct.end()]);
    await agent.close();
  });

  const rows = async (text: string, more: object = {}): Promise<readonly (readonly unknown[])[]> =>
    (await through.query({ text, ...more, rowMode: 'array' } as pg.QueryArrayConfig)).rows as unknown[][];

  it.each(MASKED)('%s: it is masked in its places', async (_, text, shown) => {
    expect((await rows(text))[0]).toEqual(shown);
    expect((await rows(text, { values: [], queryMode: 'extended' }))[0]).toEqual(shown);
    // In binary form, where drivers that know no types give bytes.
    const binary = JSON.stringify(await rows(text, { values: [], binary: true }));
    for (const secret of ['user1', '517-26', 'hash-of', '4111 1111']) expect(binary).not.toContain(secret);
  });

  it(`is hidden in ${String(HIDDEN.length)} spellings that show something where no mask is`, async () => {
    for (const text of HIDDEN) {
      const known = (await direct.query({ text, rowMode: 'array' })).rows as unknown[][];
      for (const how of [{}, { values: [], queryMode: 'extended' }, { values: [], binary: true }]) {
        const shown = await rows(text, how);
        expect(JSON.stringify(shown), text).not.toBe(JSON.stringify(known));
        expect(JSON.stringify(shown).replaceAll('\\', ''), text).not.toMatch(/user\d|517-26|hash-of/);
      }
    }
  });

  it('tells by the looks of a hidden one nothing of what a condition chose', async () => {
    for (const text of HIDDEN.filter((one) => one.includes("like '%1'"))) {
      const shown = (await rows(text)).map((row) => JSON.stringify(row).replaceAll(/\d/g, '#'));
      expect(new Set(shown).size, text).toBe(1);
    }
  });

  it('may be looked up by what is not masked, and by what is as its column', async () => {
    const ids = async (condition: string): Promise<unknown> =>
      (await rows(`select id from customers c where ${condition}`)).flat();
    expect(await ids("to_jsonb(c) ->> 'id' = '2'")).toEqual([2]);
    expect(await ids("to_jsonb(c) ->> 'email' = 'user2@corp.example'")).toEqual([2]);
    await expect(ids("to_jsonb(c) ->> 'ssn' like '%1'")).rejects.toMatchObject({ code: '42501' });
    await expect(rows("select id from customers c order by to_jsonb(c) ->> 'ssn'")).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('is masked in its places by FETCH and EXECUTE', async () => {
    await through.query('begin');
    await through.query(
      "declare k cursor for select json_build_object('e', email, 'n', name) from customers order by id",
    );
    expect(await rows('fetch k')).toEqual([[{ e: MAIL, n: 'Name 1' }]]);
    expect(await rows('fetch k', { values: [], queryMode: 'extended' })).toEqual([[{ e: MAIL, n: 'Name 2' }]]);
    // Another under that name.
    await through.query('close k');
    await through.query(
      "declare k cursor for select json_build_object('n', email, 'e', name) from customers order by id",
    );
    const { rows: again } = await through.query('fetch k');
    expect(JSON.stringify(again)).not.toContain('user1');
    await through.query('rollback');
    await through.query("prepare p as select json_build_object('e', email, 'n', name) from customers where id = $1");
    expect(await rows('execute p(1)')).toEqual([[{ e: MAIL, n: 'Name 1' }]]);
    await through.query('deallocate p');
  });

  it('of which a member is taken that can not fail still counts where another of its members does', async () => {
    const text = "select json_build_object('a', ssn::int, 'b', id) ->> 'b' from customers";
    const messages: unknown[] = [];
    for (let run = 0; run < 14; run += 1)
      messages.push(await rows(text).catch((error: unknown) => (error as Error).message));
    expect(messages[0]).toBe('[masked]');
    expect(messages.at(-1)).toMatch(/^blocked by policy people\/ssn/);
  });
});
