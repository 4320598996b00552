import { concatBytes } from '../../../core/bytes.js';
import { HoopError, isFault } from '../../../core/errors.js';
import { BeginningReader } from '../beginnings.js';
import type { AnswerBody, AnswerSummary } from '../dialect.js';
import { jsonForm, maskBodyPaths, type JsonForm } from './json-bodies.js';
import type { PathMaskOptions } from './path-masking.js';

export interface PathMaskedBodyOptions extends PathMaskOptions {
  /** The header's value; empty where none was sent. */
  readonly contentType: string;
  /** Most of a body, or of a line, that is held to be read, in bytes. */
  readonly maxBytes: number;
}

const NOTHING = new Uint8Array();
const NEWLINE = 0x0a;
const PASSING: AnswerBody = {
  push: (part) => part,
  end: () => NOTHING,
  summary: () => ({ toolCalls: [], text: [], characters: 0, begun: false }),
};

/**
 * Masks values at JSON paths before a body goes through the next stage, which masks entities. One JSON text is held
 * until it is whole; of lines and events only what is not a whole line yet; what can't be JSON is not held at all.
 *
 * `push` and `end` throw HoopError `limit` over `maxBytes`, and `protocol` for what should be JSON in UTF-8 and is
 * not: nothing more of the body may go out then.
 */
export class PathMaskedBody implements AnswerBody {
  readonly #next: AnswerBody;
  #form: JsonForm;
  readonly #beginning = new BeginningReader(false);
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #passed = false;
  /** Was it seen what it is? */
  #begun = false;

  /** @param next undefined where nothing else looks at the body */
  constructor(
    next: AnswerBody | undefined,
    private readonly options: PathMaskedBodyOptions,
  ) {
    this.#next = next ?? PASSING;
    this.#form = jsonForm(options.contentType);
  }

  push(part: Uint8Array): Uint8Array {
    if (this.#passed) return this.#next.push(part);
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#form === 'maybe' && !this.#begun) {
      const beginning = this.#beginning.take(part);
      this.#begun = beginning !== undefined;
      if (beginning === 'events') this.#form = 'events';
      if (beginning === 'text' || beginning === 'string') {
        this.#passed = true;
        return this.#next.push(this.#taken());
      }
    }
    const lines = this.#form === 'lines' || this.#form === 'events';
    const out = lines && part.includes(NEWLINE) ? this.#next.push(this.#masked(this.#wholeLines())) : NOTHING;
    if (this.#heldBytes > this.options.maxBytes)
      throw new HoopError('limit', `JSON that is masked by path is larger than ${String(this.options.maxBytes)} bytes`);
    return out;
  }

  end(): Uint8Array {
    if (this.#heldBytes === 0) return this.#next.end();
    const rest = this.#next.push(this.#masked(this.#taken()));
    return concatBytes([rest, this.#next.end()]);
  }

  summary(): AnswerSummary {
    return this.#next.summary();
  }

  /** What it is, whatever its type says. */
  #contentType(): string {
    return this.#form === 'events' ? 'text/event-stream' : this.options.contentType;
  }

  #taken(): Uint8Array {
    const [only = NOTHING] = this.#held;
    const taken = this.#held.length > 1 ? concatBytes(this.#held) : only;
    this.#held = [];
    this.#heldBytes = 0;
    return taken;
  }

  /** Up to the last line end; the rest is held on. */
  #wholeLines(): Uint8Array {
    const all = this.#taken();
    const end = all.lastIndexOf(NEWLINE) + 1;
    this.#held = [all.subarray(end)];
    this.#heldBytes = all.length - end;
    return all.subarray(0, end);
  }

  #masked(bytes: Uint8Array): Uint8Array {
    const masked = maskBodyPaths(textOf(bytes), this.#contentType(), this.options);
    if (isFault(masked)) throw HoopError.fromFault(masked);
    return masked === undefined ? bytes : new TextEncoder().encode(masked);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HoopError('protocol', 'JSON that is masked by path is not UTF-8', { cause });
  }
}
