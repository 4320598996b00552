import { appendFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BlockIndex } from '../../src/recording/replay/block-index.js';
import { parseEntry } from '../../src/recording/replay/entry.js';
import { IndexCache } from '../../src/recording/replay/index-cache.js';
import { ReplayLog } from '../../src/recording/replay/log.js';
import { makeFolder } from '../support/folders.js';

let folder: string;
let path: string;
const open_: ReplayLog[] = [];
beforeEach(() => {
  folder = makeFolder('log');
  path = join(folder, 'recording.ndjson');
});
afterEach(async () => {
  await Promise.all(open_.splice(0).map((log) => log.close()));
});

const START_MS = Date.parse('2026-11-21T04:30:44Z');
const at = (number: number): string => new Date(START_MS + number * 10).toISOString().replace('Z', '000Z');

/** A line with its members in canonical order. Every hundredth is a block, every thousandth an approval, others statements. */
function line(number: number, padding = 120): string {
  const link = { hash: 'a'.repeat(64), prev: 'b'.repeat(64) };
  const seq = number + 1;
  if (number % 1000 === 999) {
    return JSON.stringify({
      at: at(number),
      ...link,
      outcome: 'approved',
      seq,
      statement: 1,
      type: 'approval.resolved',
    });
  }
  if (number % 100 === 50) {
    const { hash, prev } = link;
    return JSON.stringify({
      action: 'block',
      at: at(number),
      hash,
      policyHash: '',
      prev,
      rules: [],
      seq,
      type: 'decision',
    });
  }
  const text = `${'x'.repeat(padding)} "type":"decision" {"action":"block"`;
  return JSON.stringify({ at: at(number), ...link, seq, statement: 1, text, type: 'statement', via: 'query' });
}

const COUNT = 5000;
async function logOf(text: string, index?: BlockIndex): Promise<ReplayLog> {
  writeFileSync(path, text);
  const log = new ReplayLog(await open(path), index);
  open_.push(log);
  await log.extend();
  return log;
}

const whole = (): string => Array.from({ length: COUNT }, (_, number) => `${line(number)}\n`).join('');
const isBlock = ({ event }: { event: { type: string } }): boolean => event.type === 'decision';

describe('a recording looked at anywhere', () => {
  it('finds each event by its number and by its time, in blocks of about 64 KiB', async () => {
    const log = await logOf(whole());
    expect(log.length).toBe(COUNT);
    expect(log.index.length).toBeGreaterThan(15);
    expect([log.startMs, log.endMs]).toEqual([START_MS, START_MS + (COUNT - 1) * 10]);
    for (const number of [0, 1, 217, 218, 2500, COUNT - 1]) {
      expect((await log.entry(number))?.event.seq).toBe(number + 1);
      expect(await log.eventAt(START_MS + number * 10)).toBe(number);
      expect(await log.eventAt(START_MS + number * 10 + 9.9)).toBe(number);
    }
    expect(await log.eventAt(0)).toBe(0);
    expect(await log.entry(COUNT)).toBeUndefined();
    expect((await log.read(200, 300)).map(({ event }) => event.seq)).toEqual(
      Array.from({ length: 300 }, (_, number) => number + 201),
    );
  });

  it('counts and finds what was blocked and approved, whatever texts say', async () => {
    const log = await logOf(whole());
    expect([log.index.total('blocked'), log.index.total('approval')]).toEqual([50, 5]);
    expect(log.index.total('statement')).toBe(COUNT - 55);
    expect(await log.find(0, 1, isBlock, { landmark: 'blocked' })).toBe(50);
    expect(await log.find(50, 1, isBlock, { landmark: 'blocked' })).toBe(150);
    expect(await log.find(150, -1, isBlock, { landmark: 'blocked' })).toBe(50);
    expect(await log.find(50, -1, isBlock, { landmark: 'blocked' })).toBeUndefined();
    expect(await log.find(0, 1, ({ event }) => event.type.startsWith('approval'), { landmark: 'approval' })).toBe(999);
  });

  it('takes in what is added, and a line only once it is whole', async () => {
    const log = await logOf(`${line(0)}\n${line(1)}\n${line(2).slice(0, 40)}`);
    expect(log.length).toBe(2);
    appendFileSync(path, `${line(2).slice(40)}\n${line(3)}\n`);
    await log.extend();
    expect(log.length).toBe(4);
    expect((await log.read(0, 10)).map(({ event }) => event.seq)).toEqual([1, 2, 3, 4]);
    expect(log.endMs).toBe(START_MS + 30);
  });

  it('refuses a line that is no event, and a file that became shorter', async () => {
    await expect(logOf(`${line(0)}\nno event\n`)).rejects.toThrow('no event');
    const other = await logOf(whole());
    truncateSync(path, 100_000);
    await expect(other.entry(COUNT - 100)).rejects.toThrow('became shorter');
  });

  it('follows time that goes on, where the clock of the agent went back', async () => {
    const lines = [0, 5, 3, 1].map((number, place) => line(number, 70_000).replace(/"seq":\d+/, `"seq":${place + 1}`));
    const log = await logOf(`${lines.join('\n')}\n`);
    expect(log.index.length).toBe(4);
    expect([0, 1, 2, 3].map((block) => log.index.startMs(block) - START_MS)).toEqual([0, 50, 50, 50]);
    expect(log.endMs).toBe(START_MS + 50);
  });
});

describe('the kept index', () => {
  it('is that of the very file, and only while it is as it was', async () => {
    const log = await logOf(whole().repeat(20));
    const cache = new IndexCache(join(folder, 'kept'));
    const stats = await stat(path, { bigint: true });
    await cache.save(path, stats, log.index);
    const kept = await cache.load(path, stats);
    expect(kept?.save()).toEqual(log.index.save());
    expect(statSync(join(folder, 'kept')).mode & 0o777).toBe(0o700);
    const again = new ReplayLog(await open(path), kept);
    open_.push(again);
    await again.extend();
    expect(again.length).toBe(log.length);
    expect((await again.entry(70_000))?.event).toEqual((await log.entry(70_000))?.event);
    appendFileSync(path, `${line(0)}\n`);
    expect(await cache.load(path, await stat(path, { bigint: true }))).toBeUndefined();
  });

  it('is not kept of small files, and nothing comes of one that is damaged', async () => {
    const log = await logOf(whole());
    const cache = new IndexCache(join(folder, 'kept'));
    const stats = await stat(path, { bigint: true });
    await cache.save(path, stats, log.index);
    expect(await cache.load(path, stats)).toBeUndefined();
    expect(BlockIndex.load(new Float64Array(7))).toBeUndefined();
    expect(BlockIndex.load(Float64Array.from([9, 9, 9, 9, 9, 9, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4]))).toBeUndefined();
  });
});

describe('an entry', () => {
  it('is an event, or one with its source, and nothing else', () => {
    const event = JSON.parse(line(0)) as unknown;
    const source = { session: 's', connection: 'c', type: 'postgres' };
    expect(parseEntry(Buffer.from(JSON.stringify({ ...source, event })))).toEqual({ source, event });
    for (const text of ['', '1', '{}', '[]', JSON.stringify({ event }), '{"seq":1}']) {
      expect(() => parseEntry(Buffer.from(text))).toThrow('no event');
    }
  });
});
