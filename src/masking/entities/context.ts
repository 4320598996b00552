import { isLetter, opensWord } from '../finding/byte-classes.js';

/** How many bytes in front of a number a word may stand that says what the number is. Less than streams keep. */
export const CONTEXT_REACH = 64;

/** Words that say what a number near by is. */
export class ContextWords {
  /** By their first byte, in small letters. */
  readonly #byFirst: (Uint8Array[] | undefined)[] = Array.from({ length: 256 }, () => undefined);

  /** @param words in small letters; beyond ASCII they are known in small letters alone and in capitals alone */
  constructor(words: readonly string[]) {
    for (const word of words.flatMap((one) => [one, one.toUpperCase()])) {
      const bytes = new TextEncoder().encode(word).map(small);
      (this.#byFirst[bytes[0] as number] ??= []).push(bytes);
    }
  }

  /** Does one of the words stand in bytes[from,to), within reach of its end, with no letter beside it? */
  standBefore(bytes: Uint8Array, from: number, to: number): boolean {
    for (let at = Math.max(from, to - CONTEXT_REACH); at < to; at += 1)
      if (this.#standsAt(bytes, at, to) && opensWord(bytes, at, from)) return true;
    return false;
  }

  /** The same in raw wire bytes, where a length may stand in front of the word and escapes make the way longer: a yes may be wrong. */
  mayStandBefore(bytes: Uint8Array, to: number): boolean {
    for (let at = Math.max(0, to - 2 * CONTEXT_REACH); at < to; at += 1) if (this.#standsAt(bytes, at, to)) return true;
    return false;
  }

  #standsAt(bytes: Uint8Array, at: number, to: number): boolean {
    const words = this.#byFirst[small(bytes[at] as number)];
    if (words === undefined) return false;
    for (const word of words) if (standsAt(word, bytes, at, to)) return true;
    return false;
  }
}

function standsAt(word: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (at + word.length > end) return false;
  for (let index = 0; index < word.length; index += 1)
    if (small(bytes[at + index] as number) !== word[index]) return false;
  return at + word.length >= end || !isLetter(bytes[at + word.length] as number);
}

function small(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
