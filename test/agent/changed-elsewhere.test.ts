import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.js';

const SSN = '917-26-5083';
const SEED = `
  create table people (id int primary key, name text, ssn text); insert into people values (1, 'Ann', '${SSN}');
  create view hidden as select id, ssn as x from people;
  create schema harmless; create table harmless.hidden (id int, x text);
  grant all on schema public to hoop_admin;
`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - { name: secrets, columns: ['people.ssn'], strategy: redact }
`;
const ASKED = "select id from hidden where x like '9%'";

describe.skipIf(missingPostgres() !== undefined)('what another session changes', () => {
  let postgres: PostgresServer;
  let agent: TestAgent;
  const open: pg.Client[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({ settings: { max_prepared_transactions: '2' } });
    await postgres.createDatabase('changed_elsewhere', SEED);
    await postgres.sql('alter role hoop_admin createrole');
    agent = await startTestAgent({ postgres, policies: POLICY, database: 'changed_elsewhere' });
  });

  afterAll(async () => {
    for (const one of open) await one.end();
    await agent.close();
    await postgres.stop();
  });

  const session = async (): Promise<pg.Client> => {
    const { port } = await agent.port({ groups: ['engineering', 'dba'] });
    const one = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
    open.push(one);
    await one.connect();
    return one;
  };

  it('is known at once where COMMIT PREPARED brings it', async () => {
    const [one, other] = [await session(), await session()];
    expect((await other.query('select upper(name) from people')).rows).toEqual([{ upper: 'ANN' }]);
    await one.query('begin');
    await one.query('create view brought as select id, ssn as x from people');
    await one.query("prepare transaction 'brought'");
    await other.query("commit prepared 'brought'");
    await expect(other.query("select id from brought where x like '9%'")).rejects.toThrow(
      /people\.ssn may not be used/,
    );
    expect((await other.query('select upper(x) from brought')).rows).toEqual([{ upper: '[upper]' }]);
  });

  it('leaves RESET search_path what it was when the session started', async () => {
    const [one, other] = [await session(), await session()];
    await expect(one.query(ASKED)).rejects.toThrow(/people\.ssn may not be used/);
    await other.query('alter role hoop_admin set search_path = harmless');
    await one.query('reset search_path');
    await expect(one.query(ASKED)).rejects.toThrow(/people\.ssn may not be used/);
    expect((await one.query('select upper(x) from hidden')).rows).toEqual([{ upper: '[upper]' }]);
    const later = await session();
    expect((await later.query(ASKED)).rows).toEqual([]);
  });
});
