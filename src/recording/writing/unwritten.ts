import type { ChainRecorder } from './recorder.js';

/** How long what nobody flushes (results, rows) may stay in memory, in ms. */
const IDLE_FLUSH_MS = 100;

/** What is not in the files yet. */
export interface UnwrittenEvents {
  readonly events: number;
  /** How long the oldest of them has been waiting, in ms. */
  readonly oldestMs: number;
}

/** Recorders with events that nobody waits for: chained after the answers of their turn, written a moment later. */
export class Unwritten {
  /** With the monotonic milliseconds since when. */
  readonly #dirty = new Map<ChainRecorder, number>();
  readonly #unchained = new Set<ChainRecorder>();
  #chainSoon: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  mark(recorder: ChainRecorder): void {
    if (!this.#unchained.has(recorder)) {
      this.#unchained.add(recorder);
      this.#chainSoon ??= setImmediate(() => {
        this.#chainSoon = undefined;
        this.#chainAll();
      });
    }
    if (!this.#dirty.has(recorder)) this.#dirty.set(recorder, performance.now());
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writeAll();
    }, IDLE_FLUSH_MS);
    this.#timer.unref();
  }

  /** It is closed. */
  forget(recorder: ChainRecorder): void {
    this.#dirty.delete(recorder);
    this.#unchained.delete(recorder);
  }

  events(): UnwrittenEvents {
    let [events, sinceMs] = [0, Number.POSITIVE_INFINITY];
    for (const [{ unwritten }, dirtyMs] of this.#dirty) {
      events += unwritten;
      if (unwritten > 0) sinceMs = Math.min(sinceMs, dirtyMs);
    }
    return { events, oldestMs: events === 0 ? 0 : performance.now() - sinceMs };
  }

  /** Writes what is left. */
  close(): void {
    clearTimeout(this.#timer);
    this.#writeAll();
  }

  /** Once the answers of this turn are on their way, so that nobody waits for hashes. */
  #chainAll(): void {
    const recorders = [...this.#unchained];
    this.#unchained.clear();
    for (const recorder of recorders) {
      try {
        recorder.chain();
      } catch {
        // Told already; the session's next call throws it.
      }
    }
  }

  #writeAll(): void {
    const dirty = [...this.#dirty.keys()];
    this.#dirty.clear();
    for (const recorder of dirty) {
      try {
        // Nobody waits for these events to be on disk: in the kernel is enough.
        recorder.writeOut();
      } catch {
        // Told already; the session's next call throws it.
      }
    }
  }
}
