import { describe, expect, it } from 'vitest';

import { replay } from '../../../src/client/replay/replay.js';
import type { ReplayRequest } from '../../../src/client/replay/replay.js';
import { replayTarget } from '../../../src/client/replay/replay-entries.js';
import { replayWish } from '../../../src/client/replay/replay-flags.js';
import type { ReplayFlags } from '../../../src/client/replay/replay-flags.js';
import type { ChainedEvent, RecordedEvent } from '../../../src/core/events.js';
import type { HoopError } from '../../../src/core/errors.js';
import type { EntrySource, ReplayEntry } from '../../../src/recording/replay/entry.js';
import { compilePattern } from '../../../src/recording/replay/pattern.js';
import { END, sessionId, start, statement } from '../../recording/recorded-session.js';

const events: readonly RecordedEvent[] = [
  start(),
  ...statement(1),
  ...statement(2, 'DELETE FROM payments', 'block'),
  END,
];

/** Each event 20 ms after the one before. */
async function* entries(source?: EntrySource): AsyncGenerator<ReplayEntry> {
  for (const [index, told] of events.entries()) {
    await Promise.resolve();
    const at = `2026-11-21T04:30:44.${String(100 + index * 20)}000Z`;
    const event = { prev: '', hash: '', ...told, seq: index + 1, at } as ChainedEvent;
    yield source === undefined ? { event } : { event, source };
  }
}

async function written(more: Partial<ReplayRequest>): Promise<string> {
  const lines: string[] = [];
  await replay({
    entries: entries(),
    target: { kind: 'recording', place: { kind: 'session', id: sessionId() } },
    format: 'text',
    follow: false,
    grep: undefined,
    pace: undefined,
    idleLimitMs: undefined,
    write: (text) => lines.push(text),
    drained: () => undefined,
    ...more,
  });
  return lines.join('\n');
}

describe('a recording written', () => {
  it('is one array as JSON, or an object a line where it is followed', async () => {
    const source = { session: 's', connection: 'postgres', type: 'postgres' };
    const whole = JSON.parse(await written({ format: 'json', entries: entries(source) })) as { event: unknown }[];
    expect(whole).toHaveLength(8);
    expect(whole[0]).toMatchObject({ ...source, event: { type: 'session.start' } });
    const lines = (await written({ format: 'json', follow: true })).split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('is narrowed by --grep to what belongs to a statement, in every format', async () => {
    const grep = compilePattern('payments');
    for (const format of ['text', 'json', 'asciicast', 'html', 'sql'] as const) {
      const text = await written({ format, grep });
      expect([format, text.includes('payments'), text.includes('SELECT 1\\n')]).toEqual([format, true, false]);
      if (format !== 'sql') expect(text).toContain('ann@example.com');
      expect(text).not.toContain('"statement":1,');
    }
  });

  it('says where --grep found nothing, and does not where it found something', async () => {
    for (const [pattern, times] of [
      ['nowhere', 1],
      ['payments', 0],
    ] as const) {
      let told = 0;
      await written({ grep: compilePattern(pattern), nothingFound: () => (told += 1) });
      expect(told).toBe(times);
    }
  });

  it('says blocked in each format that people read', async () => {
    expect(await written({})).toContain('blocked by standard/where');
    expect(await written({ format: 'sql' })).toContain('blocked by standard/where\n-- DELETE FROM payments;');
    expect(await written({ format: 'html' })).toContain('data-verdict="blocked"');
    expect(await written({ format: 'asciicast' })).toContain('blocked by standard/where');
  });

  it('waits for a reader who is slow, after each event', async () => {
    let waits = 0;
    await written({
      drained: () => {
        waits += 1;
        return Promise.resolve();
      },
    });
    expect(waits).toBe(8);
  });

  it('keeps the session’s pace where it is asked to', async () => {
    const startMs = performance.now();
    await written({ pace: { speed: 2, idleLimitMs: 10 } });
    // Seven pauses of 20 ms, cut to 10, at twice the speed; timers end a little early.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(7 * 4);
  });
});

describe('the flags of hoop replay', () => {
  const code = (flags: ReplayFlags, json = false): string => {
    try {
      replayWish(flags, json);
      return 'taken';
    } catch (error) {
      return (error as HoopError).code;
    }
  };

  it.each<ReplayFlags>([
    { format: 'pdf' },
    { speed: 'fast' },
    { speed: '0' },
    { speed: '1001' },
    { 'idle-limit': '2' },
    { 'no-timing': true, speed: '2' },
    { sql: true, format: 'html' },
    { grep: '(' },
    { follow: true, 'correlation-id': 'run-7' },
  ])('refuse %j', (flags) => {
    expect(code(flags)).toBe('usage');
  });

  it('ask for the player where nothing is to be written', () => {
    expect(replayWish({}, false)).toMatchObject({ format: undefined, speed: 1, timed: false });
    expect(replayWish({ speed: '2x', 'idle-limit': '1m30s' }, false)).toMatchObject({
      speed: 2,
      idleLimitMs: 90_000,
      timed: true,
    });
    expect(replayWish({ 'no-timing': true }, false).format).toBe('text');
    expect(replayWish({ sql: true }, false).format).toBe('sql');
    expect(replayWish({}, true).format).toBe('json');
    expect(code({ sql: true }, true)).toBe('usage');
  });

  it('name one thing', async () => {
    await expect(replayTarget(undefined, undefined)).rejects.toMatchObject({ code: 'usage' });
    await expect(replayTarget('x', 'run-7')).rejects.toMatchObject({ code: 'usage' });
    await expect(replayTarget('src', undefined)).rejects.toMatchObject({ code: 'usage' });
    await expect(replayTarget('no-such-thing', undefined)).rejects.toMatchObject({ code: 'not_found' });
    expect(await replayTarget(undefined, 'run-7')).toEqual({ kind: 'chain', correlationId: 'run-7' });
  });
});
