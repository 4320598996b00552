import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openReplayLog } from '../../../src/client/replay/replay-log.js';
import type { OpenedLog } from '../../../src/client/replay/replay-log.js';
import { Playback } from '../../../src/client/replay/replay-playback.js';
import type { PlaybackOptions } from '../../../src/client/replay/replay-playback.js';
import type { RecordedEvent } from '../../../src/core/events.js';
import type { ReplayAction, ReplayFrame } from '../../../src/core/replay-frame.js';
import { compilePattern } from '../../../src/recording/replay/pattern.js';
import { Bench, END, sessionId, start, statement } from '../../recording/recorded-session.js';
import { makeFolder } from '../../support/folders.js';

let bench: Bench;
let folder: string;
let opened: OpenedLog | undefined;
let playback: Playback | undefined;
beforeEach(() => {
  bench = new Bench();
  folder = makeFolder('playback');
});
afterEach(async () => {
  playback?.close();
  await playback?.settled();
  await opened?.close();
  bench.remove();
});

/** Time that passes only when it is told to; each tick is run to its end. */
class TestTime {
  nowMs = 0;
  #call: (() => void) | undefined;
  readonly now = (): number => this.nowMs;
  readonly after = (_ms: number, call: () => void): (() => void) => {
    this.#call = call;
    return () => undefined;
  };

  async pass(ms: number): Promise<ReplayFrame> {
    // The player asks for its next tick once the last one is done.
    while (this.#call === undefined) await new Promise((resolve) => setImmediate(resolve));
    this.nowMs += ms;
    const call = this.#call;
    this.#call = undefined;
    call();
    return this.frame();
  }

  async frame(): Promise<ReplayFrame> {
    await playback!.settled();
    return playback!.frame();
  }
}

/** Every event comes a second after the one before. */
async function play(events: readonly RecordedEvent[], options: Partial<PlaybackOptions> = {}): Promise<TestTime> {
  let atMs = Date.parse('2026-11-21T04:30:00Z');
  const clock = {
    nowMs: () => atMs,
    timestamp: () => new Date((atMs += 1000)).toISOString().replace('Z', '000Z'),
  };
  const recordings = bench.open({ clock });
  const session = sessionId();
  const recorder = recordings.open(start(session));
  for (const event of events) recorder.record(event);
  await recorder.seal(END);
  await recordings.close();
  const time = new TestTime();
  opened = await openReplayLog(
    { kind: 'recording', place: { kind: 'file', path: bench.path(session) } },
    { agent: () => expect.unreachable(), follow: false, say: () => undefined, cacheFolder: join(folder, 'cache') },
  );
  await opened.done;
  playback = new Playback(opened, {
    speed: 1,
    idleLimitMs: undefined,
    follow: false,
    pattern: undefined,
    now: time.now,
    after: time.after,
    ...options,
  });
  return time;
}

async function act(time: TestTime, ...actions: ReplayAction[]): Promise<ReplayFrame> {
  for (const action of actions) playback!.act(action);
  return time.frame();
}

const session = [...statement(1), ...statement(2, 'DELETE FROM customers', 'block'), ...statement(3, 'SELECT secret')];
const shown = ({ rows }: ReplayFrame): string => rows.map(({ text }) => text).join('\n');

describe('the player', () => {
  it('shows each event when its time has come, at its speed', async () => {
    const time = await play(session);
    expect(await time.pass(0)).toMatchObject({ event: 1, events: 12, playing: true, atMs: 0, lengthMs: 11_000 - 1000 });
    expect((await time.pass(900)).event).toBe(1);
    const first = await time.pass(150);
    expect([first.event, first.atMs]).toEqual([2, 1050]);
    expect(shown(first)).toContain('SELECT 1');
    await act(time, { kind: 'speed', direction: 1 });
    expect(await time.pass(1500)).toMatchObject({ event: 5, speed: 2 });
    await act(time, { kind: 'toggle' });
    expect(await time.pass(60_000)).toMatchObject({ event: 5, playing: false });
    await act(time, { kind: 'toggle' });
    expect(await time.pass(60_000)).toMatchObject({ event: 12, playing: false });
  });

  it('cuts pauses to the limit', async () => {
    const time = await play(session, { idleLimitMs: 100 });
    await time.pass(0);
    expect((await time.pass(100)).event).toBe(2);
    expect((await time.pass(205)).event).toBe(4);
    expect(await act(time, { kind: 'idle' })).toMatchObject({ idleLimitMs: undefined });
    expect((await time.pass(500)).event).toBe(5);
    expect((await time.pass(400)).event).toBe(5);
  });

  it('goes to a time, an event, a part, the ends', async () => {
    const time = await play(session);
    expect(await act(time, { kind: 'time', atMs: 4500 })).toMatchObject({ event: 5, atMs: 4500 });
    expect(await act(time, { kind: 'seek', byMs: -2000 })).toMatchObject({ event: 3, atMs: 2500 });
    expect(await act(time, { kind: 'event', event: 7 })).toMatchObject({ event: 7 });
    expect(await act(time, { kind: 'part', part: 0.5 })).toMatchObject({ event: 6 });
    expect(await act(time, { kind: 'end' })).toMatchObject({ event: 12 });
    expect(await act(time, { kind: 'seek', byMs: 60_000 })).toMatchObject({ event: 12, atMs: 10_000 });
    expect(await act(time, { kind: 'start' })).toMatchObject({ event: 1 });
    expect(await act(time, { kind: 'step', direction: -1 }, { kind: 'step', direction: -1 })).toMatchObject({
      event: 0,
    });
  });

  it('goes by statements with all of theirs, to what was blocked, and says where there is none', async () => {
    const time = await play(session);
    await time.pass(0);
    expect(await act(time, { kind: 'statement', direction: 1 })).toMatchObject({ event: 4, playing: false });
    const second = await act(time, { kind: 'statement', direction: 1 });
    expect(second.event).toBe(7);
    expect(shown(second)).toContain('blocked by standard/where');
    expect(await act(time, { kind: 'statement', direction: -1 })).toMatchObject({ event: 4 });
    const blocked = await act(time, { kind: 'blocked', direction: 1 });
    expect([blocked.event, shown(blocked).trimEnd().split('\n').at(-1)]).toEqual([6, '  blocked by standard/where']);
    expect(await act(time, { kind: 'blocked', direction: 1 })).toMatchObject({
      event: 6,
      message: 'nothing after this was blocked',
    });
    expect(blocked.marks).toEqual([{ at: 0.5, kind: 'blocked' }]);
    expect(blocked.counts).toEqual({ statements: 3, blocked: 1, approvals: 0 });
  });

  it('searches on, around the end, and says what it could not do', async () => {
    const time = await play(session, { pattern: compilePattern('customers') });
    expect(await time.frame()).toMatchObject({ event: 5, playing: false, pattern: 'customers' });
    expect(await act(time, { kind: 'search', pattern: 'sec.et' })).toMatchObject({ event: 8 });
    expect(await act(time, { kind: 'found', direction: 1 })).toMatchObject({
      event: 8,
      message: 'from the start again',
    });
    expect(await act(time, { kind: 'search', pattern: 'nowhere' })).toMatchObject({ event: 8, message: 'not found' });
    expect((await act(time, { kind: 'search', pattern: '(' })).message).toContain('no regular expression');
    expect(await act(time, { kind: 'start' })).toMatchObject({ event: 1, message: '' });
  });

  it('shows a terminal as it stood, forwards and backwards', async () => {
    const typed = (data: string): RecordedEvent => ({ type: 'tty', statement: 1, from: 'upstream', data });
    const time = await play([
      { ...typed(''), columns: 20, rows: 3 } as RecordedEvent,
      typed('$ ls\u001b]52;c;aGFja2Vk\u0007\r\n'),
      typed('\u001b[31mred\u001b[0m'),
      typed('\u001b[2J\u001b[Hclean'),
    ]);
    const screen = ({ screen: rows }: ReplayFrame): string[] =>
      (rows ?? []).map((row) =>
        row
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      );
    expect(screen(await act(time, { kind: 'event', event: 4 }))).toEqual(['$ ls', 'red', '']);
    const red = (await time.frame()).screen?.[1]?.[0];
    expect(red).toEqual({ text: 'red', colour: 'red' });
    expect(screen(await act(time, { kind: 'end' }))).toEqual(['clean', '', '']);
    expect(screen(await act(time, { kind: 'event', event: 3 }))).toEqual(['$ ls', '', '']);
  });
});
