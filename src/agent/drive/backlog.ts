/** Bytes of a client that are read ahead while its statement is decided: enough to see it hang up. */
const MAX_BYTES = 1 << 20;

/** What a client sent while its statement was decided, in order. */
export class Backlog {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** No more should be read from the client. */
  get full(): boolean {
    return this.#bytes > MAX_BYTES;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  shift(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    this.#bytes -= chunk?.length ?? 0;
    return chunk;
  }
}
