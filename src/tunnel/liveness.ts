/** Silence after which the other end is asked for a sign of life, in ticks. */
const SILENT_TICKS = 15;
/** How long it may take to answer, in ticks. */
const ANSWER_TICKS = 10;
/** The same where there is a reason to doubt that it is still there. */
const DOUBTED_ANSWER_TICKS = 3;

/**
 * Is the other end of a tunnel still there? Counts ticks, one a second, and not time: a machine that slept, or a
 * process that was stopped, comes back with one tick, after which what has arrived meanwhile is read.
 */
export class Liveness {
  #silent = 0;
  /** Ticks left to answer; undefined where nothing was asked. */
  #left: number | undefined;
  #justDoubted = false;

  /**
   * Something has come from the other end, or it has taken something.
   *
   * @param answer what has come answers the question; other bytes may have lain here since before the doubt
   */
  beat(answer = false): void {
    if (this.#justDoubted && !answer) return;
    this.#silent = 0;
    this.#left = undefined;
    this.#justDoubted = false;
  }

  /** There is a reason to doubt: ask now, and wait for a short time only. */
  doubt(): void {
    this.#left = Math.min(this.#left ?? DOUBTED_ANSWER_TICKS, DOUBTED_ANSWER_TICKS);
    this.#justDoubted = true;
  }

  /** @returns what has to be done now */
  tick(): 'ping' | 'dead' | undefined {
    this.#silent += 1;
    this.#justDoubted = false;
    if (this.#left !== undefined) {
      this.#left -= 1;
      return this.#left < 0 ? 'dead' : undefined;
    }
    if (this.#silent < SILENT_TICKS) return undefined;
    this.#left = ANSWER_TICKS;
    return 'ping';
  }
}
