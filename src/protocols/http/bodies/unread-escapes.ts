import { HoopError } from '../../../core/errors.js';
import type { MaskedStream } from '../../../masking/streams/stream-masker.js';

/**
 * `\u0040` and the like: escapes of ASCII, which need none, and which no mask finds in what can't be read as JSON. Not
 * those of `<`, `>`, `&`, `'` and `=`, which some encoders write for the sake of HTML.
 */
const ESCAPE = /\\u00(?!26|27|3c|3d|3e)[2-7][0-9a-f]/i;
/** What of an escape may stand at the end of one part. */
const LONGEST_BEGINNING = 5;
const NOTHING = '';

/** Readers that take more than JSON for JSON (`NaN`, comments, a comma too many) would undo escapes behind it. */
export function hasUnreadEscapes(text: string): boolean {
  return ESCAPE.test(text);
}

/** JSON that is masked as it comes; where it turns out to be none, escapes in it are a fault. */
export class CheckedJson implements MaskedStream {
  #tail = NOTHING;

  constructor(private readonly stream: MaskedStream) {}

  /** @throws HoopError `protocol`: nothing of the part, or behind it, may go out */
  push(part: Uint8Array): Uint8Array {
    const out = this.stream.push(part);
    if (this.stream.broken === true) {
      const text = this.#tail + new TextDecoder('latin1').decode(part);
      if (hasUnreadEscapes(text))
        throw new HoopError('protocol', 'it is no JSON, and has escapes that can not be read');
      this.#tail = text.slice(-LONGEST_BEGINNING);
    } else if (part.length > 0)
      this.#tail = (this.#tail + new TextDecoder('latin1').decode(part.subarray(-LONGEST_BEGINNING))).slice(
        -LONGEST_BEGINNING,
      );
    return out;
  }

  end(): Uint8Array {
    return this.stream.end();
  }
}
