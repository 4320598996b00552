import { int32 } from '../../protocols/postgres/wire/frames.js';

/** Bytes of a message's type and length. */
const HEADER_BYTES = 5;
/** The length counts its own bytes. */
const LENGTH_BYTES = 4;
const SINGLE_BYTE_ANSWERS = new Set([0x4e, 0x53, 0x47]); // N, S, G: the answers to SSLRequest and GSSENCRequest

const READY_FOR_QUERY = 0x5a; // Z

/**
 * Follows what a Postgres server sends, to know one thing: does the next byte begin a message? Only
 * there may an error be put in without breaking the client's reading.
 *
 * Before the first message (`R`, `E` or `v`) a lone `N`, `S` or `G` answers a request for encryption;
 * after it, `N` is a NoticeResponse.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
export class PostgresBoundary {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #remaining = 0;
  #started = false;
  #lost = false;
  #lastType = 0;

  /** True where a message has just ended, or none has begun. */
  get atBoundary(): boolean {
    return !this.#lost && this.#remaining === 0 && this.#headerFilled === 0;
  }

  /** The last whole message said that the server waits for a statement. */
  get isReady(): boolean {
    return this.atBoundary && this.#lastType === READY_FOR_QUERY;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#lost) {
      if (this.#remaining > 0) {
        const skipped = Math.min(this.#remaining, bytes.length - at);
        this.#remaining -= skipped;
        at += skipped;
      } else if (this.#started && this.#headerFilled === 0 && bytes.length - at >= HEADER_BYTES) {
        at = this.#skipMessages(bytes, at);
      } else {
        const byte = bytes[at] as number;
        at += 1;
        if (!this.#started && this.#headerFilled === 0 && SINGLE_BYTE_ANSWERS.has(byte)) continue;
        this.#takeHeaderByte(byte);
      }
    }
  }

  /**
   * Whole headers, one after another, read where they lie: a result of many small rows is mostly headers.
   *
   * @returns where the body of the last message goes on, or fewer bytes than a header are left
   */
  #skipMessages(bytes: Uint8Array, start: number): number {
    let at = start;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = int32(bytes, at + 1);
      this.#lastType = bytes[at] as number;
      if (length < LENGTH_BYTES) {
        this.#lost = true;
        return at;
      }
      const end = at + 1 + length;
      if (end > bytes.length) {
        this.#remaining = end - at - HEADER_BYTES;
        return at + HEADER_BYTES;
      }
      at = end;
    }
    return at;
  }

  #takeHeaderByte(byte: number): void {
    this.#started = true;
    this.#header[this.#headerFilled] = byte;
    this.#headerFilled += 1;
    if (this.#headerFilled < HEADER_BYTES) return;
    this.#headerFilled = 0;
    const length = int32(this.#header, 1);
    // A length below its own four bytes: where the next message starts can't be known any more.
    if (length < LENGTH_BYTES) this.#lost = true;
    else this.#remaining = length - LENGTH_BYTES;
    this.#lastType = this.#header[0] as number;
  }
}
