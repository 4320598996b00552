import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres, type PostgresServer } from '../support/postgres-server.js';

const POLICIES = `apiVersion: hoop/v1
kind: Policy
metadata: { name: people }
spec:
  mask:
    - { name: emails, columns: ['*.email'], strategy: partial, exceptGroups: [dba] }
    - { name: ssn, columns: [people.ssn], strategy: redact, exceptGroups: [dba] }
    - { name: secrets, columns: [people.secret], strategy: 'null', exceptGroups: [dba] }
    - { name: keys, columns: [people.key], strategy: hash, exceptGroups: [dba] }
    - { name: any, entities: [email, credit-card], strategy: partial, exceptGroups: [dba] }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: lenient }
spec:
  writeBack: allow
  mask:
    - { name: nicks, columns: [people.nick], strategy: redact }
`;

const SEED = `
  create table people (id int primary key, name text, email text, ssn text, secret text, key text, note text, nick text);
  insert into people values (1, 'Ann', 'ann@corp.example', '517-26-5081', 's3cret', 'k-1', 'call ann@corp.example', 'annie'),
    (2, 'Bob', 'bob@corp.example', '517-26-5082', 's3cret2', 'k-2', 'none', 'bobby');
`;
const MASKED = "'*****@corp.example'";

/** What would put masked values in the place of real ones, and by which mask. */
const REFUSED: readonly (readonly [who: string, mask: string, text: string, values?: readonly unknown[]])[] = [
  [
    'Django save()',
    'emails',
    'UPDATE "people" SET "name" = $1, "email" = $2 WHERE "people"."id" = $3',
    ['A', '*****@corp.example', 1],
  ],
  ['a statement with constants', 'ssn', "update people set ssn = '[ssn]' where id = 1"],
  ['another name of the column', 'ssn', "update people set ssn = '[User_ssn]' where id = 1"],
  ['an alias of the table', 'emails', `update public.people as p set email = ${MASKED}::varchar where p.id = 1`],
  ['several columns at once', 'emails', `update people set (name, email) = ('A', ${MASKED}) where id = 1`],
  ['NULL of what is shown as NULL', 'secrets', 'update people set name = $1, secret = $2 where id = 1', ['A', null]],
  ['a pseudonym', 'keys', "update people set key = 'hash_0123456789abcdef' where id = 1"],
  [
    'Django bulk_update()',
    'emails',
    'UPDATE people SET email = (CASE WHEN (id = $1) THEN $2 WHEN (id = $3) THEN $4 ELSE NULL END)::text WHERE id IN ($1, $3)',
    [1, 'new@corp.example', 2, '*****@corp.example'],
  ],
  [
    'pg-promise multi-row update',
    'emails',
    `update people as t set email = v.email from (values (1, ${MASKED}), (2, 'x@y.example')) as v(id, email) where v.id = t.id`,
  ],
  [
    'an update from arrays',
    'emails',
    'update people as t set email = v.email from unnest($1::int[], $2::text[]) as v(id, email) where v.id = t.id',
    [
      [1, 2],
      ['x@y.example', '*****@corp.example'],
    ],
  ],
  [
    'an upsert',
    'emails',
    'insert into people (id, email) values ($1, $2), (3, $3) on conflict (id) do update set email = excluded.email',
    [1, '*****@corp.example', 'x@y.example'],
  ],
  [
    'the key of an upsert',
    'emails',
    'insert into people (id, email) values (9, $1) on conflict (email) do update set name = excluded.name',
    ['*****@corp.example'],
  ],
  [
    'a key that is not named',
    'emails',
    "insert into people (id, email) select 9, '*****@corp.example' on conflict do nothing",
  ],
  [
    'an upsert of arrays',
    'ssn',
    'insert into people (id, ssn) select * from unnest($1::int[], $2::text[]) on conflict (id) do update set ssn = excluded.ssn',
    [[1], ['[ssn]']],
  ],
  [
    'MERGE',
    'ssn',
    "merge into people p using (values (1, '[ssn]')) v(id, ssn) on p.id = v.id when matched then update set ssn = v.ssn",
  ],
  [
    'a WITH query',
    'emails',
    `with u as (update people set email = ${MASKED} where id = 1 returning id) select * from u`,
  ],
  ['an entity in any column', 'any', "update people set note = 'call *****@corp.example' where id = 1"],
  ['a card in any column', 'any', "update people set note = '**** **** **** 1111' where id = 1"],
  [
    'a function around it',
    'emails',
    "update people set email = lower(coalesce($1, 'x')) where id = 1",
    ['*****@corp.example'],
  ],
  ['EXPLAIN ANALYZE', 'emails', `explain analyze update people set email = ${MASKED} where id = 1`],
];

/** What nobody has to refuse. */
const ALLOWED: readonly (readonly [who: string, text: string, values?: readonly unknown[]])[] = [
  ['a new value', 'update people set email = $1, ssn = $2 where id = 1', ['new@corp.example', '517-26-5083']],
  ['changed columns alone', 'UPDATE "people" SET "name" = $1 WHERE id = $2', ['*****@corp.example'.slice(0, 3), 1]],
  [
    'an upsert by another key, of other columns',
    'insert into people (id, email, name) values (1, $1, $2) on conflict (id) do update set name = excluded.name',
    ['*****@corp.example', 'Ann'],
  ],
  ['a column as it stands', 'update people set email = email where id = 1'],
  ['NULL where the mask shows other things', 'update people set ssn = null, email = $1 where id = 1', [null]],
  ['the mask of a comparison', `update people set name = 'A' where email = ${MASKED}`],
  ['stars and brackets in text', "update people set note = '**bold** see [note] 5 * 4', name = '***' where id = 1"],
  ['a policy that allows it', "update people set nick = '[nick]' where id = 1"],
  [
    'a copy of a row, of which nothing is lost',
    `insert into people (id, email, ssn, secret) values (9, ${MASKED}, '[ssn]', null)`,
  ],
];

describe.skipIf(missingPostgres() !== undefined)('masked values that are written back', () => {
  let agent: TestAgent;
  let server: PostgresServer;
  let db: pg.Client;
  const database = 'write_back';
  const real = (): Promise<unknown> => server.sql('select * from people order by id', database);

  const connect = async (groups: readonly string[]): Promise<pg.Client> => {
    const { port } = await agent.port({ groups: [...groups] });
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'x', database });
    await client.connect();
    return client;
  };

  beforeAll(async () => {
    server = await sharedPostgres();
    await server.createDatabase(database, SEED);
    agent = await startTestAgent({ policies: POLICIES, database });
    db = await connect(['engineering']);
  }, 60_000);

  afterAll(async () => {
    await db.end();
    await agent.close();
  });

  it.each(REFUSED.map(([who, mask, text, values]) => ({ who, mask, text, values })))(
    'are refused: $who',
    async ({ mask, text, values }) => {
      const before = await real();
      await expect(db.query(values === undefined ? text : { text, values: [...values] })).rejects.toMatchObject({
        code: '42501',
        message: expect.stringMatching(
          new RegExp(`^blocked by policy people/${mask}: the value for people\\.\\w+ is what mask ${mask} shows`),
        ),
        hint: expect.stringContaining('leave masked ones out'),
      });
      expect(await real()).toEqual(before);
    },
  );

  it.each(ALLOWED.map(([who, text, values]) => ({ who, text, values })))('are not: $who', async ({ text, values }) => {
    await db.query('begin');
    await db.query(values === undefined ? text : { text, values: [...values] }).finally(() => db.query('rollback'));
  });

  it('are refused in prepared statements, run by the protocol and by EXECUTE', async () => {
    const update = (email: string): Promise<pg.QueryResult> =>
      db.query({ name: 'change', text: 'update people set email = $1 where id = 2', values: [email] });
    await update('b@corp.example');
    await expect(update('*****@corp.example')).rejects.toMatchObject({ code: '42501' });
    await db.query('prepare u(text, int) as update people set email = $1 where id = $2');
    await expect(db.query(`execute u(${MASKED}, 2)`)).rejects.toMatchObject({ code: '42501' });
    await db.query("execute u('bob@corp.example', 2)");
    expect((await db.query('select email from people where id = 2')).rows).toEqual([{ email: '*****@corp.example' }]);
  });

  it('are no masked values to those whom the mask excepts', async () => {
    const dba = await connect(['engineering', 'dba']);
    try {
      await dba.query('begin');
      await dba.query(`update people set email = ${MASKED}, ssn = '[ssn]', secret = null where id = 1`);
      await dba.query('rollback');
    } finally {
      await dba.end();
    }
  });

  it('leave the round trip of a whole row that nobody changed without loss', async () => {
    const { rows } = await db.query<Record<string, unknown>>('select * from people where id = 1');
    const columns = Object.keys(rows[0] ?? {});
    const list = columns.map((column, index) => `${column} = $${String(index + 1)}`).join(', ');
    const before = await real();
    await expect(
      db.query(`update people set ${list} where id = 1`, Object.values(rows[0] ?? {})),
    ).rejects.toMatchObject({
      code: '42501',
    });
    expect(await real()).toEqual(before);
  });
});
