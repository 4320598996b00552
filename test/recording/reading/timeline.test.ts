import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChainedEvent } from '../../../src/core/events.js';
import { request, start, statement } from '../recorded-session.js';
import { timeline, timelineText, type TimelineSource } from '../../../src/recording/reading/timeline.js';

const at = (ms: number): string => new Date(Date.UTC(2026, 10, 21, 23, 59, 59) + ms).toISOString().replace('Z', '000Z');

interface Watched extends TimelineSource {
  state: 'waiting' | 'open' | 'closed';
}

/** A recording of events at these times, in ms; tells whether it is being read. */
function source(connection: string, times: readonly number[], more: (index: number) => object = () => ({})): Watched {
  const events = times.map((ms, index): ChainedEvent => ({
    seq: index,
    at: at(ms),
    type: 'note',
    prev: '',
    hash: '',
    ...more(index),
  }));
  const watched: Watched = {
    session: {
      id: `0193f1c2-7d3a-7c11-9f0e-${connection.padStart(12, '0')}`,
      connection,
      connectionType: 'postgres',
      startedAt: at(times[0] ?? 0),
    },
    state: 'waiting',
    events: async function* () {
      watched.state = 'open';
      try {
        for (const event of events) yield await Promise.resolve(event);
      } finally {
        watched.state = 'closed';
      }
    },
  };
  return watched;
}

async function merged(...sources: readonly TimelineSource[]): Promise<string[]> {
  const seen: string[] = [];
  for await (const { source: from, event } of timeline(sources))
    seen.push(`${from.session.connection}${String(event.seq)}`);
  return seen;
}

describe('timeline', () => {
  it('puts events of several sessions in the order of their times', async () => {
    expect(await merged(source('b', [2, 6]), source('a', [1, 3, 5]), source('c', [7]))).toEqual([
      'a0',
      'b0',
      'a1',
      'a2',
      'b1',
      'c0',
    ]);
  });

  it('keeps each recording in its own order though its clock was set back, and loses no event', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 8 }), { maxLength: 6 }),
        async (recordings) => {
          const names = recordings.map((_, index) => String.fromCharCode(97 + index));
          const seen = await merged(...recordings.map((times, index) => source(names[index] ?? '', times)));
          for (const [index, times] of recordings.entries()) {
            const own = seen.filter((event) => event.startsWith(names[index] ?? ''));
            expect(own).toEqual(times.map((_, seq) => `${names[index] ?? ''}${String(seq)}`));
          }
          expect(seen).toHaveLength(recordings.flat().length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('reads only those of 1,000 sessions that lived at the same time', async () => {
    const sources = Array.from({ length: 1_000 }, (_, index) => source('s', [index * 10, index * 10 + 15]));
    let most = 0;
    for await (const entry of timeline(sources)) {
      expect(entry.event.type).toBe('note');
      most = Math.max(most, sources.filter(({ state }) => state === 'open').length);
    }
    expect(most).toBeLessThanOrEqual(3);
    expect(sources.every(({ state }) => state === 'closed')).toBe(true);
  });

  it('closes what it had begun when its reader leaves', async () => {
    const sources = [source('a', [1, 9]), source('b', [2, 9]), source('c', [100])];
    let seen = 0;
    for await (const entry of timeline(sources)) {
      seen += entry.event.seq + 1;
      if (seen === 2) break;
    }
    expect(sources.map(({ state }) => state)).toEqual(['closed', 'closed', 'waiting']);
  });
});

describe('timelineText', () => {
  it('marks each line with time, connection and the end of the session’s id, under its day', async () => {
    const written: string[] = [];
    const query = { type: 'statement', statement: 1, via: 'query', text: 'SELECT 1\nFROM x' };
    await timelineText(
      [
        source('db', [0, 2_000], (index) => (index === 0 ? query : { type: 'result', statement: 1, tag: 'SELECT 3' })),
        source('openai', [500]),
      ],
      { write: (text) => written.push(text) },
    );
    const lines = written.join('\n').split('\n');
    expect(lines[0]).toBe('2026-11-21, UTC');
    expect(lines.filter((line) => line.startsWith('2026'))).toEqual(['2026-11-21, UTC', '2026-11-22, UTC']);
    const marked = lines.filter((line) => line !== '' && !line.startsWith('2026'));
    for (const line of marked) expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}(?:db {4}|openai) {2}[0a-z]{8} {2}/);
    expect(marked.some((line) => /^23:59:59\.000 {2}db .*SELECT 1$/.test(line))).toBe(true);
    expect(marked.at(-1)).toMatch(/^00:00:01\.000 {2}db .*SELECT 3/);
  });

  it('shows which prompt led to which statement, a model call as a conversation', async () => {
    const written: string[] = [];
    const call = request('Delete old customers');
    const asked = statement(1, 'DELETE FROM customers\n23:59:59.999  openai  00openai    allowed', 'block');
    await timelineText(
      [
        source('db', [30, 31, 32], (index) => (index === 0 ? start() : (asked[index - 1] ?? {}))),
        source('openai', [1, 2, 3, 40, 41], (index) => (index === 0 ? start() : (call[index - 1] ?? {}))),
      ],
      { write: (text) => written.push(text) },
    );
    const lines = written.join('\n').split('\n');
    const said = lines.filter((line) => /user: |assistant: |DELETE|blocked|allowed/.test(line));
    expect(said.map((line) => line.slice(14).replace(/ {2}\S{8} {2}/, ' '))).toEqual([
      'openai   user: Delete old customers',
      'openai   allowed',
      'db       DELETE FROM customers',
      // What a statement says after its first line end passes for no line of another session.
      'db       23:59:59.999  openai  00openai    allowed',
      'db       blocked by standard/where',
      'openai   assistant: answer to Delete old customers',
    ]);
  });

  it('shows a control character in a name, and sends none', async () => {
    const written: string[] = [];
    await timelineText([source('a\u001b[2J', [0])], { write: (text) => written.push(text) });

    expect(written.join('')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });
});
