import type { RecordedEvent } from '../../core/events.js';
import type { Verdict } from '../../policy/types.js';

/** What is told of a statement, at most: it is for a row of a screen. */
const MAX_CHARS = 300;
/** Between two that are told, in ms; what a program runs in between is only counted. */
const GAP_MS = 100;

/**
 * Tells the one who runs statements what became of each: its masked text, as recorded, and policy's word. A person sees
 * every one; of a program's thousands a few in a second, and how many there were in between.
 */
export class StatementNews {
  #lastMs = Number.NEGATIVE_INFINITY;
  #skipped = 0;

  constructor(
    private readonly nowMs: () => number,
    private readonly tell: (event: Readonly<Record<string, unknown>>) => void,
  ) {}

  /** @param event what the record says of the statement */
  decided(event: RecordedEvent, verdict: Verdict): void {
    if (event.type !== 'statement' && event.type !== 'request') return;
    const nowMs = this.nowMs();
    if (nowMs - this.#lastMs < GAP_MS) {
      this.#skipped += 1;
      return;
    }
    this.tell({
      event: 'statement',
      statement: event.statement,
      action: verdict.action,
      ...(verdict.rule === '' ? {} : { rule: verdict.rule }),
      text: event.text.slice(0, MAX_CHARS),
      ...(this.#skipped === 0 ? {} : { skipped: this.#skipped }),
    });
    this.#lastMs = nowMs;
    this.#skipped = 0;
  }
}
