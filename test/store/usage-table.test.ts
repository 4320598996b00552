import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { closeDatabase, openDatabase } from '../../src/store/database.js';
import { UsageTable } from '../../src/store/usage-table.js';
import { makeFolder } from '../support/folders.js';

const START_MS = Date.UTC(2026, 10, 21);
const HOUR_MS = 3_600_000;
const span = (key: string, endsMs = START_MS + HOUR_MS) => ({ key, span: 'day', endsMs });
const one = { requests: 1, tokens: 10, usd: 0.25 };

let folder = '';
let database: DatabaseSyncInstance;
let table: UsageTable;
let nowMs = START_MS;
let faults = 0;

beforeEach(() => {
  vi.useFakeTimers();
  folder = makeFolder('usage-table');
  database = openDatabase(join(folder, 'hoop.db'));
  nowMs = START_MS;
  faults = 0;
  table = new UsageTable(
    database,
    () => (faults += 1),
    () => nowMs,
  );
});
afterEach(() => {
  vi.useRealTimers();
  if (database.isOpen) closeDatabase(database);
});

/** What another agent would find if this one were gone now. */
function afterCrash(key: string): unknown {
  for (const end of ['', '-wal']) copyFileSync(join(folder, `hoop.db${end}`), join(folder, `crash.db${end}`));
  const copy = openDatabase(join(folder, 'crash.db'));
  const found = {
    ...new UsageTable(
      copy,
      () => undefined,
      () => nowMs,
    ).read(span(key)),
  };
  closeDatabase(copy);
  return found;
}
const rows = (): number => (database.prepare('SELECT count(*) AS rows FROM usage').get() as { rows: number }).rows;

describe('the table of usage', () => {
  it('has on disk after 250 ms what was counted, however often it was', () => {
    for (let times = 0; times < 100; times += 1) table.add(span('a'), one);
    expect(afterCrash('a')).toMatchObject({ requests: 0 });
    vi.advanceTimersByTime(250);
    expect(afterCrash('a')).toMatchObject({ requests: 100, tokens: 1_000, usd: 25 });
  });

  it('tells counters apart by key, span and end', () => {
    table.add(span('a'), one);
    table.add({ ...span('a'), span: 'month' }, { ...one, requests: 5 });
    table.add(span('a', START_MS + 2 * HOUR_MS), { ...one, requests: 7 });
    table.flush();
    expect(table.read(span('a')).requests).toBe(1);
    expect(table.read(span('b')).requests).toBe(0);
    expect(rows()).toBe(3);
  });

  it('removes spans that are over when it next writes, 10 minutes after it last did', () => {
    table.add(span('old'), one);
    table.flush();
    nowMs += HOUR_MS + 1;
    table.add(span('new', nowMs + HOUR_MS), one);
    table.flush();
    expect(rows()).toBe(1);
    expect(table.read(span('old')).requests).toBe(0);
  });

  it('keeps no more than 20,000 counters in memory and loses none of 30,000', () => {
    for (let number = 0; number < 30_000; number += 1) table.add(span(`k${String(number)}`), one);
    table.flush();
    expect(table.read(span('k0'))).toMatchObject(one);
    expect(table.read(span('k29999'))).toMatchObject(one);
    table.add(span('k0'), one);
    table.flush();
    expect(table.read(span('k0')).requests).toBe(2);
  });

  it('counts nothing from a write that failed until one succeeds, and then has lost nothing', () => {
    table.add(span('a'), one);
    database.exec('ALTER TABLE usage RENAME TO away');
    vi.advanceTimersByTime(250);
    expect(faults).toBe(1);
    expect(() => table.read(span('a'))).toThrow('usage can not be written');
    expect(() => table.add(span('a'), one)).toThrow('usage can not be written');
    database.exec('ALTER TABLE away RENAME TO usage');
    vi.advanceTimersByTime(250);
    expect(table.read(span('a'))).toMatchObject(one);
    expect(afterCrash('a')).toMatchObject(one);
  });

  it('counts nothing after it was closed', () => {
    table.add(span('a'), one);
    table.close();
    expect(afterCrash('a')).toMatchObject(one);
    expect(() => table.add(span('a'), one)).toThrow('usage can not be written');
  });
});
