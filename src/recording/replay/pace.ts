import { atMsOf } from './entry.js';
import type { ReplayEntry } from './entry.js';

export interface Pace {
  /** 2 is twice as fast as it happened. */
  readonly speed: number;
  /** Longest pause, in ms of the session's time; undefined: as long as it was. */
  readonly idleLimitMs?: number | undefined;
}

/** Follows the session's time: what went back is no pause, what lasted longer than the limit is one of the limit. */
export class Pauses {
  #lastMs = Number.NaN;

  constructor(private readonly idleLimitMs: number | undefined) {}

  /** The pause before an event, in ms of the session's time, cut to the limit. */
  before(event: ReplayEntry['event']): number {
    const atMs = atMsOf(event);
    if (Number.isNaN(atMs)) return 0;
    const passedMs = Number.isNaN(this.#lastMs) ? 0 : Math.max(0, atMs - this.#lastMs);
    this.#lastMs = Number.isNaN(this.#lastMs) ? atMs : Math.max(this.#lastMs, atMs);
    return Math.min(passedMs, this.idleLimitMs ?? Number.POSITIVE_INFINITY);
  }
}

/** The same entries, each when its time has come. @param wait resolves after so many ms */
export async function* paced(
  entries: AsyncIterable<ReplayEntry>,
  { speed, idleLimitMs }: Pace,
  wait: (ms: number) => Promise<unknown>,
): AsyncGenerator<ReplayEntry> {
  const pauses = new Pauses(idleLimitMs);
  for await (const entry of entries) {
    const pauseMs = pauses.before(entry.event) / speed;
    if (pauseMs >= 1) await wait(pauseMs);
    yield entry;
  }
}
