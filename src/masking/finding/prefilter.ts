import { isDigit } from './byte-classes.js';
import { byteProbe, DIGITS } from './entity.js';
import type { ByteProbe, DigitProbe, Probe } from './entity.js';
import { spellingAt, SPELLING_LEADS } from '../spellings/spellings.js';

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** JSON may spell any character as \u0040: what is spelt so can't be ruled out. */
const UNICODE_ESCAPE = byteProbe([LETTER_U], [BACKSLASH], () => true);

/**
 * Says quickly that no entity can stand in a range of raw wire bytes.
 *
 * Two passes, each linear and without allocation: one looks every pair of neighbours up in a table of pairs
 * that are rare (`yJ` of `eyJ`, a letter and `@`), the other leaps over the range in steps of the shortest
 * number that is asked for, since a byte that can't be part of a number rules out every number around it.
 */
export class Prefilter {
  readonly #always: boolean;
  readonly #empty: boolean;
  /** 1 at `before * 256 + byte` where some probe wants to look. */
  readonly #pairs = new Uint8Array(256 * 256);
  /** By byte. */
  readonly #byteProbes: (ByteProbe[] | undefined)[] = Array.from({ length: 256 }, () => undefined);
  readonly #digitProbes: readonly DigitProbe[];
  readonly #step: number;
  /** 1 for what may stand inside a number that is asked for. */
  readonly #inNumber = new Uint8Array(256);

  /** @param always where something is asked for that no probe can rule out */
  constructor(probes: readonly Probe[], always: boolean) {
    this.#always = always;
    this.#empty = probes.length === 0;
    for (const probe of probes) if (probe.kind === 'byte') this.#add(probe);
    if (!this.#empty) this.#add(UNICODE_ESCAPE);
    this.#digitProbes = probes.filter((probe) => probe.kind === 'digits');
    this.#step = Math.min(...this.#digitProbes.map((probe) => probe.minBytes));
    for (const probe of this.#digitProbes) for (const byte of [...DIGITS, ...probe.signs]) this.#inNumber[byte] = 1;
  }

  /** False only when it is certain that no entity stands in bytes[start,end). */
  mayMatch(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#always) return end > start;
    if (this.#empty) return false;
    return this.#meetsByte(bytes, start, end) || (this.#digitProbes.length > 0 && this.#meetsNumber(bytes, start, end));
  }

  #add(probe: ByteProbe): void {
    for (const byte of probe.bytes) {
      (this.#byteProbes[byte] ??= []).push(probe);
      for (let before = 0; before < 256; before += 1) {
        if (probe.before === 'any' || probe.before.includes(before)) this.#pairs[before * 256 + byte] = 1;
      }
    }
  }

  #meetsByte(bytes: Uint8Array, start: number, end: number): boolean {
    const pairs = this.#pairs;
    // At the start only probes of entities that may begin with their byte have anything to look for.
    let before = 0;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (pairs[(before << 8) | byte] === 1 && this.#confirms(byte, bytes, at, start, end)) return true;
      before = byte;
    }
    return false;
  }

  #confirms(byte: number, bytes: Uint8Array, at: number, start: number, end: number): boolean {
    const probes = this.#byteProbes[byte] as ByteProbe[];
    for (let index = 0; index < probes.length; index += 1) {
      if ((probes[index] as ByteProbe).mayStandAt(bytes, at, start, end)) return true;
    }
    return false;
  }

  #meetsNumber(bytes: Uint8Array, start: number, end: number): boolean {
    const inNumber = this.#inNumber;
    const step = this.#step;
    let settled = start;
    let at = start + step - 1;
    while (at < end) {
      if (inNumber[bytes[at] as number] === 0) {
        settled = at + 1;
        at += step;
        continue;
      }
      let from = at;
      while (from > settled && inNumber[bytes[from - 1] as number] === 1) from -= 1;
      let to = at + 1;
      while (to < end && inNumber[bytes[to] as number] === 1) to += 1;
      if (to - from >= step && this.#runMeets(bytes, from, to)) return true;
      settled = to + 1;
      at = to + step;
    }
    return false;
  }

  #runMeets(bytes: Uint8Array, from: number, to: number): boolean {
    let digits = 0;
    for (let at = from; at < to; at += 1) if (isDigit(bytes[at] as number)) digits += 1;
    for (let index = 0; index < this.#digitProbes.length; index += 1) {
      const probe = this.#digitProbes[index] as DigitProbe;
      if (digits < probe.minDigits) continue;
      for (let at = from; at <= to - probe.minBytes; at += 1) {
        if (isDigit(bytes[at] as number) && probe.mayStandAt(bytes, at, from, to)) return true;
      }
    }
    return false;
  }
}

/** A probe for text that every match of a custom pattern begins with. */
export function literalProbe(literal: readonly number[]): ByteProbe {
  const [first, second] = literal as [number, number?];
  const anchor = second === undefined ? 0 : 1;
  return byteProbe([second ?? first], second === undefined ? 'any' : [first], (bytes, at, start, end) => {
    const from = at - anchor;
    return (
      from >= start && from + literal.length <= end && literal.every((byte, index) => bytes[from + index] === byte)
    );
  });
}

const ANY: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte);

/** A probe for all that is written in another way. */
export function spellingProbe(): ByteProbe {
  return byteProbe(
    ANY,
    SPELLING_LEADS,
    (bytes, at, start, end) => at > start && spellingAt(bytes, at - 1, end, true) !== 0,
  );
}
