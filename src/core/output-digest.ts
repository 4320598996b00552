import { copyBytes } from './copy-bytes.js';

/** A hash under way: SHA-256 wherever it is made. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** Hex; called once. */
  digest(): string;
}

/** What is said of an output of which the record holds only a part. */
export interface OutputDigest {
  /** Bytes that were hashed: all, or the first of them where there were more than are hashed. */
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly whole: boolean;
}

/** How much of an output is recorded. */
export interface RecordBounds {
  /** Rows of a result. */
  readonly rows: number;
  /** Of a result's rows, in characters; of a body, in bytes. */
  readonly bytes: number;
  /** Bytes of an output that are hashed where not all of it is recorded; 0: none. */
  readonly hashBytes: number;
}

/** Most outputs are recorded whole and need no hash: until one is longer than this, its bytes are only kept, in bytes. */
const KEPT_BYTES = 64 * 1024;

/** Hashes an output as it goes by, once it is clear that not all of it is recorded. */
export class DigestingOutput {
  readonly #kept: Uint8Array[] = [];
  #hash: RunningHash | undefined;
  #bytes = 0;
  #whole = true;

  /** @param newHash undefined: nothing is hashed */
  constructor(
    private readonly newHash: (() => RunningHash) | undefined,
    private readonly maxBytes: number,
  ) {}

  /** @param bytes what comes next of it, in pieces of any size; they may be changed afterwards */
  take(bytes: Uint8Array): void {
    if (this.newHash === undefined || this.maxBytes === 0) return;
    const room = this.maxBytes - this.#bytes;
    if (bytes.length > room) this.#whole = false;
    if (room === 0) return;
    const part = bytes.length > room ? bytes.subarray(0, room) : bytes;
    if (this.#hash === undefined && this.#bytes + part.length <= KEPT_BYTES) this.#kept.push(copyBytes(part));
    else this.#running(this.newHash).update(part);
    this.#bytes += part.length;
  }

  /** Of an output that is not recorded whole; called once. Undefined where nothing is hashed. */
  digest(): OutputDigest | undefined {
    if (this.newHash === undefined || this.maxBytes === 0) return undefined;
    return { bytes: this.#bytes, sha256: this.#running(this.newHash).digest(), whole: this.#whole };
  }

  #running(newHash: () => RunningHash): RunningHash {
    if (this.#hash !== undefined) return this.#hash;
    this.#hash = newHash();
    for (const part of this.#kept.splice(0)) this.#hash.update(part);
    return this.#hash;
  }
}
