import { concatBytes } from '../core/bytes.js';

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
    while (at < bytes.length && !this.spaced && isSpace(bytes[at] as number)) {
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

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
