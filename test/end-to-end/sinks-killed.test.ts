import { rm } from 'node:fs/promises';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SinkEvent } from '../../src/core/sink-event.js';
import { startReceiver } from '../sinks/events.js';
import { makeAgentFolder, openPort, type AgentFolder } from '../support/agent.js';
import { startAgentProcess } from '../support/agent-process.js';
import { missingPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';
import { openClient } from '../support/pg-client.js';
import { guardPolicy } from '../support/guard-policy.js';

const RESOURCES = (url: string): string => `${guardPolicy(
  '60s, notify: [hook]',
  `{ name: no-drop, when: '"drop" in sql.effects', action: block }`,
)}---
apiVersion: hoop/v1
kind: Sink
metadata: { name: hook }
spec: { type: webhook, url: "${url}", secret: { env: HOOK_KEY }, events: ['*'] }
`;

/** Statements of which a client was told that they are blocked, in each life of the agent. */
const BLOCKED = 20;

describe.skipIf(missingPostgres() !== undefined)('sinks of an agent that is killed', () => {
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let folder: AgentFolder;

  beforeAll(async () => {
    receiver = await startReceiver();
    folder = await makeAgentFolder({ policies: RESOURCES(receiver.url), env: { HOOK_KEY: 'k' } });
  });
  afterAll(async () => {
    await folder.issuer.close();
    await receiver.close();
    await rm(folder.dir, { recursive: true, force: true });
  });

  const events = (): SinkEvent[] => receiver.received.map(({ body }) => JSON.parse(body) as SinkEvent);
  const blocked = (): Set<string> =>
    new Set(
      events().flatMap(({ type, query_info: query }) => (type === 'decision.block' ? [query?.query_string ?? ''] : [])),
    );

  it('are told of everything that clients were told of, and how it ended, whenever that was', async () => {
    const token = await folder.issuer.token({ sub: 'ann', groups: ['engineering'] });
    const acknowledged: string[] = [];
    for (let round = 1; round <= 2; round += 1) {
      const agent = await startAgentProcess(folder);
      const { port, close } = await openPort(agent.url, 'postgres', token);
      const open = async (): Promise<Client> => {
        const db = await openClient({ port, database: folder.database });
        return db;
      };
      const [long, held] = [await open(), await open()];
      const waiting = held.query(`delete from payments where id = ${String(round)}`).catch(() => undefined);
      await until('the hold', () => events().filter(({ type }) => type === 'approval.requested').length >= round);
      for (let n = 1; n <= BLOCKED; n += 1) {
        const statement = `drop table t${String(round)}_${String(n)}`;
        const db = n % 2 === 0 ? long : await open();
        await expect(db.query(statement)).rejects.toThrow(/blocked/);
        acknowledged.push(statement);
        // The last of a session that is still open, and of one that has just ended.
        if (n % 2 === 1 && n < BLOCKED - 1) await db.end();
      }
      await agent.kill();
      close();
      await waiting;
    }
    const agent = await startAgentProcess(folder);
    await until('all that was blocked', () => acknowledged.every((statement) => blocked().has(statement)));
    const ended = (): SinkEvent[] =>
      events().filter(({ type, unmapped }) => type === 'session.end' && unmapped['reason'] === 'crash');
    await until('the ends of its sessions', () => ended().length >= 2 * 3);
    const cancelled = (): SinkEvent[] =>
      events().filter(({ type, status }) => type === 'approval.resolved' && status === 'cancelled');
    await until(
      'the ends of its holds',
      () => new Set(cancelled().map(({ unmapped }) => unmapped['request'])).size === 2,
    );
    await agent.stop();

    // What came twice is the same, by its id.
    const byId = new Map<string, string>();
    for (const { metadata, type, actor, unmapped } of events()) {
      const about = JSON.stringify([type, actor.session?.uid, unmapped['statement'], unmapped['request']]);
      expect(byId.get(metadata.uid) ?? about).toBe(about);
      byId.set(metadata.uid, about);
    }
    const said = events().length;
    const last = await startAgentProcess(folder);
    await last.stop();
    expect(events()).toHaveLength(said);
  }, 120_000);
});
