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
