import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { RecordedEvent } from '../../src/core/events.js';
import type { SessionSummary } from '../../src/core/session-summary.js';
import { publicKeyOf } from '../../src/recording/keys.js';
import { readRecording } from '../../src/recording/reading/read.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { verifyRecording } from '../../src/recording/proof/verify.js';
import { Bench, DATE, END, sessionId, start, statement } from './recorded-session.js';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

const verify = (session: string) =>
  verifyRecording(readRecording(bench.path(session)), { keys: [publicKeyOf(bench.key)], session, date: DATE });
const types = (session: string): string[] =>
  bench.lines(session).map((line) => (JSON.parse(line) as { type: string }).type);

describe('a session that is recorded', () => {
  it('is a 0600 file in a 0700 folder with its first event before open returns', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open(start(session));
    expect(types(session)).toEqual(['session.start']);
    expect(statSync(bench.path(session)).mode & 0o777).toBe(0o600);
    for (const folder of [bench.dir, join(bench.dir, DATE)]) expect(statSync(folder).mode & 0o777).toBe(0o700);
    await recorder.seal(END);
    await recordings.close();
  });

  it('is listed with what was counted so far, and start-up settings are no statement and no title', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open(start(session));
    const listed = bench.index.opened.get(session) as SessionSummary;
    for (const event of statement(0, 'application_name = psql')) recorder.record(event);
    await recorder.flush();
    expect(recordings.withLive(listed)).toMatchObject({ statements: 0, title: 'application_name = psql' });
    for (const event of statement(1, 'DELETE FROM x', 'block')) recorder.record(event);
    await recorder.flush();
    const counts = { statements: 1, blocked: 1, title: 'DELETE FROM x' };
    expect(recordings.withLive(listed)).toMatchObject({ ...counts, endedAt: '' });
    await recorder.seal(END);
    expect(bench.index.sealed.get(session)).toMatchObject(counts);
    await recordings.close();
  });

  it('is in the kernel after flush, and buffered before', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open(start(session));
    for (const event of statement(1)) recorder.record(event);
    expect(types(session)).toEqual(['session.start']);
    expect(recorder.flush()).toBeUndefined();
    expect(types(session)).toEqual(['session.start', 'statement', 'decision', 'result']);
    expect(recordings.live(session)).toEqual({
      seq: 4,
      head: (JSON.parse(bench.lines(session)[3] as string) as { hash: string }).hash,
    });
    await recorder.seal(END);
    expect(recordings.live(session)).toBeUndefined();
    await recordings.close();
  });

  it('holds, sealed, with durability flush and sync', async () => {
    for (const durability of ['flush', 'sync'] as const) {
      const recordings = bench.open({ durability });
      const session = sessionId();
      const recorder = recordings.open(start(session));
      for (const event of statement(1)) recorder.record(event);
      await Promise.all([recorder.flush(), recorder.flush(), recorder.flush()]);
      await recorder.seal(END);
      expect(await verify(session)).toMatchObject({ ok: true, session, events: 6, keyId: bench.key.keyId });
      await recordings.close();
    }
  });

  it('tells the index who, what and how it ended', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open({ ...start(session), correlationId: 'run-7' });
    for (const event of [...statement(1), ...statement(2, 'DELETE FROM customers', 'block'), ...statement(3)])
      recorder.record(event);
    recorder.record({ type: 'approval.requested', statement: 4, request: sessionId(), flow: 'dba' });
    await recorder.seal(END);
    expect(bench.index.opened.get(session)).toMatchObject({
      subject: 'u-1',
      connection: 'postgres',
      correlationId: 'run-7',
      endedAt: '',
      head: '',
    });
    const head = (JSON.parse(bench.lines(session).at(-1) as string) as { hash: string }).hash;
    expect(bench.index.sealed.get(session)).toMatchObject({
      statements: 3,
      blocked: 1,
      approvals: 1,
      events: 13,
      head,
      file: `${DATE}/${session}.ndjson`,
    });
    expect(bench.index.rows).toMatchObject([
      { text: 'SELECT 1' },
      { text: 'DELETE FROM customers', action: 'block', rules: ['standard/where'] },
      { text: 'SELECT 3' },
    ]);
    await recordings.close();
  });

  it('tells the index 1 statement where the same is run 1,000 times', async () => {
    const recordings = bench.open();
    const recorder = recordings.open(start());
    for (let number = 1; number <= 1000; number += 1)
      for (const event of statement(number, 'SELECT now()')) recorder.record(event);
    await recorder.seal(END);
    expect(bench.index.rows).toHaveLength(1);
    await recordings.close();
  });

  it('goes on when the index throws, and tells it', async () => {
    const index = {
      ...bench.index,
      sessionOpened: () => {
        throw new Error('locked');
      },
      sessionSealed: () => undefined,
      statementsSeen: () => undefined,
      flush: () => undefined,
    };
    const recordings = bench.open({ index });
    const session = await bench.record(recordings);
    expect(await verify(session)).toMatchObject({ ok: true });
    expect(bench.faults).toEqual([{ code: 'failed', message: 'the index of sessions can not be written' }]);
    await recordings.close();
  });

  it('writes a lone surrogate and every control character so that the file holds', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open(start(session));
    const text = `${String.fromCharCode(...Array.from({ length: 0xa0 }, (_, code) => code))}\ud800\u2028\ufeff😀`;
    for (const event of statement(1, text)) recorder.record(event);
    await recorder.seal(END);
    expect(await verify(session)).toMatchObject({ ok: true });
    expect((JSON.parse(bench.lines(session)[1] as string) as { text: string }).text).toBe(
      text.replace('\ud800', '\ufffd'),
    );
    await recordings.close();
  });
});

describe('a session whose file is made before it begins', () => {
  it('is empty until it begins; its first event is written then, with the time at which the place was made', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const place = await recordings.place(session);
    expect(readFileSync(bench.path(session), 'utf8')).toBe('');
    expect(statSync(bench.path(session)).mode & 0o777).toBe(0o600);
    const recorder = recordings.open(start(session), place);
    expect(types(session)).toEqual(['session.start']);
    expect((JSON.parse(bench.lines(session)[0] as string) as { at: string }).at).toBe(place.at);
    place.leave();
    for (const event of statement(1)) recorder.record(event);
    await recorder.seal(END);
    expect(await verify(session)).toMatchObject({ ok: true });
    await recordings.close();
  });

  it('leaves nothing where it does not begin, and is nobody else’s place', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const place = await recordings.place(session);
    expect(() => recordings.open(start(), place)).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    expect(existsSync(bench.path(session))).toBe(true);
    place.leave();
    place.leave();
    expect(readdirSync(join(bench.dir, DATE)).filter((name) => name.endsWith('.ndjson'))).toEqual([]);
    expect(() => recordings.open(start(session), place)).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    await recordings.close();
  });

  it('has no place over a file or a link, in a linked day, or with an id that is no UUIDv7', async () => {
    const recordings = bench.open();
    const refused = expect.objectContaining({ code: 'recording_failed' });
    const session = await bench.record(recordings);
    const before = readFileSync(bench.path(session), 'utf8');
    await expect(recordings.place(session)).rejects.toThrow(refused);
    expect(readFileSync(bench.path(session), 'utf8')).toBe(before);
    const linked = sessionId();
    symlinkSync(join(bench.dir, 'elsewhere'), bench.path(linked));
    await expect(recordings.place(linked)).rejects.toThrow(refused);
    expect(existsSync(join(bench.dir, 'elsewhere'))).toBe(false);
    await expect(recordings.place('../../etc/passwd')).rejects.toThrow(refused);
    await recordings.close();
  });
});

describe('a session that can not be recorded', () => {
  it('does not start with an id that is no UUIDv7', async () => {
    const recordings = bench.open();
    for (const session of ['../../etc/passwd', '', 'x', '00000000-0000-4000-8000-000000000000']) {
      expect(() => recordings.open(start(session))).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    }
    await recordings.close();
  });

  it('does not start twice, nor over a link, nor in a linked day', async () => {
    const recordings = bench.open();
    const session = await bench.record(recordings);
    const before = readFileSync(bench.path(session), 'utf8');
    expect(() => recordings.open(start(session))).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    expect(readFileSync(bench.path(session), 'utf8')).toBe(before);
    const linked = sessionId();
    symlinkSync(join(bench.dir, 'elsewhere'), bench.path(linked));
    expect(() => recordings.open(start(linked))).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    expect(existsSync(join(bench.dir, 'elsewhere'))).toBe(false);
    await recordings.close();
    rmSync(join(bench.dir, DATE), { recursive: true });
    mkdirSync(join(bench.dir, 'real'));
    symlinkSync(join(bench.dir, 'real'), join(bench.dir, DATE));
    const again = bench.open();
    expect(() => again.open(start())).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    await again.close();
  });

  it('fails for good at an event without a JSON form, is sealed as a fault, and still holds', async () => {
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open(start(session));
    for (const event of statement(1)) recorder.record(event);
    void recorder.flush();
    const failure = expect.objectContaining({ code: 'recording_failed' }) as Error;
    recorder.record({ type: 'result', statement: 1, durationMs: NaN });
    expect(() => recorder.flush()).toThrow(failure);
    expect(() => recorder.record(statement(2)[0] as RecordedEvent)).toThrow(failure);
    expect(() => recorder.flush()).toThrow(failure);
    expect(bench.faults).toMatchObject([{ code: 'recording_failed', session }]);
    await recorder.seal(END);
    expect(types(session)).toEqual(['session.start', 'statement', 'decision', 'result', 'session.end', 'seal']);
    expect(JSON.parse(bench.lines(session)[4] as string)).toMatchObject({ reason: 'fault' });
    expect(await verify(session)).toMatchObject({ ok: true });
    await recordings.close();
  });

  it('refuses an event of more than 32 MiB', async () => {
    const recordings = bench.open();
    const recorder = recordings.open(start());
    recorder.record({ type: 'statement', statement: 1, text: 'x'.repeat(33 * 1024 * 1024), via: 'query' });
    expect(() => recorder.flush()).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    await recorder.seal(END);
    await recordings.close();
  });

  it('does not go on after its seal', async () => {
    const recordings = bench.open();
    const recorder = recordings.open(start());
    await recorder.seal(END);
    expect(() => recorder.record(statement(1)[0] as RecordedEvent)).toThrow(
      expect.objectContaining({ code: 'recording_failed' }),
    );
    await expect(recorder.seal(END)).rejects.toMatchObject({ code: 'recording_failed' });
    await recordings.close();
  });
});

describe('the recordings folder', () => {
  it('is refused to a second agent, and free after close', async () => {
    const recordings = bench.open();
    expect(() => bench.open()).toThrow(
      expect.objectContaining({
        code: 'recording_failed',
        message: 'the recordings folder is in use by another agent',
      }),
    );
    expect(recordings.writable()).toBe(true);
    await recordings.close();
    await bench.open().close();
    expect(readdirSync(bench.dir)).not.toContain('.lock');
  });

  it('is taken over from a process that is gone, from one with another start, and from a torn lock', async () => {
    mkdirSync(bench.dir);
    const stale = [
      { pid: 2 ** 22 - 1, started: 'boot/1' },
      { pid: process.pid, started: 'boot/1' },
    ].map((owner) => JSON.stringify(owner));
    for (const text of [...stale, '{"pi', '']) {
      writeFileSync(join(bench.dir, '.lock'), text);
      await bench.open().close();
    }
  });

  it('lists what was sealed in checkpoints that hold, whatever the number of starts', async () => {
    for (let run = 0; run < 3; run += 1) {
      const recordings = bench.open();
      await recordings.recover();
      await bench.record(recordings);
      await bench.record(recordings);
      await recordings.close();
    }
    expect(await verifyFolder(bench.dir, { keys: [publicKeyOf(bench.key)] })).toMatchObject({ ok: true, verified: 6 });
    expect(lstatSync(join(bench.dir, DATE, 'checkpoint')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(bench.dir, DATE)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('lists a session only once the index has it on disk', async () => {
    const listed = (): string[] =>
      readFileSync(join(bench.dir, DATE, 'checkpoint'), 'utf8').match(/(?<="session":")[^"]*/g) ?? [];
    let drained: (() => void) | undefined;
    const index = Object.assign(bench.index, { drain: () => new Promise<void>((resolve) => (drained = resolve)) });
    const recordings = bench.open({ index });
    const first = await bench.record(recordings);
    while (drained === undefined) await new Promise((resolve) => setImmediate(resolve));
    // Sealed while the index is on its way to the disk: only the next checkpoint may list it.
    const second = await bench.record(recordings);
    const finish = drained;
    drained = undefined;
    finish();
    const closed = recordings.close();
    while (drained === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(listed()).toEqual([first]);
    (drained as () => void)();
    await closed;
    expect(listed()).toEqual([first, second]);
  });

  it('keeps what earlier runs listed when nobody recovers', async () => {
    for (let run = 0; run < 2; run += 1) {
      const recordings = bench.open();
      await bench.record(recordings);
      await recordings.close();
    }
    expect(await verifyFolder(bench.dir, { keys: [publicKeyOf(bench.key)] })).toMatchObject({ ok: true, verified: 2 });
  });

  it('says that it is not writable', async () => {
    const recordings = bench.open();
    mkdirSync(join(bench.dir, '.probe'));
    expect(recordings.writable()).toBe(false);
    rmSync(join(bench.dir, '.probe'), { recursive: true });
    expect(recordings.writable()).toBe(true);
    writeFileSync(join(bench.dir, DATE), '');
    expect(() => recordings.open(start())).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    await recordings.close();
  });
});
