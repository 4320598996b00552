import { render } from 'ink-testing-library';
import { describe, expect, it } from 'vitest';

import type { ReplayAction, ReplayFrame, ReplayPlayback } from '../../src/core/replay-frame.js';
import { clock, noteLine, timeLine } from '../../src/tui/replay-lines.js';
import { lineText } from '../../src/tui/lines.js';
import { Replay } from '../../src/tui/replay-screen.js';
import { placeOf } from '../../src/tui/replay-state.js';

const FRAME: ReplayFrame = {
  title: 'ann@example.com on postgres',
  rows: [
    { text: '#1  +0.001s', sense: 'asked' },
    { text: '  blocked by standard/where \u001b]0;owned\u0007', sense: 'blocked' },
  ],
  event: 2,
  events: 12,
  atMs: 5_000,
  lengthMs: 10_000,
  marks: [
    { at: 0.9, kind: 'approval' },
    { at: 0.2, kind: 'blocked' },
  ],
  counts: { statements: 3, blocked: 1, approvals: 2 },
  playing: true,
  speed: 2,
  idleLimitMs: 2000,
  following: false,
  nextInMs: 65_000,
  read: 1,
  message: '',
  pattern: '',
};

class TestPlayback implements ReplayPlayback {
  readonly actions: ReplayAction[] = [];
  readonly #listeners = new Set<() => void>();
  constructor(private current: ReplayFrame) {}
  frame(): ReplayFrame {
    return this.current;
  }
  act(action: ReplayAction): void {
    this.actions.push(action);
  }
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  show(frame: Partial<ReplayFrame>): void {
    this.current = { ...this.current, ...frame };
    for (const listener of this.#listeners) listener();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('the screen of the player', () => {
  it('shows the transcript, the place in time and what can be done; nothing acts on the terminal', () => {
    const playback = new TestPlayback(FRAME);
    const { lastFrame, unmount } = render(<Replay playback={playback} onQuit={() => undefined} />);
    const text = lastFrame() ?? '';
    expect(text).toContain('blocked by standard/where \\x1b]0;owned\\x07');
    expect(text).toContain('▶ 0:05.0');
    expect(text).toContain('next event in 65s');
    expect(text).toContain('space stop/go');
    expect(text).not.toMatch(/\u001b\]|\u0007/);
    unmount();
  });

  it('hands on what keys ask for, in order, and quits', async () => {
    const playback = new TestPlayback(FRAME);
    let quits = 0;
    const { stdin, lastFrame, unmount } = render(<Replay playback={playback} onQuit={() => (quits += 1)} />);
    await settled();
    for (const keys of [
      ' ',
      '.',
      'b',
      'A',
      '3',
      '\u001b[C',
      '\u001b[A',
      '/',
      'pay',
      '\r',
      't',
      '1:30',
      '\r',
      't',
      'x',
      '\r',
    ]) {
      stdin.write(keys);
      await settled();
    }
    expect(playback.actions).toEqual([
      { kind: 'toggle' },
      { kind: 'step', direction: 1 },
      { kind: 'blocked', direction: 1 },
      { kind: 'approval', direction: -1 },
      { kind: 'part', part: 0.3 },
      { kind: 'seek', byMs: 5000 },
      { kind: 'statement', direction: -1 },
      { kind: 'search', pattern: 'pay' },
      { kind: 'time', atMs: 90_000 },
    ]);
    expect(lastFrame()).toContain('write 1:30');
    stdin.write('?');
    await settled();
    expect(lastFrame()).toContain('the next that was blocked');
    stdin.write('xq');
    await settled();
    expect(quits).toBe(1);
    unmount();
  });

  it('shows the terminal of a terminal session, and the newest of a long transcript', async () => {
    const playback = new TestPlayback({ ...FRAME, screen: [[{ text: '$ ls', colour: 'green' }]] });
    const { lastFrame, unmount } = render(<Replay playback={playback} onQuit={() => undefined} />);
    expect(lastFrame()).toContain('$ ls');
    expect(lastFrame()).not.toContain('blocked by standard/where');
    unmount();
    const long = new TestPlayback({
      ...FRAME,
      rows: Array.from({ length: 500 }, (_, at) => ({ text: `row ${String(at)}`, sense: 'plain' as const })),
    });
    const other = render(<Replay playback={long} onQuit={() => undefined} />);
    await settled();
    expect(other.lastFrame()).toContain('row 499');
    expect(other.lastFrame()).not.toContain('row 400\n');
    other.stdin.write('\u001b[5~');
    await settled();
    expect(other.lastFrame()).not.toContain('row 499');
    other.unmount();
  });
});

describe('what the player says', () => {
  it('marks what was blocked and approved on the bar, however narrow', () => {
    expect(lineText(timeLine(FRAME, 80))).toMatch(/^▶ 0:05\.0 ━+✗━+●─+◆─+ 0:10\.0 {2}2× {2}idle 2s {2}event 2\/12$/);
    expect(lineText(timeLine(FRAME, 40)).length).toBeLessThanOrEqual(40);
    expect(lineText(noteLine({ ...FRAME, read: 0.5, message: 'not found' }, '', 80))).toBe(
      '3 statements · ✗ 1 blocked · ◆ 2 approval events · reading 50 % · not found',
    );
    expect([clock(0), clock(65_432), clock(3_723_400)]).toEqual(['0:00.0', '1:05.4', '1:02:03.4']);
  });

  it('reads places', () => {
    expect(placeOf('#120')).toEqual({ kind: 'event', event: 120 });
    expect(placeOf('1:02:03')).toEqual({ kind: 'time', atMs: 3_723_000 });
    expect(placeOf('1m30s')).toEqual({ kind: 'time', atMs: 90_000 });
    expect(placeOf('-1m')).toEqual({ kind: 'seek', byMs: -60_000 });
    expect(['', 'x', '1:', '5 minutes'].map(placeOf)).toEqual([undefined, undefined, undefined, undefined]);
  });
});
