import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Housekeeping } from '../../../src/recording/folder/housekeeping.js';
import type { HousekeepingOptions } from '../../../src/recording/folder/housekeeping.js';
import { generateRecordingKey, publicKeyOf } from '../../../src/recording/keys.js';
import { readRecording } from '../../../src/recording/reading/read.js';
import type { Recordings } from '../../../src/recording/recordings.js';
import { renderTombstone } from '../../../src/recording/folder/tombstone.js';
import { verifyFolder } from '../../../src/recording/proof/verify-folder.js';
import { Bench, DATE, END, sessionId, start, statement } from '../recorded-session.js';

let bench: Bench;
let recordings: Recordings;
let forgotten: [string, string][];
beforeEach(() => {
  bench = new Bench();
  recordings = bench.open();
  forgotten = [];
});
afterEach(async () => {
  await recordings.close();
  bench.remove();
});

/** Seals one session of about 20 KB. */
async function record(session = sessionId()): Promise<string> {
  const recorder = recordings.open(start(session));
  for (const event of statement(1, `SELECT '${'abc '.repeat(5000)}'`)) recorder.record(event);
  await recorder.seal(END);
  return session;
}

const run = async (options: Partial<HousekeepingOptions>): Promise<{ compressed: number; removed: number }> => {
  await recordings.checkpointed();
  const { dir, key, clock } = bench;
  const nothing = { compress: false, retentionMs: undefined, maxBytes: undefined };
  const onRemoved = (date: string, through: string): void => void forgotten.push([date, through]);
  const told = { onRemoved, onDone: () => undefined, onFault: () => undefined };
  return new Housekeeping({ dir, key, clock, ...nothing, ...told, ...options }).run();
};
const verify = () => verifyFolder(bench.dir, { keys: [publicKeyOf(bench.key)] });
const textOf = async (session: string): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readRecording(bench.path(session))) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const packed = (session: string): string => `${bench.path(session)}.br`;
const tombstone = (): string => join(bench.dir, DATE, 'tombstone');

describe('closed recordings that are compressed', () => {
  it('take a tenth of the room, read as before and hold', async () => {
    const session = await record();
    const before = readFileSync(bench.path(session), 'utf8');
    expect(await run({ compress: true })).toMatchObject({ compressed: 1 });
    expect(readdirSync(join(bench.dir, DATE))).not.toContain(`${session}.ndjson`);
    expect(statSync(packed(session)).size).toBeLessThan(before.length / 10);
    expect(await textOf(session)).toBe(before);
    expect(await verify()).toMatchObject({ ok: true, verified: 1, breaks: [] });
    expect(await run({ compress: true })).toMatchObject({ compressed: 0 });
  });

  it('leave those that are live, small or not listed as they are', async () => {
    const live = recordings.open(start());
    for (const event of statement(1, 'x'.repeat(10_000))) live.record(event);
    await live.flush();
    await bench.record(recordings);
    expect(await run({ compress: true })).toMatchObject({ compressed: 0 });
    await live.seal(END);
  });

  it.each([
    ['a byte turned', (bytes: Buffer) => bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] as number) ^ 0x10)],
    ['its end cut off', (bytes: Buffer) => bytes.subarray(0, -20)],
    ['bytes behind its end', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['other content', () => Buffer.from('no brotli at all')],
    ['emptied', () => Buffer.alloc(0)],
  ])('are found with %s', async (_name, change) => {
    const session = await record();
    await run({ compress: true });
    writeFileSync(packed(session), change(readFileSync(packed(session))));
    expect(await verify()).toMatchObject({ ok: false, verified: 0, breaks: [{ session }] });
  });

  it('hold with both files there, as a crash in between leaves them, and the next run mends it', async () => {
    const session = await record();
    const before = readFileSync(bench.path(session));
    await run({ compress: true });
    writeFileSync(bench.path(session), before, { mode: 0o600 });
    expect(await verify()).toMatchObject({ ok: true });
    expect(await run({ compress: true })).toMatchObject({ compressed: 1 });
    expect(await verify()).toMatchObject({ ok: true, verified: 1 });
  });
});

describe('retention', () => {
  it('by size removes the oldest, leaves a signed tombstone that verification understands, and tells the index', async () => {
    const [oldest, middle, youngest] = [await record(), await record(), await record()];
    const size = statSync(bench.path(oldest)).size;
    expect(await run({ maxBytes: 2 * size + 100 })).toMatchObject({ removed: 1 });
    expect(readdirSync(join(bench.dir, DATE)).filter((name) => name.endsWith('.ndjson'))).toEqual([
      `${middle}.ndjson`,
      `${youngest}.ndjson`,
    ]);
    expect(await verify()).toMatchObject({ ok: true, verified: 2, removed: 1, breaks: [] });
    expect(forgotten).toEqual([[DATE, oldest]]);
    expect(await run({ maxBytes: size + 100 })).toMatchObject({ removed: 1 });
    expect(JSON.parse(readFileSync(tombstone(), 'utf8'))).toMatchObject({
      removed: 2,
      through: middle,
      reason: 'size',
    });
    expect(await verify()).toMatchObject({ ok: true, verified: 1, removed: 2 });
  });

  it('by age removes what started before, compressed or not, and a start after it reports nothing', async () => {
    await record();
    await run({ compress: true });
    await record();
    const later = { nowMs: () => 1_790_000_000_000 + 90 * 86_400_000, timestamp: () => bench.clock.timestamp() };
    expect(await run({ clock: later, retentionMs: 100 * 86_400_000 })).toMatchObject({ removed: 0 });
    expect(await run({ clock: later, retentionMs: 80 * 86_400_000 })).toMatchObject({ removed: 2 });
    expect(await verify()).toMatchObject({ ok: true, verified: 0, removed: 2 });
    await recordings.close();
    recordings = bench.open();
    expect(await recordings.recover()).toEqual({ sealed: [], removed: [], unknown: [], broken: [] });
  });

  it('never removes a live session, nor those of its day that came after it', async () => {
    const before = await record();
    const live = recordings.open(start());
    await record();
    expect(await run({ maxBytes: 1 })).toMatchObject({ removed: 1 });
    expect(forgotten).toEqual([[DATE, before]]);
    await live.seal(END);
    await recordings.checkpointed();
    expect(await verify()).toMatchObject({ ok: true, verified: 2, removed: 1 });
  });

  it.each([
    ['a younger recording removed by hand', () => undefined, 'missing'],
    ['the tombstone removed', () => rmSync(tombstone()), 'missing'],
    [
      'the tombstone changed',
      () => writeFileSync(tombstone(), readFileSync(tombstone(), 'utf8').replace('size', 'sise')),
      'bad-signature',
    ],
    ['something behind the tombstone', () => appendFileSync(tombstone(), '{}\n'), 'tombstone'],
    [
      'a tombstone by another key',
      (session: string) =>
        writeFileSync(
          tombstone(),
          renderTombstone({ at: '2026', reason: 'age', removed: 2, through: session }, DATE, generateRecordingKey()),
        ),
      'another-key',
    ],
    [
      'the tombstone of another day',
      (session: string) =>
        writeFileSync(
          tombstone(),
          renderTombstone({ at: '2026', reason: 'age', removed: 2, through: session }, '2026-11-20', bench.key),
        ),
      'tombstone',
    ],
  ])('covers nothing with %s', async (_name, tamper, kind) => {
    const [oldest, younger] = [await record(), await record()];
    await run({ maxBytes: statSync(bench.path(oldest)).size + 100 });
    rmSync(bench.path(younger));
    tamper(younger);
    const result = await verify();
    expect(result.ok).toBe(false);
    expect(result.breaks.map((found) => found.kind)).toContain(kind);
  });
});
