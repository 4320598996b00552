import type { Clock } from '../core/clock.js';

export interface DeadlineTimers<Timer> {
  readonly clock: Clock;
  readonly setTimer: (callback: () => void, delayMs: number) => Timer;
  readonly clearTimer: (timer: Timer) => void;
}

/** Longest delay that Node's timers keep, in ms; a longer one fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** What has to be done at a moment, by a key; a moment may be years away. */
export class Deadlines<Timer> {
  readonly #timers = new Map<string, Timer>();

  constructor(private readonly time: DeadlineTimers<Timer>) {}

  /**
   * Runs `reached` once, at `atMs` or when as much time has gone by as it was away, whichever comes first: what was given
   * for an hour is over after an hour, also where the clock was put back. What stood under the key is given up.
   */
  set(key: string, atMs: number, reached: () => void): void {
    this.#wait(key, atMs, Math.max(0, atMs - this.time.clock.nowMs()), reached);
  }

  #wait(key: string, atMs: number, leftMs: number, reached: () => void): void {
    this.clear(key);
    const delayMs = Math.min(leftMs, MAX_DELAY_MS);
    const tick = (): void => {
      this.#timers.delete(key);
      if (delayMs === leftMs || this.time.clock.nowMs() >= atMs) reached();
      else this.#wait(key, atMs, leftMs - delayMs, reached);
    };
    this.#timers.set(key, this.time.setTimer(tick, delayMs));
  }

  clear(key: string): void {
    const timer = this.#timers.get(key);
    if (timer === undefined) return;
    this.#timers.delete(key);
    this.time.clearTimer(timer);
  }

  clearAll(): void {
    for (const key of [...this.#timers.keys()]) this.clear(key);
  }
}
