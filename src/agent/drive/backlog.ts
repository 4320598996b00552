import { KeptChunks } from '../../core/bytes.js';

/** Bytes of a client that are read ahead while its statement is decided: enough to see it hang up. */
const MAX_BYTES = 1 << 20;

/** What a client sent while its statement was decided, in order. */
export class Backlog {
  readonly #chunks = new KeptChunks();

  /** No more should be read from the client. */
  get full(): boolean {
    return this.bytes > MAX_BYTES;
  }

  get bytes(): number {
    return this.#chunks.length;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  shift(): Uint8Array | undefined {
    return this.#chunks.shift();
  }
}
