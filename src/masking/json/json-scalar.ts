import { concatBytes } from '../../core/bytes.js';
import { isJsonSpace } from '../finding/byte-classes.js';
import { codes } from '../finding/entity.js';

/** No number that means something is longer: it is masked. */
const MAX_NUMBER_BYTES = 1_000;
/** White space of which more ends everything that may be found. */
const MAX_SPACE_BYTES = 16;

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Bytes of numbers and of `true`, `false`, `null`. */
const IN_SCALAR = new Uint8Array(256);
for (const char of '0123456789+-.eEtrufalsn') IN_SCALAR[char.charCodeAt(0)] = 1;

/**
 * A number or word of a JSON text, held with the white space behind it until what follows shows that it was one:
 * numbers side by side are no JSON, and may be one number as text.
 */
export class JsonScalar {
  #parts: Uint8Array[] = [];
  #tokenBytes = 0;
  #spaceBytes = 0;
  #long = false;

  /** There is white space enough behind it to go on without looking further. */
  get spaced(): boolean {
    return this.#spaceBytes >= MAX_SPACE_BYTES;
  }

  /** Takes what belongs to it. @returns the offset behind */
  take(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#spaceBytes === 0) while (at < bytes.length && IN_SCALAR[bytes[at] as number] === 1) at += 1;
    this.#tokenBytes += at - from;
    this.#long ||= this.#tokenBytes > MAX_NUMBER_BYTES;
    if (this.#long) this.#parts = [];
    const space = at;
    while (at < bytes.length && !this.spaced && isJsonSpace(bytes[at] as number)) {
      at += 1;
      this.#spaceBytes += 1;
    }
    this.#parts.push(bytes.slice(this.#long ? space : from, at));
    return at;
  }

  /** All that is held. */
  bytes(): Uint8Array {
    return concatBytes(this.#parts);
  }

  valid(): boolean {
    if (this.#long) return true;
    const text = textOf(this.#token());
    return text === 'true' || text === 'false' || text === 'null' || NUMBER.test(text);
  }

  /** Undefined where it is too long to be shown. */
  token(): Uint8Array | undefined {
    return this.#long ? undefined : this.#token();
  }

  space(): Uint8Array {
    const bytes = this.bytes();
    return bytes.subarray(bytes.length - this.#spaceBytes);
  }

  static isNumber(bytes: Uint8Array): boolean {
    return NUMBER.test(textOf(bytes));
  }

  #token(): Uint8Array {
    return this.bytes().subarray(0, this.#tokenBytes);
  }
}

/**
 * The offset behind a short integer, `true`, `false` or `null` that stands at `at` as a whole, with a comma or closing
 * bracket right behind it; -1 for anything else, which has to be looked at closer.
 */
export function plainScalarEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && end - at < MAX_PLAIN_BYTES && IN_SCALAR[bytes[end] as number] === 1) end += 1;
  if (end >= bytes.length) return -1;
  const follows = bytes[end];
  if (follows !== 0x2c && follows !== 0x5d && follows !== 0x7d) return -1;
  const first = bytes[at] as number;
  if (first > 0x39) return WORDS.some((word) => standsAt(bytes, at, end, word)) ? end : -1;
  if (first < 0x31) return first === 0x30 && end === at + 1 ? end : -1;
  for (let index = at + 1; index < end; index += 1)
    if ((bytes[index] as number) < 0x30 || (bytes[index] as number) > 0x39) return -1;
  return end;
}

const MAX_PLAIN_BYTES = 24;
const WORDS = ['true', 'false', 'null'].map(codes);

function standsAt(bytes: Uint8Array, at: number, end: number, word: readonly number[]): boolean {
  return end - at === word.length && word.every((byte, index) => bytes[at + index] === byte);
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
