import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg, { type DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordingPath } from '../../src/recording/reading/read.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';

describe.skipIf(missingPostgres() !== undefined)('limits.sessionBytes', () => {
  let agent: TestAgent;
  beforeAll(async () => {
    agent = await startTestAgent({ agentSpec: 'limits: { sessionBytes: 4MiB }' });
  }, 60_000);
  afterAll(() => agent.close());

  async function connected(): Promise<{ client: pg.Client; ended: Promise<unknown>; session: string }> {
    const { port, events } = await agent.port();
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'ann', database: agent.database });
    const ended = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    const session = await until('its id', () => events.find(({ event }) => event === 'session.opened')?.['session']);
    return { client, ended, session: String(session) };
  }

  const reason = async (session: string): Promise<string> => {
    const token = await agent.token();
    const file = await until('the sealed session', async () => {
      const { body } = await agent.call(`/v1/sessions/${session}`, { token });
      const { head, file } = body as { head: string; file: string };
      return head !== '' && file;
    });
    const lines = readFileSync(recordingPath(join(agent.dir, 'recordings'), file), 'utf8')
      .trim()
      .split('\n');
    return (
      lines
        .map((line) => JSON.parse(line) as { type: string; reason?: string })
        .find(({ type }) => type === 'session.end')?.reason ?? ''
    );
  };

  it('4 MiB ends the session whose prepared statements take more, in words, and no other', async () => {
    const other = await connected();
    const { client, session, ended } = await connected();
    const padding = `/* ${'x'.repeat(200_000)} */`;
    const prepare = async (): Promise<number> => {
      for (let nth = 0; nth < 30; nth += 1)
        await client.query({ name: `p${String(nth)}`, text: `SELECT ${String(nth)} ${padding}` });
      return 30;
    };
    const error = (await prepare().catch((failed: unknown) => failed)) as DatabaseError;
    expect(error.message).toBe('hoop: the session holds more than limits.sessionBytes (4194304 bytes)');
    expect(error.code).toBe('54000');
    await ended;
    expect(await reason(session)).toBe('limit');
    expect((await other.client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await other.client.end();
    expect(agent.logged.filter((line) => line.includes('sessionBytes'))).toHaveLength(1);
  });

  it('lets go of what is closed: statements that are deallocated can be prepared again and again', async () => {
    const { client } = await connected();
    const padding = `/* ${'x'.repeat(200_000)} */`;
    for (let nth = 0; nth < 30; nth += 1) {
      await client.query(`PREPARE one AS SELECT ${String(nth)} ${padding}`);
      await client.query('DEALLOCATE one');
    }
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it('refuses a larger message as any other that is too large, and the session goes on where its protocol can', async () => {
    const { client } = await connected();
    const failed = client.query(`SELECT '${'x'.repeat(5_000_000)}'`);
    await expect(failed).rejects.toThrow(/message of 5\d+ B, limit is 4194304 B/);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });
});
