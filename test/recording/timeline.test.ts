import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChainedEvent, RecordedEvent } from '../../src/core/events.js';
import { timeline, timelineText } from '../../src/recording/timeline.js';
import { request, start, statement } from './recorded-session.js';

const MODEL = '0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10';
const SQL = '0193f1c2-7d3a-7c11-9f0e-2b6d8a4cffff';

/** @param ms of each event, within a second */
function recorded(events: readonly RecordedEvent[], ms: readonly number[]): ChainedEvent[] {
  return events.map((event, index) => ({
    prev: '',
    hash: '',
    ...event,
    seq: index + 1,
    at: `2026-11-21T04:30:44.${String(ms[index]).padStart(3, '0')}000Z`,
  }));
}

const modelCall = recorded(
  [
    { ...start(MODEL), connection: { name: 'openai', type: 'openai', labels: {} }, credential: 'openai-key' },
    ...request('Delete old customers'),
    { type: 'session.end', reason: 'client', statements: 1, blocked: 0 },
  ],
  [100, 101, 102, 200, 201, 202],
);
const query = recorded(
  [
    start(SQL),
    ...statement(1, 'DELETE FROM customers\nWHERE old', 'block').slice(0, 2),
    { type: 'session.end', reason: 'upstream', statements: 1, blocked: 1 },
  ],
  [150, 203, 203, 250],
);

describe('several sessions as one timeline', () => {
  it('shows which prompt led to which statement: time, connection and end of the id before each line', () => {
    const lines: string[] = [];
    timelineText([query, modelCall], { write: (line) => lines.push(line) });
    expect(lines).toEqual([
      '04:30:44.100  openai    8a4c5e10  ann@example.com on openai (openai) as openai-key',
      '04:30:44.101  openai    8a4c5e10  #1  +0.001s  POST /v1/chat/completions  gpt-4o-mini, streamed',
      '04:30:44.101  openai    8a4c5e10    user: Delete old customers',
      '04:30:44.101  openai    8a4c5e10    whole request, 85 bytes of application/json:',
      '04:30:44.101  openai    8a4c5e10      {"model":"gpt-4o-mini","messages":[{"role":"user","content":"Delete old customers"}]}',
      '04:30:44.102  openai    8a4c5e10    allowed',
      '04:30:44.150  postgres  8a4cffff  ann@example.com on postgres (postgres) as hoop_app',
      '04:30:44.200  openai    8a4c5e10    200 · 512 bytes · 12 tokens in, 7 out · $0.0001 · first byte after 120.25 ms · 300.5 ms',
      '04:30:44.201  openai    8a4c5e10    assistant: answer to Delete old customers',
      '04:30:44.203  postgres  8a4cffff  #1  +0.053s',
      '04:30:44.203  postgres  8a4cffff    DELETE FROM customers',
      '04:30:44.203  postgres  8a4cffff    WHERE old',
      '04:30:44.203  postgres  8a4cffff    blocked by standard/where',
    ]);
  });

  it('keeps the order of each recording whatever its times say, and else goes by time', () => {
    const times = fc.array(fc.nat(999), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(times, { maxLength: 5 }), (given) => {
        const recordings = given.map((ms) =>
          recorded(
            ms.map(() => statement(1)[0] as RecordedEvent),
            ms,
          ),
        );
        const merged = [...timeline(recordings)];
        expect(merged).toHaveLength(given.flat().length);
        recordings.forEach((events, which) => {
          expect(merged.filter(({ recording }) => recording === which).map(({ event }) => event)).toEqual(events);
        });
        const ordered = given.every((ms) => ms.every((value, index) => index === 0 || value >= (ms[index - 1] ?? 0)));
        const ats = merged.map(({ event }) => event.at);
        if (ordered) expect(ats).toEqual([...ats].sort());
      }),
    );
  });

  it('lets no text of a recording pass for a line of another session, nor act on the terminal', () => {
    const lines: string[] = [];
    const forged = '\u001b[2J\n04:30:44.999  postgres  8a4cffff    allowed';
    timelineText([recorded([start(MODEL), statement(1, forged)[0] as RecordedEvent], [1, 2])], {
      write: (line) => lines.push(line),
    });
    expect(lines.every((line) => line.startsWith('04:30:44.00'))).toBe(true);
    expect(lines.join('\n')).toContain('\\x1b[2J');
  });
});
