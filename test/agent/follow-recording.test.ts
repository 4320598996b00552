import { readdirSync, readlinkSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AgentApi } from '../../src/client/agent-api.js';
import { replayEntries } from '../../src/client/replay/replay-entries.js';
import type { ReplayEntry } from '../../src/recording/replay/entry.js';
import { startTestAgent, startTestIssuer, type TestAgent, type TestIssuer } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';

const missing = missingPostgres();

describe.skipIf(missing !== undefined)(
  `a recording that is followed${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let agent: TestAgent;
    let issuer: TestIssuer;
    beforeAll(async () => {
      issuer = await startTestIssuer();
      agent = await startTestAgent({ issuer });
    });
    afterAll(async () => {
      await agent.close();
      await issuer.close();
    });

    async function session(subject: string): Promise<{ client: pg.Client; id: string }> {
      const { port } = await agent.port({ subject });
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'ann', database: agent.database });
      await client.connect();
      await client.query('SELECT 1');
      const token = await agent.token({ subject });
      const id = async (): Promise<string> => {
        const { body } = await agent.call('/v1/sessions', { token });
        return (body as { items: { id: string; endedAt: string }[] }).items.find((one) => one.endedAt === '')?.id ?? '';
      };
      await expect.poll(id).not.toBe('');
      return { client, id: await id() };
    }

    function follow(id: string, token: string): { entries: ReplayEntry[]; ended: Promise<void> } {
      const api = new AgentApi({ url: agent.agent.url, token: () => Promise.resolve(token) });
      const entries: ReplayEntry[] = [];
      const target = { kind: 'recording', place: { kind: 'session', id } } as const;
      const ended = (async (): Promise<void> => {
        const options = { agent: () => api, follow: true, say: () => undefined };
        for await (const entry of replayEntries(target, options)) entries.push(entry);
      })();
      return { entries, ended };
    }

    const texts = (entries: readonly ReplayEntry[]): unknown[] =>
      entries.filter(({ event }) => event.type === 'statement').map(({ event }) => event['text']);
    /** Descriptors of this process, which is the agent's too, that hold a recording. */
    const held = (id: string): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).includes(id);
        } catch {
          return false;
        }
      }).length;

    it('comes as it is written, to its owner and to an auditor, and ends with the seal', async () => {
      const { client, id } = await session('ann');
      const own = follow(id, await agent.token({ subject: 'ann' }));
      const auditors = follow(id, await agent.token({ subject: 'audrey', groups: ['auditors'] }));
      await expect.poll(() => texts(own.entries)).toContain('SELECT 1');
      await client.query('SELECT 2');
      await expect.poll(() => texts(own.entries)).toContain('SELECT 2');
      await client.end();
      await Promise.all([own.ended, auditors.ended]);
      expect(own.entries.at(-1)?.event.type).toBe('seal');
      expect(auditors.entries).toEqual(own.entries);
      await expect.poll(() => held(id)).toBe(0);
    });

    it('is there for nobody else, and a sealed one is given whole', async () => {
      const { client, id } = await session('ann');
      await expect(follow(id, await agent.token({ subject: 'bob' })).ended).rejects.toMatchObject({
        code: 'not_found',
      });
      const query = await agent.call(`/v1/sessions/${id}/recording?follow=yes`, { token: await agent.token() });
      expect(query.status).toBe(400);
      await client.end();
      const token = await agent.token({ subject: 'ann' });
      const endedAt = async (): Promise<string> =>
        ((await agent.call(`/v1/sessions/${id}`, { token })).body as { endedAt: string }).endedAt;
      await expect.poll(endedAt).not.toBe('');
      const sealed = follow(id, token);
      await sealed.ended;
      expect(sealed.entries.at(-1)?.event.type).toBe('seal');
    });

    it('is let go of when its reader has gone, and ends for one whose token ends', async () => {
      const { client, id } = await session('ann');
      const token = await agent.token({ subject: 'ann' });
      const before = held(id);
      const gone = new AbortController();
      const response = await fetch(`${agent.agent.url}/v1/sessions/${id}/recording?follow=true`, {
        headers: { authorization: `Bearer ${token}` },
        signal: gone.signal,
      });
      expect(response.status).toBe(200);
      await expect.poll(() => held(id)).toBe(before + 1);
      gone.abort();
      await expect.poll(() => held(id)).toBe(before);
      const exp = Math.floor(Date.now() / 1000) + 4;
      const short = follow(id, await issuer.token({ sub: 'ann', groups: ['engineering'], exp }));
      // Broken off first, and refused when it tries to go on.
      await expect(short.ended).rejects.toMatchObject({ code: 'token_refused' });
      await client.end();
    });
  },
);
