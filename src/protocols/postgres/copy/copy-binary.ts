/**
 * Cuts the stream of a COPY in binary form, however it is spread over messages, and puts it together again.
 *
 *     header    "PGCOPY\n\377\r\n\0", flags u32 (bit 16: object ids), length u32 of more, and so many bytes
 *     tuple     count i16, then length i32 (-1 NULL) and bytes for each field
 *     trailer   -1 as i16
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
 */
import { concatBytes } from '../../../core/bytes.js';
import { int32, uint16, uint32 } from '../wire/frames.js';
import type { Cell } from '../values/value-masker.js';

const SIGNATURE = Uint8Array.of(0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00);
const HEADER_BYTES = SIGNATURE.length + 8;
const OBJECT_IDS = 0x1_0000;
/** Bits above 15 change how the file is to be read; only one of them was ever given a meaning. */
const CRITICAL = 0xffff_0000;
/** The server writes none. */
const MAX_EXTENSION_BYTES = 1_024;
const TRAILER = 0xffff;
const NOTHING = new Uint8Array(0);

/** Masks one field of `count`; `malformed` where it can't be one of that row. */
export type MaskField = (value: Uint8Array, index: number, count: number) => Cell | 'malformed';

/** More bytes are needed. */
const MORE = -1;

export class CopyBinaryCutter {
  #held: Uint8Array = NOTHING;
  #expects: 'header' | 'tuple' | 'nothing' = 'header';
  #malformed = false;
  /** Before version 12 a row's object id stood before its fields, and was not counted as one. */
  #objectIds = false;

  constructor(private readonly maxHeldBytes: number) {}

  /**
   * @returns what may go out, `payload` itself when nothing changed; undefined when the stream is malformed,
   *   from then on always
   */
  push(payload: Uint8Array, mask: MaskField): Uint8Array | undefined {
    const bytes = this.#held.length === 0 ? payload : concatBytes([this.#held, payload]);
    this.#held = NOTHING;
    const out: Uint8Array[] = [];
    let changed = bytes !== payload;
    let at = 0;
    while (at < bytes.length && !this.#malformed) {
      const end = this.#expects === 'header' ? this.#headerEnd(bytes) : this.#tupleEnd(bytes, at);
      if (end === MORE) break;
      const whole = bytes.subarray(at, end);
      const masked = this.#take(whole, mask);
      if (masked === undefined) return undefined;
      changed ||= masked !== whole;
      out.push(masked);
      at = end;
    }
    this.#malformed ||= bytes.length - at > this.maxHeldBytes;
    if (this.#malformed) return undefined;
    if (at < bytes.length) {
      this.#held = new Uint8Array(bytes.subarray(at));
      changed = true;
    }
    if (!changed) return payload;
    return out.length === 0 ? NOTHING : concatBytes(out);
  }

  #headerEnd(bytes: Uint8Array): number {
    const known = SIGNATURE.every((byte, index) => index >= bytes.length || bytes[index] === byte);
    if (!known) return this.#fail();
    if (bytes.length < HEADER_BYTES) return MORE;
    const flags = uint32(bytes, SIGNATURE.length);
    const more = uint32(bytes, SIGNATURE.length + 4);
    if ((flags & CRITICAL & ~OBJECT_IDS) !== 0 || more > MAX_EXTENSION_BYTES) return this.#fail();
    this.#objectIds = (flags & OBJECT_IDS) !== 0;
    return HEADER_BYTES + more <= bytes.length ? HEADER_BYTES + more : MORE;
  }

  #tupleEnd(bytes: Uint8Array, from: number): number {
    if (this.#expects === 'nothing') return this.#fail();
    if (from + 2 > bytes.length) return MORE;
    const count = uint16(bytes, from);
    if (count === TRAILER) return from + 2;
    if (count > 0x7fff) return this.#fail();
    let at = from + 2;
    for (let index = 0; index < this.#fields(count); index += 1) {
      if (at + 4 > bytes.length) return MORE;
      const length = int32(bytes, at);
      if (length < -1) return this.#fail();
      at += 4 + Math.max(0, length);
    }
    return at <= bytes.length ? at : MORE;
  }

  #take(whole: Uint8Array, mask: MaskField): Uint8Array | undefined {
    if (this.#malformed) return undefined;
    if (this.#expects === 'header') {
      this.#expects = 'tuple';
      // Nobody knows what an extension says: none goes out.
      return whole.length === HEADER_BYTES ? whole : withoutExtension(whole);
    }
    if (uint16(whole, 0) === TRAILER) {
      this.#expects = 'nothing';
      return whole;
    }
    return this.#tuple(whole, mask);
  }

  #tuple(whole: Uint8Array, mask: MaskField): Uint8Array | undefined {
    const count = uint16(whole, 0);
    const out: Uint8Array[] = [];
    const first = this.#fields(count) - count;
    let kept = 0;
    let at = 2;
    for (let index = -first; index < count; index += 1) {
      const length = int32(whole, at);
      const end = at + 4 + Math.max(0, length);
      const cell = length === -1 || index < 0 ? undefined : mask(whole.subarray(at + 4, end), index, count);
      if (cell === 'malformed') {
        this.#malformed = true;
        return undefined;
      }
      if (cell !== undefined) {
        out.push(whole.subarray(kept, at), lengthOf(cell), cell ?? NOTHING);
        kept = end;
      }
      at = end;
    }
    if (out.length === 0) return whole;
    out.push(whole.subarray(kept));
    return concatBytes(out);
  }

  #fields(count: number): number {
    return count + (this.#objectIds ? 1 : 0);
  }

  #fail(): number {
    this.#malformed = true;
    return MORE;
  }
}

function withoutExtension(header: Uint8Array): Uint8Array {
  const bare = new Uint8Array(header.subarray(0, HEADER_BYTES));
  bare.fill(0, SIGNATURE.length + 4);
  return bare;
}

function lengthOf(cell: Uint8Array | null): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, cell?.length ?? -1);
  return bytes;
}
