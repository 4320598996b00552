/** Bytes of a message's type and length. */
const HEADER_BYTES = 5;
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
      } else {
        const byte = bytes[at] as number;
        at += 1;
        if (!this.#started && this.#headerFilled === 0 && SINGLE_BYTE_ANSWERS.has(byte)) continue;
        this.#takeHeaderByte(byte);
      }
    }
  }

  #takeHeaderByte(byte: number): void {
    this.#started = true;
    this.#header[this.#headerFilled] = byte;
    this.#headerFilled += 1;
    if (this.#headerFilled < HEADER_BYTES) return;
    this.#headerFilled = 0;
    const length = new DataView(this.#header.buffer).getInt32(1);
    // A length below its own four bytes: where the next message starts can't be known any more.
    if (length < 4) this.#lost = true;
    else this.#remaining = length - 4;
    this.#lastType = this.#header[0] as number;
  }
}
