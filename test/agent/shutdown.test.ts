import { join } from 'node:path';
import { Client, type DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { startAgent } from '../../src/agent/start.js';
import { until } from '../support/until.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, failure: () => undefined };

async function client(agent: TestAgent): Promise<{ db: Client; told: DatabaseError[] }> {
  const { port } = await agent.port();
  const db = new Client({ host: '127.0.0.1', port, user: 'x', database: agent.database, ssl: false });
  const told: DatabaseError[] = [];
  db.on('error', (error) => told.push(error as DatabaseError));
  await db.connect();
  return { db, told };
}

describe.skipIf(missingPostgres() !== undefined)('an agent that ends', () => {
  it('lets what runs end, tells clients why, and after its bound waits for nobody', async () => {
    const agent = await startTestAgent();
    const [idle, busy, endless] = [await client(agent), await client(agent), await client(agent)];
    const short = busy.db.query('select pg_sleep(1), 7 as seven');
    const long = endless.db.query('select pg_sleep(600)').catch((error: unknown) => error as DatabaseError);
    const watcher = await client(agent);
    await until('both run', async () => {
      const { rows } = await watcher.db.query<{ n: string }>(
        "select count(*) as n from pg_stat_activity where query like 'select pg_sleep(%' and state = 'active'",
      );
      return Number(rows[0]?.n) >= 2;
    });
    const closed = agent.agent.close(4_000);
    const shutdown = { severity: 'FATAL', code: '57P01', message: 'the hoop agent is shutting down' };
    await until('the idle one is told', () => idle.told.length > 0);
    expect(idle.told[0]).toMatchObject(shutdown);
    expect((await short).rows).toMatchObject([{ seven: 7 }]);
    expect(await long).toMatchObject(shutdown);
    await closed;
    await expect(fetch(`${agent.agent.url}/healthz`)).rejects.toThrow();
    await agent.close();
  });

  it('keeps a second one off its store, and leaves the first as it was', async () => {
    const agent = await startTestAgent();
    const second = startAgent(join(agent.dir, 'conf'), { ADMIN_PASSWORD: 'x', APP_PASSWORD: 'x' }, quiet);
    await expect(second).rejects.toMatchObject({ message: 'the store is in use by another agent' });
    expect((await fetch(`${agent.agent.url}/readyz`)).status).toBe(200);
    await agent.close();
  });
});
