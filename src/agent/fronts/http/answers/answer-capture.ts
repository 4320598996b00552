import { HoopError } from '../../../../core/errors.js';
import type { RecordBounds } from '../../../../core/output-digest.js';
import type { AnswerBody } from '../../../../protocols/http/dialect.js';
import { BodyCapture } from '../body-capture.js';

/** Has a stage take the next of a body. */
export type StageRun = (stage: AnswerBody, part: Uint8Array) => Uint8Array;

/** What the record keeps of an answer: what the client gets, or, where the record is masked in another way, that. */
export class AnswerCapture {
  readonly body: BodyCapture;
  /** Where the record is masked in another way than the answer. */
  stage: AnswerBody | undefined;
  #failed = false;

  constructor(bounds: RecordBounds) {
    this.body = new BodyCapture(bounds);
  }

  /**
   * What can't be masked for the record is left out of it, and is no reason to keep it from the client.
   *
   * @param out what goes to the client
   * @param clean what it was made of
   */
  take(out: Uint8Array, clean: Uint8Array, run: StageRun): void {
    if (this.#failed) return;
    try {
      this.body.take(this.stage === undefined ? out : run(this.stage, clean));
    } catch (error) {
      if (!(error instanceof HoopError)) throw error;
      this.#failed = true;
    }
  }
}
