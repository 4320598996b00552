import { HoopError } from '../../../../core/errors.js';
import type { AnswerBody, AnswerSummary } from '../../../../protocols/http/dialect.js';
import { isNoText } from '../../../../protocols/http/bodies/inline-file.js';

/** So many characters tell what a file is. */
const TOLD_BY = 16;

/**
 * Bytes that say nothing of what they are, as files of model APIs come: they go on while they are text in UTF-8. Anything
 * else is a fault, since nothing would be found in it.
 */
export class TextBytes implements AnswerBody {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #beginning = '';

  constructor(private readonly inner: AnswerBody) {}

  /** @throws HoopError `protocol`: nothing of the part, or behind it, may go out */
  push(part: Uint8Array): Uint8Array {
    this.#read(part, true);
    return this.inner.push(part);
  }

  /** @throws HoopError `protocol` for half a character at the end */
  end(): Uint8Array {
    this.#read(new Uint8Array(), false);
    return this.inner.end();
  }

  summary(): AnswerSummary {
    return this.inner.summary();
  }

  #read(part: Uint8Array, stream: boolean): void {
    let text: string;
    try {
      text = this.#decoder.decode(part, { stream });
    } catch {
      throw notText();
    }
    if (this.#beginning.length >= TOLD_BY) return;
    this.#beginning += text.slice(0, TOLD_BY);
    if (isNoText(this.#beginning)) throw notText();
  }
}

function notText(): HoopError {
  return new HoopError('protocol', 'its bytes are no text and can not be inspected');
}
