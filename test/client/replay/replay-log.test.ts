import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AgentApi } from '../../../src/client/agent-api.js';
import { openReplayLog } from '../../../src/client/replay/replay-log.js';
import type { OpenedLog } from '../../../src/client/replay/replay-log.js';
import type { ReplayTarget } from '../../../src/client/replay/replay-entries.js';
import { titleOf, windowRows } from '../../../src/client/replay/replay-window.js';
import { readRecording, recordingPath } from '../../../src/recording/reading/read.js';
import { openStore } from '../../../src/store/store.js';
import type { Store } from '../../../src/store/store.js';
import { startAgent } from '../../agent/http/agent.js';
import { Bench, END, request, sessionId, start, statement } from '../../recording/recorded-session.js';
import { makeFolder } from '../../support/folders.js';

let bench: Bench;
let folder: string;
const ids: string[] = [];
let api: AgentApi;
let opened: OpenedLog | undefined;
let store: Store;

beforeEach(async () => {
  bench = new Bench();
  folder = makeFolder('replay-log');
  store = openStore({ path: join(folder, 'hoop.db') });
  const recordings = bench.open({ index: store.recordingIndex });
  ids.splice(0, 2, sessionId(), sessionId());
  const [model, sql] = ids as [string, string];
  const call = recordings.open({
    ...start(model),
    connection: { name: 'openai', type: 'openai', labels: {} },
    correlationId: 'run-7',
  });
  const [asked, decided, result, output] = request('which payments?');
  for (const event of [asked, decided]) call.record(event);
  const database = recordings.open({ ...start(sql), correlationId: 'run-7' });
  for (const event of statement(1, 'SELECT * FROM payments')) database.record(event);
  await database.seal(END);
  for (const event of [result, output]) call.record(event);
  await call.seal(END);
  await recordings.close();
  const { url } = await startAgent(
    {},
    {
      sessions: { list: (filter) => store.sessions.list(filter), get: (id) => store.sessions.get(id) },
      openRecording: (session) => {
        const path = recordingPath(bench.dir, session.file);
        return Promise.resolve(existsSync(path) ? Readable.from(readRecording(path)) : undefined);
      },
    },
  );
  api = new AgentApi({ url, token: () => Promise.resolve('audrey') });
  opened = undefined;
});
afterEach(async () => {
  await opened?.close();
  store.close();
  bench.remove();
});

async function open(target: ReplayTarget): Promise<OpenedLog> {
  const options = { agent: () => api, follow: false, say: () => undefined, cacheFolder: join(folder, 'cache') };
  opened = await openReplayLog(target, options);
  return opened;
}

const leftOver = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => /^hoop-replay-[0-9a-f]{18}$/.test(name));

describe('a log for the player', () => {
  it('holds what came from the agent in a file that has no name', async () => {
    const { log, done, read } = await open({ kind: 'recording', place: { kind: 'session', id: ids[1] as string } });
    await done;
    expect([log.length, read()]).toEqual([6, 1]);
    expect(await titleOf(log)).toContain('ann@example.com on postgres (postgres)');
    await expect.poll(leftOver).toEqual([]);
  });

  it('holds all sessions of a run in the order of time, each line with its session', async () => {
    const { log, done } = await open({ kind: 'chain', correlationId: 'run-7' });
    await done;
    const entries = await log.read(0, 100);
    expect(entries).toHaveLength(13);
    expect(entries.map(({ event }) => event.at)).toEqual(entries.map(({ event }) => event.at).toSorted());
    expect(new Set(entries.map(({ source }) => source?.connection))).toEqual(new Set(['openai', 'postgres']));
    expect(log.index.total('statement')).toBe(2);
    const rows = (await windowRows(log, log.length - 1)).map(({ text }) => text);
    const place = (text: string): number => rows.findIndex((row) => row.includes(text));
    expect(place('user: which payments?')).toBeLessThan(place('SELECT * FROM payments'));
    expect(place('SELECT * FROM payments')).toBeLessThan(place('assistant: answer to'));
    expect(await titleOf(log)).toContain('run run-7');
  });

  it('tells of a session that is not there or not the caller’s', async () => {
    const { done } = await open({ kind: 'recording', place: { kind: 'session', id: sessionId() } });
    await expect(done).rejects.toMatchObject({ code: 'not_found' });
    await expect(
      open({ kind: 'recording', place: { kind: 'file', path: join(folder, 'nothing') } }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });
});
