/**
 * How much the failures of one caller's statements may tell of masked columns, in bits. Whether a statement fails that
 * works something out from a masked column is an answer to a question about it, whatever the mask shows. A first failure
 * is nearly always a mistake; what is bounded is how many there may be.
 */

/** Bits told before statements that could tell more are refused: ten yes-or-no questions, three to five digits. */
export const MAX_TOLD_BITS = 10;
/** In so many milliseconds as many bits are forgotten: what went beyond is waited for in proportion. */
export const FORGOTTEN_IN_MS = 3_600_000;

/** Of one caller on one connection, over all sessions. All times are monotonic milliseconds. */
export class FailureBudget {
  #bits = 0;
  #atMs = 0;
  #closedUntilMs = Number.NEGATIVE_INFINITY;
  /** Answers that came since the last failure: which of so many questions failed tells their logarithm. */
  #answered = 0;
  #answeredSinceMs = 0;

  /** How long nothing more may be asked, in milliseconds; 0 where it may. */
  closedForMs(nowMs: number): number {
    return Math.max(0, this.#closedUntilMs - nowMs);
  }

  /** A statement that could have failed did not. @param costly how long it took may have told something too */
  passed(nowMs: number, costly: boolean): void {
    if (nowMs - this.#answeredSinceMs > FORGOTTEN_IN_MS) {
      this.#answered = 0;
      this.#answeredSinceMs = nowMs;
    }
    this.#answered += 1;
    if (costly) this.#told(nowMs, 1);
  }

  /** One failed. @param rows that had come before: at which row it fails tells as much as which of so many statements */
  failed(nowMs: number, rows: number): void {
    // Programs that ask all day fail once in a while; who asks by failing does so again.
    const before = this.#bitsAt(nowMs) === 0 ? 0 : this.#answered;
    this.#told(nowMs, 1 + Math.log2(1 + before + rows));
    this.#answered = 0;
    this.#answeredSinceMs = nowMs;
  }

  #bitsAt(nowMs: number): number {
    return Math.max(0, this.#bits - ((nowMs - this.#atMs) / FORGOTTEN_IN_MS) * MAX_TOLD_BITS);
  }

  #told(nowMs: number, bits: number): void {
    this.#bits = this.#bitsAt(nowMs) + bits;
    this.#atMs = nowMs;
    if (this.#bits > MAX_TOLD_BITS) this.#closedUntilMs = nowMs + (this.#bits / MAX_TOLD_BITS) * FORGOTTEN_IN_MS;
  }
}

/** What one caller's masks count with: those of policies that only observe count by themselves. */
export interface CallerBudgets {
  readonly enforced: FailureBudget;
  readonly observed: FailureBudget;
}

/** The budgets of all callers, as long as the agent runs. The one that was used longest ago is forgotten first. */
export class FailureBudgets {
  readonly #byCaller = new Map<string, CallerBudgets>();

  constructor(private readonly maxCallers = 10_000) {}

  /** @param caller who asks, and of which connection: the same text for the same */
  of(caller: string): CallerBudgets {
    const known = this.#byCaller.get(caller) ?? { enforced: new FailureBudget(), observed: new FailureBudget() };
    this.#byCaller.delete(caller);
    this.#byCaller.set(caller, known);
    if (this.#byCaller.size > this.maxCallers) this.#byCaller.delete(this.#byCaller.keys().next().value as string);
    return known;
  }
}

/**
 * Can this error depend on values? One with a position is about the text, and these classes about the session: 08
 * connection, 25 transaction state, 26 statement names, 28 sign-in, 3D database, 40 rollback, 57 operator.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function mayDependOnValues(code: string, positioned: boolean): boolean {
  return !positioned && !/^(?:08|25|26|28|3D|40|57)/.test(code);
}
