import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const POLICIES = `apiVersion: hoop/v1
kind: Policy
metadata: { name: p }
spec:
  rules:
    - { name: no-secret, when: 'sql.reads.exists(t, t.schema == "own" && t.name == "secret")', action: block, message: No. }
    - { name: no-kept, when: 'sql.reads.exists(t, t.schema == "mine" && t.name == "kept")', action: block, message: No. }
`;

const SEED = `
  create schema own;
  create table own.secret (id int, ssn text);
  insert into own.secret values (1, '517-26-5081');
  create schema mine;
  create table mine.kept (id int);
  alter role current_user in database start_up_path set search_path = mine;
`;

describe.skipIf(missingPostgres() !== undefined)('a search path of the start-up packet', () => {
  let agent: TestAgent;
  let port: number;
  const database = 'start_up_path';

  beforeAll(async () => {
    await (await sharedPostgres()).createDatabase(database, SEED);
    agent = await startTestAgent({ policies: POLICIES, database });
    ({ port } = await agent.port({ groups: ['engineering', 'dba'] }));
  }, 60_000);

  afterAll(() => agent.close());

  it.each(['select 1', 'reset search_path', 'set search_path to default', 'reset all', 'discard all'])(
    'is what names are looked up by after %s',
    async (text) => {
      const db = new pg.Client({ host: '127.0.0.1', port, user: 'x', database, options: '-c search_path=own' });
      await db.connect();
      await db.query(text);
      await expect(db.query('select ssn from secret')).rejects.toMatchObject({
        message: 'blocked by policy p/no-secret: No.',
      });
      await db.end();
    },
  );

  it('that the role had as the session started counts after ALTER ROLE too', async () => {
    const db = new pg.Client({ host: '127.0.0.1', port, user: 'x', database });
    await db.connect();
    await expect(db.query('select id from kept')).rejects.toMatchObject({ code: '42501' });
    await db.query(`alter role current_user in database ${database} set search_path = public`);
    await expect(db.query('select id from kept')).rejects.toMatchObject({ code: '42501' });
    await db.end();
  });
});
