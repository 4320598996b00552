import { hash as digest } from 'node:crypto';

import { HoopError } from '../core/errors.js';
import type { RecordedEvent } from '../core/events.js';
import { MAX_LINE_BYTES } from './chain.js';
import type { Link, SealEvent } from './chain.js';
import { lineParts } from './line-parts.js';
import { tooManyValues } from './read.js';

/** Kept between writes; more is given back. */
const KEPT_BYTES = 64 * 1024;
const FIRST_BYTES = 4 * 1024;
/** `,"hash":"`, 64 digits, `"` */
const HASH_MEMBER_BYTES = 9 + 64 + 1;
const CLOSING_BRACE = 0x7d;
const NEWLINE = 0x0a;

/**
 * Lines on their way to a file, as bytes: each is written once, hashed where it stands and gets its hash put
 * in, so that no text of it is ever joined or encoded twice.
 */
export class LineBuffer {
  #bytes: Buffer | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /**
   * Adds the line of an event.
   *
   * @returns its hash, the `prev` of the next one
   * @throws HoopError `recording_failed` for a line that a verifier would refuse to read, TypeError for an event
   *   without a JSON form; the buffer is as before then
   */
  append(event: RecordedEvent | SealEvent, link: Link): string {
    const { head, tail } = lineParts(event, link);
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const bytes = this.#room(3 * (head.length + tail.length) + HASH_MEMBER_BYTES + 2);
    const start = this.#length;
    const place = start + bytes.write(head, start);
    let end = place + bytes.write(tail, place);
    bytes[end++] = CLOSING_BRACE;
    const hash = digest('sha256', bytes.subarray(start, end), 'hex');
    bytes.copyWithin(place + HASH_MEMBER_BYTES, place, end);
    bytes.write(`,"hash":"${hash}"`, place, 'latin1');
    end += HASH_MEMBER_BYTES;
    if (end - start > MAX_LINE_BYTES / 3) assertReadable(bytes.subarray(start, end));
    bytes[end++] = NEWLINE;
    this.#length = end;
    return hash;
  }

  /** Everything added since the last time; good until the next `append`. */
  take(): Uint8Array {
    const taken = this.#bytes?.subarray(0, this.#length) ?? new Uint8Array(0);
    this.#length = 0;
    if (taken.length > KEPT_BYTES) this.#bytes = undefined;
    return taken;
  }

  /** Forgets what was added, and gives its memory back. */
  clear(): void {
    this.#bytes = undefined;
    this.#length = 0;
  }

  #room(count: number): Buffer {
    const needed = this.#length + count;
    if (this.#bytes !== undefined && this.#bytes.length >= needed) return this.#bytes;
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#length, needed));
    if (this.#bytes !== undefined) this.#bytes.copy(grown, 0, 0, this.#length);
    return (this.#bytes = grown);
  }
}

/** What the verifier would refuse to read is not written. */
function assertReadable(line: Uint8Array): void {
  if (line.length > MAX_LINE_BYTES || tooManyValues(line)) {
    throw new HoopError('recording_failed', `an event is larger than ${MAX_LINE_BYTES} bytes or holds too many values`);
  }
}
