import { brokenCharLength, wideLetterLengthBefore } from './byte-classes.js';
import { MAX_OPEN_BYTES } from './entity.js';
import { LEADING, LOCAL } from '../entities/email.js';

/** The longest character, in bytes. */
const MAX_CHAR = 4;

/**
 * Follows the word at the end of a text that comes in parts: the local part of an address may be any word. Reads
 * each byte once, however long the word gets.
 */
export class LocalWord {
  /** Its first byte that an address may begin with. */
  #lead = 0;
  /** How far the text was read; behind it a character may stand of which bytes are missing. */
  #to = 0;

  /** Reads on to `end`. @returns the least offset where an address may begin whose `@` has not come */
  readTo(bytes: Uint8Array, end: number): number {
    const stop = end - brokenCharLength(bytes, 0, end);
    let from = stop;
    while (from > this.#to) {
      const before = bytes[from - 1] as number;
      const length = before < 0x80 ? (LOCAL[before] as number) : wideLetterLengthBefore(bytes, from, 0);
      if (length === 0) break;
      from -= length;
    }
    const begins = from > this.#to;
    if (begins || this.#lead >= this.#to) {
      this.#lead = begins ? from : this.#to;
      while (this.#lead < stop && LEADING[bytes[this.#lead] as number] === 1) this.#lead += 1;
    }
    this.#to = stop;
    return Math.max(this.#lead, end - MAX_OPEN_BYTES - MAX_CHAR);
  }

  /** The first `count` bytes are gone. */
  shift(count: number): void {
    this.#lead -= count;
    this.#to -= count;
  }
}
