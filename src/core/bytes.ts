/** A chunk smaller than this is copied behind the one before: an array of its own costs some hundred bytes. */
const SMALL_BYTES = 1024;
const BLOCK_BYTES = 16 * 1024;
/** A chunk that is a smaller part of its memory than one in so many is copied: kept as it is, it would hold all of that. */
const LEAST_PART = 4;

/**
 * Chunks that have to wait, in order. What they hold of memory is about their bytes, however the other end has cut them:
 * 8 MiB that come a byte at a time would else take 1 GiB.
 */
export class KeptChunks {
  readonly #chunks: Uint8Array[] = [];
  /** The last chunk where it is a copy of ours with room left behind it. */
  #block: Uint8Array | undefined;
  #filled = 0;
  #bytes = 0;

  /** In bytes. */
  get length(): number {
    return this.#bytes;
  }

  get first(): Uint8Array | undefined {
    return this.#chunks[0];
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#bytes += chunk.length;
    const fills = chunk.length * LEAST_PART >= chunk.buffer.byteLength;
    // The only one: it is mostly taken at once.
    if (this.#chunks.length === 0 || (chunk.length >= SMALL_BYTES && fills)) this.#add(chunk);
    else if (chunk.length >= BLOCK_BYTES) this.#add(chunk.slice());
    else this.#copy(chunk);
  }

  shift(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    this.#bytes -= chunk?.length ?? 0;
    if (this.#chunks.length === 0) this.#block = undefined;
    return chunk;
  }

  /** Leaves so many bytes of the first chunk out, and makes one of all: the only one then; empty where there is none. */
  join(leftOut = 0): Uint8Array {
    const [first = new Uint8Array(0), ...rest] = this.#chunks;
    const joined = concatBytes([first.subarray(leftOut), ...rest]);
    this.clear();
    this.push(joined);
    return joined;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#block = undefined;
    this.#bytes = 0;
  }

  #add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#block = undefined;
  }

  #copy(chunk: Uint8Array): void {
    if (this.#block === undefined || this.#filled + chunk.length > BLOCK_BYTES) {
      this.#add(new Uint8Array(0));
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#filled = 0;
    }
    this.#block.set(chunk, this.#filled);
    this.#filled += chunk.length;
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#filled);
  }
}

/** Bytes in order, taken off the front; joins chunks only when a read spans them. */
export class ByteQueue {
  readonly #chunks = new KeptChunks();
  /** Taken of the first chunk. */
  #offset = 0;

  /** Bytes held. */
  get length(): number {
    return this.#chunks.length - this.#offset;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  /** The next `count` bytes without taking them; undefined when fewer are held. */
  peek(count: number): Uint8Array | undefined {
    if (count > this.length) return undefined;
    const first = this.#chunks.first;
    if (first === undefined) return new Uint8Array(0);
    const from = first.length - this.#offset < count ? this.#join() : first;
    return from.subarray(this.#offset, this.#offset + count);
  }

  /** Takes `count` bytes off the front; undefined, and nothing taken, when fewer are held. */
  take(count: number): Uint8Array | undefined {
    const bytes = this.peek(count);
    if (bytes === undefined) return undefined;
    this.#offset += count;
    if (this.#offset === this.#chunks.first?.length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
    return bytes;
  }

  /** Everything held, as one array; the queue is empty afterwards. */
  takeAll(): Uint8Array {
    return this.take(this.length) ?? new Uint8Array(0);
  }

  /** The byte at `offset` from the front, without taking it; undefined when fewer are held. */
  byteAt(offset: number): number | undefined {
    if (offset >= this.length) return undefined;
    const first = this.#chunks.first as Uint8Array;
    const from = first.length - this.#offset <= offset ? this.#join() : first;
    return from[this.#offset + offset];
  }

  #join(): Uint8Array {
    const joined = this.#chunks.join(this.#offset);
    this.#offset = 0;
    return joined;
  }
}

/** Text up to this length is put together here: calling a decoder costs more than it does. */
const SHORT_BYTES = 24;
const utf8 = new TextDecoder();

/** UTF-8 as text, as `TextDecoder` gives it: a byte order mark in front is left out, what is malformed becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length > SHORT_BYTES) return utf8.decode(bytes);
  let text = '';
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number;
    if (byte >= 0x80) return utf8.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** One array of all parts, in order; the part itself where there is only one. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
