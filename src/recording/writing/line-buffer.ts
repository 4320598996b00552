import { hash as digest } from 'node:crypto';

import { HoopError } from '../../core/errors.js';
import type { RecordedEvent } from '../../core/events.js';
import { MAX_LINE_BYTES } from '../chain.js';
import type { Link, SealEvent } from '../chain.js';
import { lineParts } from './line-parts.js';
import { tooManyValues } from '../reading/read.js';

const FIRST_BYTES = 8 * 1024;
/** Larger buffers are given back to the system. */
const KEPT_BYTES = 64 * 1024;
/** Buffers kept for whoever writes next: sessions need one between an event and its write only. */
const MAX_SPARE = 32;
const spare: Buffer[] = [];
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
    const bytes = this.#room(mostBytes(head) + mostBytes(tail) + HASH_MEMBER_BYTES + 2);
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

  /** Hands over everything added since the last time, for as long as `write` runs; it is forgotten whatever `write` does. */
  drain(write: (bytes: Uint8Array) => void): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    const length = this.#length;
    this.#bytes = undefined;
    this.#length = 0;
    try {
      write(bytes.subarray(0, length));
    } finally {
      giveBack(bytes);
    }
  }

  /** Forgets what was added. */
  clear(): void {
    if (this.#bytes !== undefined) giveBack(this.#bytes);
    this.#bytes = undefined;
    this.#length = 0;
  }

  #room(count: number): Buffer {
    const needed = this.#length + count;
    const held = this.#bytes;
    if (held !== undefined && held.length >= needed) return held;
    if (held === undefined && needed <= FIRST_BYTES)
      return (this.#bytes = spare.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES));
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#length, needed));
    if (held !== undefined) {
      held.copy(grown, 0, 0, this.#length);
      giveBack(held);
    }
    return (this.#bytes = grown);
  }
}

function giveBack(bytes: Buffer): void {
  if (spare.length < MAX_SPARE && bytes.length <= KEPT_BYTES) spare.push(bytes);
}

/** Bytes of UTF-8, or more: it takes at most three for a UTF-16 unit, and counting costs more than short texts are worth. */
function mostBytes(text: string): number {
  return text.length <= FIRST_BYTES / 8 ? 3 * text.length : Buffer.byteLength(text);
}

/** What the verifier would refuse to read is not written. */
function assertReadable(line: Uint8Array): void {
  if (line.length > MAX_LINE_BYTES || tooManyValues(line)) {
    throw new HoopError('recording_failed', `an event is larger than ${MAX_LINE_BYTES} bytes or holds too many values`);
  }
}
