import { concatBytes } from '../../core/bytes.js';
import { isJsonSpace } from '../finding/byte-classes.js';
import { codes } from '../finding/entity.js';
import { MAX_NUMBER_BYTES, wholeNumber } from './json-number.js';
import { BACKSLASH, escaped, escapeLength, QUOTE, unescapeInto } from './json-escapes.js';

type MaskSpan = (bytes: Uint8Array, from: number, to: number) => Uint8Array | null | undefined;

const ONE_QUOTE = Uint8Array.of(QUOTE);
const NULL = new Uint8Array(codes('null'));
/** A key can't be null. */
const NULL_KEY = new Uint8Array(codes('"[masked]"'));

/**
 * Masks the strings, keys and numbers of one JSON text (RFC 8259). What is between them, and every token in
 * which nothing is found, keeps its bytes: white space, number precision, order and duplicate keys.
 *
 * @param mask masks one decoded string or one number
 * @returns undefined where nothing was found; `malformed` where it is not one JSON text: then nothing was decided
 */
export function maskJsonText(
  bytes: Uint8Array,
  start: number,
  end: number,
  mask: MaskSpan,
): Uint8Array | undefined | 'malformed' {
  return new JsonWalk(bytes, start, end, mask).run();
}

/** What may come next. */
type Expect = 'value' | 'first-value' | 'key' | 'first-key' | 'separator';

class JsonWalk {
  readonly #parts: Uint8Array[] = [];
  /** Open brackets: true for objects. An array and not recursion, so that depth costs no stack. */
  readonly #objects: boolean[] = [];
  #expect: Expect = 'value';
  #at: number;
  #kept: number;

  constructor(
    private readonly bytes: Uint8Array,
    start: number,
    private readonly end: number,
    private readonly mask: MaskSpan,
  ) {
    this.#at = start;
    this.#kept = start;
  }

  run(): Uint8Array | undefined | 'malformed' {
    for (this.#skipSpace(); this.#at < this.end; this.#skipSpace()) {
      if (!this.#token(this.bytes[this.#at] as number)) return 'malformed';
    }
    if (this.#objects.length > 0 || this.#expect !== 'separator') return 'malformed';
    if (this.#parts.length === 0) return undefined;
    this.#parts.push(this.bytes.subarray(this.#kept, this.end));
    return concatBytes(this.#parts);
  }

  #skipSpace(): void {
    while (this.#at < this.end && isJsonSpace(this.bytes[this.#at] as number)) this.#at += 1;
  }

  /** Takes one token; false where it may not stand here. */
  #token(byte: number): boolean {
    if (this.#expect === 'separator') return this.#separator(byte);
    const first = this.#expect === 'first-value' || this.#expect === 'first-key';
    if (first && byte === (this.#expect === 'first-key' ? 0x7d : 0x5d)) return this.#close(byte);
    if (this.#expect === 'key' || this.#expect === 'first-key')
      return byte === QUOTE && this.#string(true) && this.#colon();
    if (byte === 0x7b || byte === 0x5b) {
      this.#objects.push(byte === 0x7b);
      this.#expect = byte === 0x7b ? 'first-key' : 'first-value';
      this.#at += 1;
      return true;
    }
    this.#expect = 'separator';
    return byte === QUOTE ? this.#string(false) : this.#word() || this.#number();
  }

  #separator(byte: number): boolean {
    if (byte === 0x7d || byte === 0x5d) return this.#close(byte);
    const inObject = this.#objects.at(-1);
    if (byte !== 0x2c || inObject === undefined) return false;
    this.#at += 1;
    this.#expect = inObject ? 'key' : 'value';
    return true;
  }

  #close(byte: number): boolean {
    if (this.#objects.pop() !== (byte === 0x7d)) return false;
    this.#at += 1;
    this.#expect = 'separator';
    return true;
  }

  #colon(): boolean {
    this.#skipSpace();
    if (this.#at >= this.end || this.bytes[this.#at] !== 0x3a) return false;
    this.#at += 1;
    this.#expect = 'value';
    return true;
  }

  #word(): boolean {
    for (const word of WORDS) {
      if (this.#at + word.length <= this.end && word.every((byte, index) => this.bytes[this.#at + index] === byte)) {
        this.#at += word.length;
        return true;
      }
    }
    return false;
  }

  #number(): boolean {
    const from = this.#at;
    if (this.bytes[this.#at] === 0x2d) this.#at += 1;
    const whole = this.#digits();
    if (whole === 0 || (whole > 1 && this.bytes[this.#at - whole] === 0x30)) return false;
    if (this.#at < this.end && this.bytes[this.#at] === 0x2e) {
      this.#at += 1;
      if (this.#digits() === 0) return false;
    }
    if (this.#at < this.end && ((this.bytes[this.#at] as number) | 0x20) === 0x65) {
      this.#at += 1;
      if (this.bytes[this.#at] === 0x2b || this.bytes[this.#at] === 0x2d) this.#at += 1;
      if (this.#digits() === 0) return false;
    }
    // Any other digits could be someone's number: null is the one value that is nobody's.
    if (this.mask(this.bytes, from, this.#at) !== undefined || this.#meetsWhole(from)) this.#replace(from, NULL);
    return true;
  }

  /** Is something found in the number as a whole one, without its point and exponent? */
  #meetsWhole(from: number): boolean {
    if (this.#at - from > MAX_NUMBER_BYTES) return false;
    const whole = wholeNumber(String.fromCharCode(...this.bytes.subarray(from, this.#at)));
    return whole !== undefined && this.mask(new Uint8Array(codes(whole)), 0, whole.length) !== undefined;
  }

  #digits(): number {
    const from = this.#at;
    while (this.#at < this.end && (this.bytes[this.#at] as number) >= 0x30 && (this.bytes[this.#at] as number) <= 0x39)
      this.#at += 1;
    return this.#at - from;
  }

  #string(key: boolean): boolean {
    const from = this.#at;
    let escaped = false;
    let at = from + 1;
    for (; at < this.end && this.bytes[at] !== QUOTE; at += 1) {
      const byte = this.bytes[at] as number;
      if (byte < 0x20) return false;
      if (byte === BACKSLASH) {
        escaped = true;
        at += 1;
      }
    }
    if (at >= this.end) return false;
    this.#at = at + 1;
    const text = escaped ? unescape(this.bytes, from + 1, at) : this.bytes.subarray(from + 1, at);
    if (text === undefined) return false;
    const masked = this.mask(text, 0, text.length);
    if (masked === null) this.#replace(from, key ? NULL_KEY : NULL);
    else if (masked !== undefined) this.#replace(from, quoted(masked));
    return true;
  }

  /** Puts `bytes` in the place of the token from `from` to here. */
  #replace(from: number, bytes: Uint8Array): void {
    this.#parts.push(this.bytes.subarray(this.#kept, from), bytes);
    this.#kept = this.#at;
  }
}

const WORDS = ['true', 'false', 'null'].map(codes);

/** The text of a string's inside; undefined where an escape is none. Lone surrogates become U+FFFD. */
function unescape(bytes: Uint8Array, from: number, to: number): Uint8Array | undefined {
  const out = new Uint8Array(to - from);
  let length = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte !== BACKSLASH) {
      out[length++] = byte;
      continue;
    }
    const size = escapeLength(bytes, at, to, true);
    if (size < 0) return undefined;
    length += unescapeInto(bytes, at, size, out, length);
    at += size - 1;
  }
  return out.subarray(0, length);
}

/** A JSON string of UTF-8 text. */
function quoted(text: Uint8Array): Uint8Array {
  return concatBytes([ONE_QUOTE, escaped(text), ONE_QUOTE]);
}
