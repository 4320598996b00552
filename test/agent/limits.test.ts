import pg, { type DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialTunnel } from '../../src/tunnel/dial.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';

const missing = missingPostgres();

describe.skipIf(missing !== undefined)(
  `limits of the agent${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let agent: TestAgent;
    beforeAll(async () => {
      agent = await startTestAgent({ agentSpec: 'limits: { sessions: 3, loginsPerMinute: 5 }' });
    });
    afterAll(() => agent.close());

    async function open(port: number): Promise<pg.Client> {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'ann', database: agent.database });
      await client.connect();
      return client;
    }

    it('sessions: 3 opens 3 of 12 that come at once, refuses 9 with 53300, and lets new ones in when those have ended', async () => {
      const { port } = await agent.port();
      for (let round = 0; round < 2; round += 1) {
        const opened = await Promise.allSettled(Array.from({ length: 12 }, () => open(port)));
        const refused = opened.filter((one) => one.status === 'rejected');
        expect(refused.map((one) => (one.reason as DatabaseError).code)).toEqual(Array(9).fill('53300'));
        for (const one of opened) if (one.status === 'fulfilled') await one.value.end();
        await expect
          .poll(() =>
            open(port).then(
              (client) => client.end(),
              (error: unknown) => error,
            ),
          )
          .toBeUndefined();
        await expect.poll(async () => liveSessions(agent)).toBe(0);
      }
    });

    it('loginsPerMinute: 5 refuses the sixth wrong token for a tunnel with `limit`, not one that was proven before', async () => {
      const dial = (token: string): Promise<string> =>
        dialTunnel({ agentUrl: agent.agent.url, connection: 'postgres', token }).then(
          (tunnel) => {
            tunnel.close();
            return 'open';
          },
          (error: unknown) => (error as { code: string }).code,
        );
      const good = await agent.token();
      expect(await dial(good)).toBe('open');
      const codes = [];
      for (let index = 0; index < 6; index += 1) codes.push(await dial(`${good.slice(0, -6)}AAAA${String(index)}A`));
      expect(codes).toEqual([...Array<string>(5).fill('token_refused'), 'limit']);
      expect(await dial(good)).toBe('open');
    });
  },
);

async function liveSessions(agent: TestAgent): Promise<number> {
  const text = await (await fetch(`${agent.agent.url}/metrics`)).text();
  return Number(/^hoop_sessions_live (\d+)/m.exec(text)?.[1]);
}
