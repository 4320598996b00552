import type { AnswerBody, AnswerSummary } from '../../../../protocols/http/dialect.js';

const MARK = 'data:';
/** What some reader of lines takes for the end of one: CR and LF, and controls that no JSON holds. */
const LINE_ENDS = new Set([0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e]);
const BLANKS = new Set([0x20, 0x09]);
/** `{`, `[`, `"`, or nothing, and the data goes on in the next line. */
const OPENS_DATA = new Set([0x7b, 0x5b, 0x22, 0x0a, 0x0d]);
/** Blanks that are waited through to see what the data begins with, in bytes. */
const MAX_BLANKS = 64;
const NOTHING = Buffer.alloc(0);

/**
 * The answer to a request for a stream that begins as something else. SDKs read it as an event stream all the same, and pass
 * over lines that are no fields: from the first line on that holds data of an event, it is one.
 */
export class LateEvents implements AnswerBody {
  /** What may be the beginning of such a line. */
  #held: Buffer = NOTHING;
  /** The byte before it. */
  #before = 0x0a;
  #events: AnswerBody | undefined;

  /** @param open makes what takes the event stream */
  constructor(
    private readonly inner: AnswerBody,
    private readonly open: () => AnswerBody,
  ) {}

  push(part: Uint8Array): Uint8Array {
    if (this.#events !== undefined) return this.#events.push(part);
    const bytes = Buffer.concat([this.#held, part]);
    const { at, found } = lineOfData(bytes, this.#before);
    const other = bytes.subarray(0, at);
    if (!found) {
      this.#held = bytes.subarray(at);
      this.#before = other.at(-1) ?? this.#before;
      return this.inner.push(other);
    }
    this.#held = NOTHING;
    const parts = [this.inner.push(other), this.inner.end()];
    this.#events = this.open();
    return Buffer.concat([...parts, this.#events.push(bytes.subarray(at))]);
  }

  end(): Uint8Array {
    if (this.#events !== undefined) return this.#events.end();
    return Buffer.concat([this.inner.push(this.#held), this.inner.end()]);
  }

  broken(): Uint8Array {
    return (this.#events ?? this.inner).broken?.() ?? NOTHING;
  }

  summary(): AnswerSummary {
    return (this.#events ?? this.inner).summary();
  }
}

/** Where such a line stands, or where what may become one begins; the end where there is none. */
function lineOfData(bytes: Buffer, before: number): { readonly at: number; readonly found: boolean } {
  const begins = (at: number): boolean => LINE_ENDS.has(at === 0 ? before : (bytes[at - 1] ?? 0));
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    if (!begins(at)) continue;
    let next = at + MARK.length;
    while (BLANKS.has(bytes[next] ?? 0)) next += 1;
    if (next - at > MARK.length + MAX_BLANKS || OPENS_DATA.has(bytes[next] ?? 0)) return { at, found: true };
    if (next === bytes.length) return { at, found: false };
  }
  for (let length = Math.min(MARK.length - 1, bytes.length); length > 0; length -= 1) {
    const at = bytes.length - length;
    if (begins(at) && bytes.toString('latin1', at) === MARK.slice(0, length)) return { at, found: false };
  }
  return { at: bytes.length, found: false };
}
