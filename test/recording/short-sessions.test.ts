import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readCheckpoint, SEGMENT_SESSIONS } from '../../src/recording/folder/checkpoint.js';
import { exportRecordingKey, publicKeyOf, SignatureChecker } from '../../src/recording/keys.js';
import { readRecording } from '../../src/recording/reading/read.js';
import type { SessionRecorder } from '../../src/recording/writing/recorder.js';
import type { Recordings } from '../../src/recording/recordings.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { verifyRecording } from '../../src/recording/proof/verify.js';
import { Bench, DATE, END, inPieces, request, sessionId, start } from './recorded-session.js';

const WRITER = fileURLToPath(new URL('short-sessions-process.ts', import.meta.url));

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

const day = (name: string): string => join(bench.dir, DATE, name);
const verifyDays = () => verifyFolder(bench.dir, { keys: [publicKeyOf(bench.key)] });
const types = (session: string): string[] =>
  bench.lines(session).map((line) => (JSON.parse(line) as { type: string }).type);

/** `flush` fails at once or later, as the file's making does. */
const flushed = async (recorder: SessionRecorder): Promise<void> => recorder.flush();

describe('a session that is first written at its first flush', () => {
  it('is empty before, and not told to the index; its first flush writes 3 events', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open(start(session), 'at-flush');
    const [asked, decided, result, output] = request('hello');
    recorder.record(asked);
    recorder.record(decided);
    expect(existsSync(bench.path(session)) ? readFileSync(bench.path(session), 'utf8') : '').toBe('');
    expect(bench.index.opened.has(session)).toBe(false);
    await recorder.flush();
    expect(types(session)).toEqual(['session.start', 'request', 'decision']);
    expect(bench.index.opened.get(session)).toMatchObject({
      statements: 1,
      title: 'chat.completions gpt-4o-mini',
      head: '',
    });
    recorder.record(result);
    recorder.record(output);
    await recorder.seal(END);
    await recordings.close();
    const keys = [publicKeyOf(bench.key)];
    expect(await verifyRecording(readRecording(bench.path(session)), { keys, session, date: DATE })).toMatchObject({
      ok: true,
      events: 7,
    });
    expect(bench.index.rows).toMatchObject([{ text: 'gpt-4o-mini hello', action: 'allow', statement: 1 }]);
  });

  it('is written by its seal when nobody flushed it', async () => {
    const recordings = bench.open();
    const session = sessionId();
    await recordings.open(start(session), 'at-flush').seal({ ...END, reason: 'fault', statements: 0 });
    expect(types(session)).toEqual(['session.start', 'session.end', 'seal']);
    await recordings.close();
    expect(await verifyDays()).toMatchObject({ ok: true, verified: 1 });
  });

  it('fails at its flush where the folder can not be written, and is sealed as a fault once it can', async () => {
    const recordings = bench.open();
    writeFileSync(day(''), '');
    const session = sessionId();
    const recorder = recordings.open(start(session), 'at-flush');
    recorder.record(request('hello')[0]);
    await expect(flushed(recorder)).rejects.toMatchObject({ code: 'recording_failed' });
    expect(bench.faults).toMatchObject([{ code: 'recording_failed', session }]);
    rmSync(day(''));
    await recorder.seal(END);
    expect(types(session)).toEqual(['session.start', 'session.end', 'seal']);
    expect(JSON.parse(bench.lines(session)[1] as string)).toMatchObject({ reason: 'fault' });
    await recordings.close();
    expect(await verifyDays()).toMatchObject({ ok: true, verified: 1 });
  });

  it('leaves a file of the same name as it is', async () => {
    const recordings = bench.open();
    const session = await bench.record(recordings);
    const before = readFileSync(bench.path(session), 'utf8');
    const recorder = recordings.open(start(session), 'at-flush');
    await expect(flushed(recorder)).rejects.toMatchObject({ code: 'recording_failed' });
    await expect(recorder.seal(END)).rejects.toMatchObject({ code: 'recording_failed' });
    expect(readFileSync(bench.path(session), 'utf8')).toBe(before);
    await recordings.close();
  });

  it('is listed though close follows at once, before its signature is made', async () => {
    const recordings = bench.open();
    const sealed = Array.from({ length: 40 }, () => recordings.open(start(), 'at-flush').seal(END));
    await recordings.close();
    await Promise.all(sealed);
    expect(await verifyDays()).toMatchObject({ ok: true, verified: 40 });
  });
});

async function seal(recordings: Recordings, count: number): Promise<string[]> {
  const sessions: string[] = [];
  for (let done = 0; done < count; done += 100) {
    await Promise.all(
      Array.from({ length: 100 }, () => {
        const session = sessionId();
        sessions.push(session);
        return recordings.open(start(session), 'at-flush').seal(END);
      }),
    );
  }
  return sessions;
}

/** @returns `holds`, or what is wrong with the checkpoint and its parts */
async function proven(checkpoint: string, parts: readonly string[]): Promise<string> {
  const keys = new SignatureChecker([publicKeyOf(bench.key)]);
  const result = await readCheckpoint(inPieces(checkpoint), DATE, keys, (part) => {
    const text = parts[part - 1];
    if (text === undefined) throw new Error('no such file');
    return inPieces(text);
  });
  return result.ok ? 'holds' : result.break.message;
}

describe(`a day of more than ${String(2 * SEGMENT_SESSIONS)} sessions`, () => {
  it('is listed in parts that are written once, holds over restarts, and nothing can be taken out of it', async () => {
    const first = bench.open();
    await first.recover();
    const sessions = await seal(first, 2 * SEGMENT_SESSIONS + 100);
    await first.close();
    const parts = ['checkpoint.1', 'checkpoint.2'];
    const names = (): string[] => readdirSync(day('')).filter((name) => name.startsWith('checkpoint'));
    expect(names().sort()).toEqual(['checkpoint', ...parts]);
    const texts = new Map(['checkpoint', ...parts].map((name) => [name, readFileSync(day(name), 'utf8')]));
    expect((texts.get('checkpoint') ?? '').trimEnd().split('\n')).toHaveLength(2 + 100 + 1);
    const total = sessions.length;
    expect(await verifyDays()).toMatchObject({ ok: true, verified: total });

    // A start that recovers and one that does not go on where the last ended.
    for (const recovers of [true, false]) {
      const next = bench.open();
      if (recovers) expect(await next.recover()).toEqual({ sealed: [], removed: [], unknown: [], broken: [] });
      await seal(next, 100);
      await next.close();
    }
    expect(await verifyDays()).toMatchObject({ ok: true, verified: total + 200 });
    for (const name of parts) expect(readFileSync(day(name), 'utf8')).toBe(texts.get(name));

    const newest = readFileSync(day('checkpoint'), 'utf8');
    const one = texts.get('checkpoint.1') ?? '';
    const two = texts.get('checkpoint.2') ?? '';
    expect(await proven(newest, [one, two])).toBe('holds');
    expect(await proven(newest, [one])).toMatch(/has a part, checkpoint\.2, that is gone/);
    expect(await proven(newest, [one.slice(one.indexOf('\n') + 1), two])).toMatch(/checkpoint\.1, that was changed/);
    expect(await proven(newest, [one.slice(0, -1), two])).toMatch(/checkpoint\.1, that was changed/);
    expect(await proven(newest, [two, one])).toMatch(/checkpoint\.1, that was changed/);
    expect(await proven(newest, [one, one])).toMatch(/checkpoint\.2, that lists a session twice/);
    expect(await proven(newest.slice(newest.indexOf('\n') + 1), [one, two])).toMatch(/was changed/);

    const found = async (does: () => void, kind: string, undo: () => void): Promise<void> => {
      does();
      expect((await verifyDays()).breaks[0]).toMatchObject({ kind });
      undo();
    };
    await found(
      () => writeFileSync(day('checkpoint.7'), one),
      'unlisted',
      () => rmSync(day('checkpoint.7')),
    );
    const gone = bench.path(sessions[0] as string);
    const kept = readFileSync(gone);
    await found(
      () => rmSync(gone),
      'missing',
      () => writeFileSync(gone, kept),
    );
    // An older checkpoint of the day: the one of the whole folder lists more.
    await found(
      () => writeFileSync(day('checkpoint'), texts.get('checkpoint') ?? ''),
      'unlisted',
      () => writeFileSync(day('checkpoint'), newest),
    );
    expect(await verifyDays()).toMatchObject({ ok: true });
  }, 60_000);
});

describe('a writer of many short sessions that is killed with SIGKILL', () => {
  it.each([
    ['flush', 1],
    ['flush', 700],
    ['sync', 40],
  ])(
    'durability %s, after request %d: none acknowledged is missing, and all hold after the next start',
    async (durability, killAt) => {
      const key = Buffer.from(exportRecordingKey(bench.key)).toString('base64');
      const child = spawn(process.execPath, ['--import', 'tsx', WRITER, bench.dir, durability, key], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const closed = new Promise((resolve) => child.on('close', (_code, signal) => resolve(signal)));
      const acknowledged = new Map<string, string>();
      for await (const line of createInterface({ input: child.stdout })) {
        expect(line).not.toContain('fault');
        const [number = '', session = ''] = line.split(' ');
        acknowledged.set(session, number);
        if (acknowledged.size === killAt) child.kill('SIGKILL');
      }
      expect(await closed).toBe('SIGKILL');
      expect(acknowledged.size).toBeGreaterThanOrEqual(killAt);

      const recordings = bench.open();
      const report = await recordings.recover();
      await recordings.close();
      expect(report.broken).toEqual([]);
      for (const [session, number] of acknowledged) {
        const lines = bench.lines(session);
        expect(lines[1]).toContain(`"text":"prompt ${number}","type":"request"`);
        expect(lines[2]).toContain('"type":"decision"');
        expect(lines.at(-1)).toContain('"type":"seal"');
      }
      const folder = await verifyDays();
      expect(folder.breaks).toEqual([]);
      expect(folder.verified).toBeGreaterThanOrEqual(acknowledged.size);
    },
    60_000,
  );
});
