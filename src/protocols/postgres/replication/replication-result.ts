import type { ResultEvent } from '../../../core/events.js';
import type { ServerReport } from '../results/error-masker.js';
import { BodyReader, SERVER, type Frame } from '../wire/frames.js';
import type { Run } from '../statements/run.js';

/** What the record says of one command of a replication session: counts alone, never what was streamed. */
export class ReplicationResult {
  tag: string | undefined;
  #rows = 0;
  #bytes = 0;
  #error: ServerReport | undefined;

  constructor(private readonly run: Run) {}

  /** @param report what the message says where it is an error */
  take(frame: Frame, report: ServerReport | undefined): void {
    if (frame.type === SERVER.dataRow || frame.type === SERVER.copyData) {
      this.#rows += 1;
      this.#bytes += frame.bytes.length;
    } else if (frame.type === SERVER.commandComplete) {
      this.tag ??= new BodyReader(frame.bytes).cstring();
    }
    this.#error ??= report;
  }

  /** @param mask what the record may hold of the server's words */
  event(nowMs: number, mask: (text: string) => string): ResultEvent {
    const error = this.#error;
    return {
      type: 'result',
      statement: this.run.statement,
      rows: this.#rows,
      bytes: this.#bytes,
      durationMs: Math.max(0, Math.round((nowMs - this.run.startedMs) * 1000) / 1000),
      ...(this.tag === undefined ? {} : { tag: this.tag }),
      ...(error === undefined ? {} : { error: { code: error.code, message: mask(error.message) } }),
    };
  }
}
