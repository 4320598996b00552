/** Bytes in order, taken off the front; joins chunks only when a read spans them. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #offset = 0;
  #length = 0;

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next `count` bytes without taking them; undefined when fewer are held. */
  peek(count: number): Uint8Array | undefined {
    if (count > this.#length) return undefined;
    const first = this.#chunks[0];
    if (first === undefined) return new Uint8Array(0);
    if (first.length - this.#offset < count) this.#join();
    const head = this.#chunks[0] as Uint8Array;
    return head.subarray(this.#offset, this.#offset + count);
  }

  /** Takes `count` bytes off the front; undefined, and nothing taken, when fewer are held. */
  take(count: number): Uint8Array | undefined {
    const bytes = this.peek(count);
    if (bytes === undefined) return undefined;
    this.#offset += count;
    this.#length -= count;
    if (this.#chunks[0] !== undefined && this.#offset === this.#chunks[0].length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
    return bytes;
  }

  /** Everything held, as one array; the queue is empty afterwards. */
  takeAll(): Uint8Array {
    return this.take(this.#length) ?? new Uint8Array(0);
  }

  /** The byte at `offset` from the front, without taking it; undefined when fewer are held. */
  byteAt(offset: number): number | undefined {
    if (offset >= this.#length) return undefined;
    const first = this.#chunks[0] as Uint8Array;
    if (first.length - this.#offset <= offset) this.#join();
    return (this.#chunks[0] as Uint8Array)[this.#offset + offset];
  }

  #join(): void {
    const joined = new Uint8Array(this.#length);
    let at = 0;
    this.#chunks.forEach((chunk, index) => {
      const part = index === 0 ? chunk.subarray(this.#offset) : chunk;
      joined.set(part, at);
      at += part.length;
    });
    this.#chunks = [joined];
    this.#offset = 0;
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
