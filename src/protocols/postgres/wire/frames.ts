/**
 * Cuts what a Postgres client sends after start-up into frames, however the network sliced it.
 *
 *     0      1            5
 *     +------+------------+-----------+
 *     | type | length u32 | body …    |      length counts itself, not the type
 *     +------+------------+-----------+
 *
 * @see https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
 */
import { ByteQueue, decodeUtf8 } from '../../../core/bytes.js';
import type { Fault } from '../../../core/errors.js';

/** One whole message. `bytes` starts at the type; `body` behind the length. */
export interface Frame {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Set where the message was over the limit: its size in bytes. Its body was thrown away unread, `bytes` is the header. */
  readonly oversizeBytes?: number;
}

export const HEADER_BYTES = 5;

/** Message types, by their byte. Both directions reuse letters; names tell which. */
export const CLIENT = {
  bind: 0x42,
  close: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  describe: 0x44,
  execute: 0x45,
  flush: 0x48,
  functionCall: 0x46,
  parse: 0x50,
  query: 0x51,
  sync: 0x53,
  terminate: 0x58,
} as const;

export const SERVER = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyBoth: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  copyIn: 0x47,
  copyOut: 0x48,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  functionResult: 0x56,
  negotiateVersion: 0x76,
  noData: 0x6e,
  notice: 0x4e,
  notification: 0x41,
  parameterDescription: 0x74,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  portalSuspended: 0x73,
  readyForQuery: 0x5a,
  rowDescription: 0x54,
} as const;

export function uint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x1000000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  );
}

export function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Holds no socket, clock or policy. A fault is final: a peer that lied about one length lost our trust in the next. */
export class FrameParser {
  readonly #held = new ByteQueue();
  #fault: Fault | undefined;
  /** Bytes of an oversized body still to be thrown away. */
  #skip = 0;

  /** @param limits.maxFrameBytes largest frame kept, in bytes, header included; asked for each frame */
  constructor(private readonly limits: { maxFrameBytes(type: number): number }) {}

  push(chunk: Uint8Array): void {
    this.#held.push(chunk);
    this.#discard();
  }

  /** The next whole frame; undefined when more bytes are needed; a fault, from then on always. */
  next(): Frame | Fault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    if (this.#held.length < HEADER_BYTES) return undefined;
    const type = this.#held.byteAt(0) as number;
    const length = this.#uint32At(1);
    if (length < 4)
      return (this.#fault = {
        code: 'protocol',
        message: `expected a message length of 4 or more, got ${String(length)}`,
      });
    const total = length + 1;
    if (total > this.limits.maxFrameBytes(type)) {
      const header = this.#held.take(HEADER_BYTES) as Uint8Array;
      this.#skip = total - HEADER_BYTES;
      this.#discard();
      return { type, bytes: header, oversizeBytes: total };
    }
    const bytes = this.#held.take(total);
    return bytes === undefined ? undefined : { type, bytes };
  }

  /** The type of the next message, once its header is there. */
  get nextType(): number | undefined {
    return this.#held.length < HEADER_BYTES ? undefined : this.#held.byteAt(0);
  }

  #uint32At(offset: number): number {
    let value = 0;
    for (let index = 0; index < 4; index += 1) value = value * 256 + (this.#held.byteAt(offset + index) as number);
    return value;
  }

  #discard(): void {
    if (this.#skip === 0) return;
    const gone = this.#held.take(Math.min(this.#skip, this.#held.length));
    this.#skip -= gone?.length ?? 0;
  }

  /** Everything that no frame has taken; the parser is empty afterwards. */
  rest(): Uint8Array {
    return this.#held.takeAll();
  }

  /** Bytes that no frame has taken yet. */
  get heldBytes(): number {
    return this.#held.length;
  }
}

/** Reads the body of one message. Anything that does not fit sets `failed` and reads as empty or zero. */
export class BodyReader {
  failed = false;
  #at: number;
  readonly #end: number;

  constructor(
    private readonly bytes: Uint8Array,
    from: number = HEADER_BYTES,
  ) {
    this.#at = from;
    this.#end = bytes.length;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    if (!this.#has(1)) return 0;
    return this.bytes[this.#at++] as number;
  }

  uint16(): number {
    if (!this.#has(2)) return 0;
    this.#at += 2;
    return uint16(this.bytes, this.#at - 2);
  }

  int32(): number {
    if (!this.#has(4)) return 0;
    this.#at += 4;
    return int32(this.bytes, this.#at - 4);
  }

  /** Bytes up to the next NUL, which is taken and left out. */
  cstringBytes(): Uint8Array {
    const end = this.bytes.indexOf(0, this.#at);
    if (end === -1 || end >= this.#end) {
      this.failed = true;
      return new Uint8Array(0);
    }
    const value = this.bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return value;
  }

  cstring(): string {
    return decodeUtf8(this.cstringBytes());
  }

  /** Exactly `count` bytes. */
  take(count: number): Uint8Array {
    if (count < 0 || !this.#has(count)) {
      this.failed = true;
      return new Uint8Array(0);
    }
    this.#at += count;
    return this.bytes.subarray(this.#at - count, this.#at);
  }

  /** A 16-bit length and so many items; fails before reading more items than the body can hold. */
  list<T>(itemBytes: number, read: () => T): T[] {
    const count = this.uint16();
    if (count * itemBytes > this.remaining) this.failed = true;
    const items: T[] = [];
    for (let index = 0; index < count && !this.failed; index += 1) items.push(read());
    return items;
  }

  #has(count: number): boolean {
    if (this.#at + count <= this.#end) return true;
    this.failed = true;
    return false;
  }
}

/** Is a message of this type one of them? By index: asked for every message. */
export function typeSet(types: Iterable<number>): { has(type: number): boolean } {
  const table = new Uint8Array(256);
  for (const type of types) table[type] = 1;
  return { has: (type) => table[type] === 1 };
}

/** The end of the run of whole messages of one type that begins at `at`. */
export function runEnd(bytes: Uint8Array, at: number, type: number): number {
  let end = at;
  while (bytes.length - end >= HEADER_BYTES && bytes[end] === type) {
    const next = end + 1 + uint32(bytes, end + 1);
    if (next < end + HEADER_BYTES || next > bytes.length) break;
    end = next;
  }
  return end;
}
