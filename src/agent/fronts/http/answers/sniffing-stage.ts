import { HoopError } from '../../../../core/errors.js';
import { BeginningReader, type Beginning } from '../../../../protocols/http/beginnings.js';
import type { AnswerBody, AnswerSummary } from '../../../../protocols/http/dialect.js';

/** Most white space that may stand before what a body is, in bytes. */
const MAX_BLANK_BYTES = 64 * 1024;
const NOTHING = new Uint8Array();
const NOTHING_TOLD: AnswerSummary = { toolCalls: [], text: [], characters: 0, begun: false };

/** Looks at the first characters of a body to see what it is, whatever its type says; holds no more than these, and white space before them. */
export class SniffingStage implements AnswerBody {
  readonly #beginning: BeginningReader;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #inner: AnswerBody | undefined;

  /**
   * @param ofModel does it come from an API of models?
   * @param open makes what takes the body
   * @param masked what it is has to be known
   */
  constructor(
    ofModel: boolean,
    private readonly open: (beginning: Beginning) => AnswerBody,
    private readonly masked: boolean,
  ) {
    this.#beginning = new BeginningReader(ofModel);
  }

  /** @throws HoopError `limit` for more white space than anything begins with */
  push(part: Uint8Array): Uint8Array {
    if (this.#inner !== undefined) return this.#inner.push(part);
    const beginning = this.#beginning.take(part);
    if (beginning === undefined) {
      this.#heldBytes += part.length;
      if (this.#heldBytes > MAX_BLANK_BYTES) return this.#tooBlank(part);
      // A copy: who gave the part may write it over.
      this.#held.push(part.slice());
      return NOTHING;
    }
    return this.#opened(beginning, part);
  }

  end(): Uint8Array {
    const rest = this.#inner === undefined ? this.#opened('text', NOTHING) : NOTHING;
    return Buffer.concat([rest, this.#inner?.end() ?? NOTHING]);
  }

  summary(): AnswerSummary {
    return this.#inner?.summary() ?? NOTHING_TOLD;
  }

  #tooBlank(part: Uint8Array): Uint8Array {
    if (!this.masked) return this.#opened('text', part);
    throw new HoopError('limit', `the answer begins with more than ${String(MAX_BLANK_BYTES)} bytes of white space`);
  }

  #opened(beginning: Beginning, part: Uint8Array): Uint8Array {
    const inner = this.open(beginning);
    this.#inner = inner;
    const bytes = this.#held.length === 0 ? part : Buffer.concat([...this.#held, part]);
    this.#held = [];
    return inner.push(bytes);
  }
}
