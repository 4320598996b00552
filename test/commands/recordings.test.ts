import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { SessionStart } from '../../src/core/events.js';
import { generateRecordingKey, publicKeyOf } from '../../src/recording/keys.js';
import type { RecordingKey } from '../../src/recording/keys.js';
import { readRecording, recordingPath } from '../../src/recording/reading/read.js';
import type { Recordings } from '../../src/recording/recordings.js';
import { openStore } from '../../src/store/store.js';
import type { Store } from '../../src/store/store.js';
import { startAgent } from '../agent/http/agent.js';
import { Bench, DATE, END, sessionId, start, statement } from '../recording/recorded-session.js';
import { buildCli, runHoop } from '../support/built-cli.js';
import type { Finished } from '../support/built-cli.js';
import { makeFolder } from '../support/folders.js';

let bench: Bench;
let store: Store;
let recordings: Recordings;
let url: string;
let shown: RecordingKey;
let folder: string;

beforeAll(() => buildCli());
beforeEach(async () => {
  bench = new Bench();
  folder = makeFolder('recordings');
  store = openStore({ path: join(folder, 'hoop.db') });
  recordings = bench.open({ index: store.recordingIndex });
  shown = bench.key;
  const card = {
    version: '0.1.0',
    issuer: 'https://id.example.com',
    audience: 'hoop',
    clientId: 'hoop-cli',
    scopes: [],
  };
  ({ url } = await startAgent(
    {},
    {
      card: () => ({ ...card, recordingKeys: [publicKeyOf(shown)] }),
      sessions: {
        list: (filter) => store.sessions.list(filter),
        get: (id) => {
          const summary = store.sessions.get(id);
          return summary === undefined ? undefined : recordings.withLive(summary);
        },
      },
      openRecording: (session) => {
        const path = recordingPath(bench.dir, session.file);
        return Promise.resolve(existsSync(path) ? Readable.from(readRecording(path)) : undefined);
      },
    },
  ));
});
afterEach(async () => {
  await recordings.close();
  store.close();
  bench.remove();
});

const hoop = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  runHoop(args, { HOOP_CONFIG_DIR: join(folder, 'config'), HOOP_AGENT_URL: url, HOOP_TOKEN: 'audrey', ...env });

function live(session = sessionId()) {
  const recorder = recordings.open(start(session));
  for (const event of statement(1)) recorder.record(event);
  void recorder.flush();
  return recorder;
}

describe('hoop verify', () => {
  it('exits 0 for a session, a file and a folder that hold', async () => {
    const session = await bench.record(recordings);
    await recordings.close();
    const json = await hoop(['verify', session, bench.path(session), bench.dir, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      results: [
        { kind: 'session', events: 12, keyId: bench.key.keyId },
        { kind: 'file', events: 12 },
        { kind: 'folder', verified: 1, offline: false },
      ],
    });
    expect(json.status).toBe(0);
    const people = await hoop(['verify', session]);
    expect(people).toMatchObject({
      status: 0,
      stdout: `ok  ${session}  12 events hold, sealed by key ${bench.key.keyId}\n`,
    });
  });

  it('exits 1 and names the first event that does not hold', async () => {
    const session = await bench.record(recordings);
    bench.write(
      session,
      bench.lines(session).filter((_, index) => index !== 4),
    );
    const people = await hoop(['verify', session]);
    expect(people.status).toBe(1);
    expect(people.stdout).toContain(`removed  ${session}: event 5: event 5 is gone, 6 follows`);
    expect(people.stderr).toContain(`error: removed: ${session}, event 5`);
    const json = await hoop(['verify', session, '--json']);
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      error: { code: 'verify_failed' },
      results: [{ ok: false, events: 4, breaks: [{ kind: 'removed', seq: 5, line: 5 }] }],
    });
  });

  it('holds a live session whose head the agent confirms, and no other unsealed file', async () => {
    const recorder = live();
    const { session } = recorder;
    expect((await hoop(['verify', bench.path(session)])).stdout).toContain('4 events hold, still live');
    expect((await hoop(['verify', bench.dir])).stdout).toContain('1 recordings hold');
    bench.write(session, bench.lines(session).slice(0, 2));
    expect((await hoop(['verify', bench.path(session)])).stdout).toContain('truncated');
    await recorder.seal(END);
  });

  it('tells a session that a crash of the agent ended from one that somebody changed', async () => {
    const { session } = live();
    await recordings.close();
    writeFileSync(join(folder, 'agent.pub'), publicKeyOf(bench.key).publicKey);
    const unsealed = await hoop(['verify', bench.path(session), '--key', join(folder, 'agent.pub')]);
    expect(unsealed).toMatchObject({ status: 1 });
    expect(unsealed.stdout).toContain('unsealed');
    recordings = bench.open({ index: store.recordingIndex });
    expect((await recordings.recover()).sealed).toEqual([session]);
    await recordings.close();
    const people = await hoop(['verify', bench.dir]);
    expect(people.status).toBe(0);
    expect(people.stdout).toContain('1 recordings hold');
    expect(people.stdout).toMatch(
      new RegExp(
        `  crash  ${DATE}/${session}.ndjson: the agent crashed after the event of ${DATE}T\\S+Z; its next start`,
      ),
    );
    const json = JSON.parse((await hoop(['verify', session, '--json'])).stdout) as unknown;
    expect(json).toMatchObject({
      ok: true,
      results: [{ crashes: [{ session, lastEventAt: expect.stringMatching(/Z$/) }] }],
    });
    expect((await hoop(['sessions'])).stdout).toMatch(new RegExp(`${session}.* crash `));
    expect((await hoop(['replay', session, '--no-timing'])).stdout).toContain(
      'a crash of the agent, sealed at its next start: 1 statement',
    );
  });

  it('finds by the agent’s index what an offline check can not, and says so offline', async () => {
    await bench.record(recordings);
    await recordings.close();
    const older = [join(bench.dir, 'checkpoint'), join(bench.dir, DATE, 'checkpoint')].map(
      (path) => [path, readFileSync(path)] as const,
    );
    recordings = bench.open({ index: store.recordingIndex });
    const gone = await bench.record(recordings);
    await recordings.close();
    rmSync(bench.path(gone));
    for (const [path, bytes] of older) writeFileSync(path, bytes);
    writeFileSync(join(folder, 'agent.pub'), publicKeyOf(bench.key).publicKey);
    const offline = await hoop(['verify', bench.dir, '--key', join(folder, 'agent.pub')]);
    expect(offline).toMatchObject({ status: 0 });
    expect(offline.stderr).toContain('removal together with an older checkpoint can’t be seen');
    const online = await hoop(['verify', bench.dir]);
    expect(online.status).toBe(1);
    expect(online.stdout).toContain(`missing  ${DATE}/${gone}.ndjson`);
  });

  it('pins the agent’s key once seen, and trusts no other afterwards', async () => {
    const session = await bench.record(recordings);
    expect((await hoop(['verify', session])).status).toBe(0);
    shown = generateRecordingKey();
    const result = await hoop(['verify', session]);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain('the agent shows another recording key than before');
  });

  it('works without the agent by the pinned key, and says that it does', async () => {
    const session = await bench.record(recordings);
    await hoop(['verify', session]);
    await recordings.close();
    const config = join(folder, 'config', 'recording-keys.json');
    writeFileSync(config, readFileSync(config, 'utf8').replace(url, 'http://127.0.0.1:1'));
    const result = await hoop(['verify', bench.dir, bench.path(session)], { HOOP_AGENT_URL: 'http://127.0.0.1:1' });
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('verifying with the key that it showed before');
  });

  it('refuses a foreign key, a link, an unknown name, and to go without a key', async () => {
    const session = await bench.record(recordings);
    writeFileSync(join(folder, 'other.pub'), publicKeyOf(generateRecordingKey()).publicKey);
    expect((await hoop(['verify', bench.path(session), '--key', join(folder, 'other.pub')])).stdout).toContain(
      'another-key',
    );
    symlinkSync(bench.path(session), join(folder, 'link.ndjson'));
    expect((await hoop(['verify', join(folder, 'link.ndjson')])).stdout).toContain('linked');
    expect(await hoop(['verify', 'nothing'])).toMatchObject({ status: 1, stdout: '' });
    expect(await hoop(['verify', sessionId()])).toMatchObject({ status: 1 });
    const alone = await hoop(['verify', bench.path(session)], { HOOP_AGENT_URL: 'http://127.0.0.1:1' });
    expect(alone).toMatchObject({ status: 8, stdout: '', stderr: expect.stringMatching(/^do: .*--key FILE/m) });
    const keyless = await hoop(['verify', bench.path(session)], { HOOP_AGENT_URL: '' });
    expect(keyless.status).toBe(2);
    expect(keyless.stderr).toContain('--key FILE');
  });
});

describe('hoop replay', () => {
  it('prints a transcript of a session and of a file', async () => {
    const session = await bench.record(recordings);
    const [bySession, byFile] = [await hoop(['replay', session]), await hoop(['replay', bench.path(session)])];
    expect(bySession.stdout).toBe(byFile.stdout);
    expect(bySession.stdout).toContain('#2  ');
    expect(bySession.stdout).toContain('ended ');
    expect(bySession.status).toBe(0);
  });

  it('prints the events as one JSON array, an event a line', async () => {
    const session = await bench.record(recordings);
    for (const flag of ['--json', '--format=json']) {
      const { stdout } = await hoop(['replay', session, flag]);
      expect(JSON.parse(stdout)).toEqual(bench.lines(session).map((line) => JSON.parse(line) as unknown));
      expect(stdout.split('\n')).toHaveLength(12 + 3);
    }
  });

  it('refuses what makes no sense, and what nobody may read', async () => {
    const session = await bench.record(recordings);
    expect(await hoop(['replay', session, '--format', 'pdf'])).toMatchObject({ status: 2, stdout: '' });
    expect(await hoop(['replay', session], { HOOP_TOKEN: 'bob' })).toMatchObject({ status: 1, stdout: '' });
    const refused = await hoop(['sessions'], { HOOP_TOKEN: 'nobody' });
    expect(refused).toMatchObject({ status: 3, stdout: '' });
    expect(refused.stderr).toContain('do:    get a new token into HOOP_TOKEN, or unset it and run `hoop login`');
    expect((await hoop(['replay', bench.dir])).status).toBe(2);
    await recordings.close();
    const list = await hoop(['replay', join(bench.dir, 'checkpoint')]);
    expect(list).toMatchObject({ status: 2, stdout: '' });
    expect(list.stderr).toContain('what is no recording can not be replayed');
  });
});

describe('hoop replay --correlation-id', () => {
  const model = (session: string): SessionStart => ({
    ...start(session),
    connection: { name: 'openai', type: 'openai', labels: {} },
    correlationId: 'run-42',
  });

  /** A model call, and within it the statement it led to; another session of another run. */
  async function chain(): Promise<{ prompt: string; sql: string }> {
    const [prompt, sql, other] = [sessionId(), sessionId(), sessionId()];
    const call = recordings.open(model(prompt));
    call.record({
      type: 'request',
      statement: 1,
      method: 'POST',
      path: '/v1/chat/completions',
      text: 'which customers are new?',
      endpoint: 'chat.completions',
      model: 'gpt-4o',
    });
    call.record({ type: 'decision', statement: 1, action: 'allow', rules: [], policyHash: 'ab' });
    const database = recordings.open({ ...start(sql), correlationId: 'run-42' });
    for (const event of statement(1, 'SELECT * FROM customers')) database.record(event);
    call.record({ type: 'result', statement: 1, status: 200, toolCalls: ['query'], durationMs: 3 });
    await database.seal({ ...END, statements: 1 });
    await call.seal({ ...END, statements: 1 });
    await recordings.open({ ...start(other), correlationId: 'run-43' }).seal(END);
    return { prompt, sql };
  }

  it('shows the sessions of one run as one timeline: the prompt, then the statement it led to', async () => {
    const { prompt, sql } = await chain();
    const { status, stdout, stderr } = await hoop(['replay', '--correlation-id', 'run-42']);
    expect([status, stderr]).toEqual([0, '']);
    const place = (text: string): number => {
      const index = stdout.split('\n').findIndex((line) => line.includes(text));
      expect(index, `${text} in\n${stdout}`).toBeGreaterThanOrEqual(0);
      return index;
    };
    expect(place(prompt)).toBeLessThan(place('which customers are new?'));
    expect(place('which customers are new?')).toBeLessThan(place(sql));
    expect(place(sql)).toBeLessThan(place('SELECT * FROM customers'));
    const connectionOf = (text: string): string | undefined => stdout.split('\n')[place(text)]?.split(/ +/)[1];
    expect([connectionOf('which customers are new?'), connectionOf('SELECT * FROM')]).toEqual(['openai', 'postgres']);
    expect(stdout.split('\n').filter((line) => line.includes(`  ${sql.slice(-8)}  `)).length).toBeGreaterThan(3);
  });

  it('prints it as one JSON array with session, connection, type and event, in the order of time', async () => {
    const { prompt, sql } = await chain();
    const { stdout } = await hoop(['replay', '--correlation-id', 'run-42', '--json']);
    const items = JSON.parse(stdout) as { session: string; connection: string; event: { at: string; type: string } }[];
    expect(new Set(items.map(({ session }) => session))).toEqual(new Set([prompt, sql]));
    expect(items.map(({ event }) => event.at)).toEqual(items.map(({ event }) => event.at).toSorted());
    expect(items[0]).toMatchObject({ connection: 'openai', type: 'openai', event: { type: 'session.start' } });
    const own = items.filter(({ session }) => session === sql).map(({ event }) => event);
    expect(own).toEqual(bench.lines(sql).map((line) => JSON.parse(line) as unknown));
  });

  it('goes on without a recording that is gone, and says which', async () => {
    const { prompt, sql } = await chain();
    rmSync(bench.path(prompt));
    const { status, stdout, stderr } = await hoop(['replay', '--correlation-id', 'run-42']);
    expect(status).toBe(0);
    expect(stderr).toBe(`session ${prompt} has no recording any more\n`);
    expect(stdout).toContain(sql);
  });

  it('fails for an id that no session has, and for a session besides', async () => {
    const { sql } = await chain();
    const none = await hoop(['replay', '--correlation-id', 'run-44']);
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toContain('no session has this correlation id');
    expect((await hoop(['replay', sql, '--correlation-id', 'run-42'])).status).toBe(2);
    expect((await hoop(['replay'])).status).toBe(2);
  });

  it('lists the same sessions with hoop sessions', async () => {
    const { prompt, sql } = await chain();
    const { stdout } = await hoop(['sessions', '--correlation-id', 'run-42', '--json']);
    expect((JSON.parse(stdout) as { id: string }[]).map(({ id }) => id).toSorted()).toEqual([prompt, sql].toSorted());
  });
});

describe('hoop sessions', () => {
  it('lists newest first and searches by user, text, block and time', async () => {
    const first = await bench.record(recordings);
    const second = sessionId();
    const recorder = recordings.open(start(second));
    for (const event of statement(1, 'DELETE FROM customers', 'block')) recorder.record(event);
    await recorder.seal({ ...END, statements: 1, blocked: 1 });
    const ids = async (...flags: string[]): Promise<string[]> =>
      (JSON.parse((await hoop(['sessions', '--json', ...flags])).stdout) as { id: string }[]).map(({ id }) => id);
    expect(await ids()).toEqual([second, first]);
    expect(await ids('--blocked')).toEqual([second]);
    expect(await ids('--text', 'customers delete')).toEqual([second]);
    expect(await ids('--user', 'ann@example.com', '--limit', '1')).toEqual([second]);
    expect(await ids('--user', 'nobody')).toEqual([]);
    expect(await ids('--until', DATE)).toEqual([]);
    expect(await ids('--since', DATE)).toHaveLength(2);
    const table = await hoop(['sessions']);
    expect(table.stdout.split('\n')[0]).toMatch(
      /^SESSION +STARTED +LASTED +USER +CONNECTION +STATEMENTS +BLOCKED +APPROVALS +TITLE$/,
    );
    expect((await hoop(['sessions', '--since', 'yesterday'])).status).toBe(2);
  });
});
