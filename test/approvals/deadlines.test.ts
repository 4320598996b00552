import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../src/approvals/deadlines.js';

const HOUR = 3_600_000;
const MAX_DELAY = 2 ** 31 - 1;

function bench() {
  const state = { nowMs: Date.parse('2026-11-21T10:00:00Z'), reached: 0 };
  const timers: { readonly run: () => void; readonly delayMs: number }[] = [];
  const deadlines = new Deadlines<number>({
    clock: { nowMs: () => state.nowMs, timestamp: () => new Date(state.nowMs).toISOString() },
    setTimer: (run, delayMs) => timers.push({ run, delayMs }),
    clearTimer: () => undefined,
  });
  const set = (inMs: number): void => {
    deadlines.set('one', state.nowMs + inMs, () => (state.reached += 1));
  };
  return { state, timers, set };
}

describe('a deadline', () => {
  it('an hour away is reached after an hour, though the clock was put back by five', () => {
    const { state, timers, set } = bench();
    set(HOUR);
    state.nowMs -= 4 * HOUR;
    timers[0]?.run();
    expect(state.reached).toBe(1);
  });

  it('years away is waited for in parts, and is reached at once when the clock says so', () => {
    const { state, timers, set } = bench();
    set(2 * MAX_DELAY + 5);
    timers[0]?.run();
    timers[1]?.run();
    expect([state.reached, timers.map(({ delayMs }) => delayMs)]).toEqual([0, [MAX_DELAY, MAX_DELAY, 5]]);
    timers[2]?.run();
    expect(state.reached).toBe(1);

    set(2 * MAX_DELAY);
    state.nowMs += 3 * MAX_DELAY;
    timers[3]?.run();
    expect(state.reached).toBe(2);
  });
});
