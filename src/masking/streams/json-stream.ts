import type { MaskCounts } from '../../core/mask.js';
import { concatBytes } from '../../core/bytes.js';
import { codes } from '../finding/entity.js';
import { BACKSLASH, escapeLength, PLAIN_ESCAPES, QUOTE } from '../json/json-escapes.js';
import { MAX_NUMBER_BYTES, wholeNumber } from '../json/json-number.js';
import { JsonScalar, plainScalarEnd } from '../json/json-scalar.js';
import { JsonString } from '../json/json-string.js';
import type { Restorer } from './restorer.js';
import type { StreamPlan } from './stream-plan.js';

/** What may come next. */
type Expect = 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'separator';

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const NULL = new Uint8Array(codes('null'));

/**
 * One JSON text (RFC 8259) in parts. Strings, keys and numbers are masked as `maskJsonText` does; all else keeps its
 * bytes, escapes too. From a byte on that can't stand in JSON, everything is masked as plain text.
 */
export class JsonStream {
  readonly #plan: StreamPlan;
  readonly #counts: MaskCounts;
  readonly #restorer: Restorer | undefined;
  readonly #out: Uint8Array[] = [];
  /** Open brackets: true for objects. An array and not recursion, so that depth costs no stack. */
  readonly #objects: boolean[] = [];
  #expect: Expect = 'value';
  /** The string that has begun; with `#isText` the rest of the text. */
  #string: JsonString | undefined;
  #isText = false;
  #key = false;
  /** The string's last byte so far is a backslash that escapes what follows. */
  #escaping = false;
  #scalar: JsonScalar | undefined;
  /** The part at hand: what is before `#kept` went out. */
  #part: Uint8Array = new Uint8Array();
  #kept = 0;
  /** Nothing can be found in strings and numbers that stand in the part at hand as a whole. */
  #clean = false;

  constructor(plan: StreamPlan, counts: MaskCounts, restorer?: Restorer) {
    this.#plan = plan;
    this.#counts = counts;
    this.#restorer = restorer;
  }

  /** It is no JSON any more. */
  get broken(): boolean {
    return this.#isText;
  }

  push(part: Uint8Array): Uint8Array {
    this.#part = part;
    this.#kept = 0;
    this.#clean = this.#restorer === undefined && !this.#plan.spelledPrefilter.mayMatch(part, 0, part.length);
    for (let at = 0; at < part.length;) at = this.#step(at);
    if (this.#string === undefined && this.#scalar === undefined) this.#keepTo(part.length);
    return this.#take();
  }

  end(): Uint8Array {
    this.#part = new Uint8Array();
    this.#kept = 0;
    if (this.#scalar !== undefined && !this.#endScalar(this.#scalar)) this.#asText(0, this.#scalar.bytes());
    this.#string?.end();
    return this.#take();
  }

  #take(): Uint8Array {
    const taken = this.#out.length === 0 ? new Uint8Array() : concatBytes(this.#out);
    this.#out.length = 0;
    return taken;
  }

  #step(at: number): number {
    if (this.#isText) {
      this.#string?.pushText(this.#part.subarray(at));
      return this.#part.length;
    }
    if (this.#string !== undefined) return this.#inString(this.#string, at);
    if (this.#scalar !== undefined) return this.#inScalar(this.#scalar, at);
    const byte = this.#part[at] as number;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return at + 1;
    return this.#token(byte, at);
  }

  /** Takes the beginning of one token. */
  #token(byte: number, at: number): number {
    const expect = this.#expect;
    if (expect === 'separator' || expect === 'colon') return this.#mark(byte, at);
    if (expect === 'first-key' ? byte === CLOSE_OBJECT : expect === 'first-value' && byte === CLOSE_ARRAY)
      return this.#mark(byte, at);
    const key = expect === 'key' || expect === 'first-key';
    if (byte === QUOTE) return this.#beginString(at, key);
    if (key) return this.#asText(at);
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      this.#objects.push(byte === OPEN_OBJECT);
      this.#expect = byte === OPEN_OBJECT ? 'first-key' : 'first-value';
      return at + 1;
    }
    const end = plainScalarEnd(this.#part, at);
    if (end >= 0 && this.#isClean(at, end)) {
      this.#expect = 'separator';
      return end;
    }
    this.#keepTo(at);
    this.#scalar = new JsonScalar();
    return at;
  }

  /** Colons, commas and closing brackets. */
  #mark(byte: number, at: number): number {
    if (!this.#mayMark(byte)) return this.#asText(at);
    if (byte === 0x3a) this.#expect = 'value';
    else if (byte === 0x2c) this.#expect = this.#objects.at(-1) === true ? 'key' : 'value';
    else {
      this.#objects.pop();
      this.#expect = 'separator';
    }
    return at + 1;
  }

  #mayMark(byte: number): boolean {
    if (this.#expect === 'colon') return byte === 0x3a;
    const object = this.#objects.at(-1);
    if (byte === CLOSE_OBJECT) return object === true;
    if (byte === CLOSE_ARRAY) return object === false;
    return byte === 0x2c && object !== undefined;
  }

  #beginString(at: number, key: boolean): number {
    const end = stringEnd(this.#part, at + 1);
    this.#expect = key ? 'colon' : 'separator';
    if (end >= 0 && this.#isClean(at + 1, end)) return end + 1;
    this.#keepTo(at);
    this.#key = key;
    this.#string = new JsonString(this.#plan, this.#counts, this.#out, this.#key, this.#restorer);
    this.#string.open();
    this.#escaping = false;
    return at + 1;
  }

  #isClean(from: number, to: number): boolean {
    return this.#clean || (this.#restorer === undefined && !this.#plan.spelledPrefilter.mayMatch(this.#part, from, to));
  }

  #inString(string: JsonString, from: number): number {
    const part = this.#part;
    let at = from;
    for (; at < part.length; at += 1) {
      const byte = part[at] as number;
      if (this.#escaping) this.#escaping = false;
      else if (byte === BACKSLASH) this.#escaping = true;
      else if (byte === QUOTE) break;
    }
    this.#kept = at;
    if (!string.push(part.subarray(from, at)) || (at < part.length && !string.close())) {
      this.#isText = true;
      return at;
    }
    if (at === part.length) return at;
    this.#string = undefined;
    this.#kept = at + 1;
    return at + 1;
  }

  #inScalar(scalar: JsonScalar, from: number): number {
    const at = scalar.take(this.#part, from);
    this.#kept = at;
    if (at === this.#part.length) return at;
    const follows = this.#part[at] as number;
    const before = this.#expect;
    this.#expect = 'separator';
    if (!(scalar.spaced || this.#mayMark(follows)) || !this.#endScalar(scalar)) {
      this.#expect = before;
      return this.#asText(at, scalar.bytes());
    }
    return at;
  }

  /** Writes a number or word that is over; false where it is none. */
  #endScalar(scalar: JsonScalar): boolean {
    if (!scalar.valid()) return false;
    this.#expect = 'separator';
    this.#scalar = undefined;
    const token = scalar.token();
    const original = token === undefined ? undefined : this.#restorer?.originalOf(token);
    if (original !== undefined && JsonScalar.isNumber(original)) this.#out.push(original);
    else if (token === undefined || this.#meets(token)) this.#out.push(NULL);
    else this.#out.push(token);
    this.#out.push(scalar.space());
    return true;
  }

  /** Is something found in a number? Any other digits could be someone's: null is the one value that is nobody's. */
  #meets(token: Uint8Array): boolean {
    const whole = token.length > MAX_NUMBER_BYTES ? undefined : wholeNumber(String.fromCharCode(...token));
    return this.#meetsText(token) || (whole !== undefined && this.#meetsText(new Uint8Array(codes(whole))));
  }

  #meetsText(token: Uint8Array): boolean {
    if (!this.#plan.prefilter.mayMatch(token, 0, token.length)) return false;
    const sink: Uint8Array[] = [];
    const number = new JsonString(this.#plan, this.#counts, sink, false, undefined);
    number.pushText(token);
    number.end();
    return number.changed;
  }

  /** From part[at] on, and what is held of before, this is no JSON. */
  #asText(at: number, held?: Uint8Array): number {
    this.#keepTo(at);
    this.#scalar = undefined;
    this.#string = new JsonString(this.#plan, this.#counts, this.#out, false, this.#restorer);
    this.#isText = true;
    if (held !== undefined) this.#string.pushText(held);
    return at;
  }

  #keepTo(to: number): void {
    if (to > this.#kept) this.#out.push(this.#part.slice(this.#kept, to));
    this.#kept = Math.max(this.#kept, to);
  }
}

/** The offset of the quote that ends the string whose inside begins at `from`; -1 where it is not there, or something may not stand in it. */
function stringEnd(bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at;
    if (byte < 0x20) return -1;
    if (byte !== BACKSLASH) continue;
    if (at + 1 < end && PLAIN_ESCAPES[bytes[at + 1] as number] !== 0) {
      at += 1;
      continue;
    }
    const length = escapeLength(bytes, at, end, true);
    if (length < 0) return -1;
    at += length - 1;
  }
  return -1;
}
