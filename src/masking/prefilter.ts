import { isDigit, RUN_BYTES } from './byte-classes.js';
import type { Probe } from './entity.js';

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/**
 * Says quickly that no entity can stand in a range of raw wire bytes.
 *
 * Two passes, each linear and without allocation: one looks every byte up in a table of rare bytes (`@`, the
 * `J` of `eyJ`), the other leaps over the range in steps of the shortest number that is asked for, since a
 * byte that can't be part of a number rules out every number around it.
 */
export class Prefilter {
  readonly #always: boolean;
  readonly #empty: boolean;
  /** For each byte, 0 or one more than the index of its probes. */
  readonly #table = new Uint8Array(256);
  readonly #byteProbes: Probe[][] = [];
  readonly #digitProbes: readonly Probe[];
  readonly #step: number;

  /** @param always where something is asked for that no probe can rule out */
  constructor(probes: readonly Probe[], always: boolean) {
    this.#always = always;
    this.#empty = probes.length === 0;
    this.#digitProbes = probes.filter((probe) => probe.kind === 'digits');
    this.#step = Math.min(...this.#digitProbes.map((probe) => probe.minBytes));
    for (const probe of probes) for (const byte of probe.bytes) this.#add(byte, probe);
    // JSON may spell any character as \u0040: what is spelt so can't be ruled out.
    if (!this.#empty) {
      this.#add(BACKSLASH, {
        kind: 'byte',
        bytes: [BACKSLASH],
        minBytes: 0,
        minDigits: 0,
        mayStandAt: isUnicodeEscape,
      });
    }
  }

  /** False only when it is certain that no entity stands in bytes[start,end). */
  mayMatch(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#always) return end > start;
    if (this.#empty) return false;
    return this.#meetsByte(bytes, start, end) || (this.#digitProbes.length > 0 && this.#meetsNumber(bytes, start, end));
  }

  #add(byte: number, probe: Probe): void {
    if (this.#table[byte] === 0) this.#table[byte] = this.#byteProbes.push([]);
    (this.#byteProbes[(this.#table[byte] as number) - 1] as Probe[]).push(probe);
  }

  #meetsByte(bytes: Uint8Array, start: number, end: number): boolean {
    const table = this.#table;
    for (let at = start; at < end; at += 1) {
      const index = table[bytes[at] as number] as number;
      if (index !== 0 && this.#confirms(index, bytes, at, start, end)) return true;
    }
    return false;
  }

  #confirms(index: number, bytes: Uint8Array, at: number, start: number, end: number): boolean {
    const probes = this.#byteProbes[index - 1] as Probe[];
    for (let probe = 0; probe < probes.length; probe += 1) {
      if ((probes[probe] as Probe).mayStandAt(bytes, at, start, end)) return true;
    }
    return false;
  }

  #meetsNumber(bytes: Uint8Array, start: number, end: number): boolean {
    const step = this.#step;
    let settled = start;
    let at = start + step - 1;
    while (at < end) {
      if (RUN_BYTES[bytes[at] as number] === 0) {
        settled = at + 1;
        at += step;
        continue;
      }
      let from = at;
      while (from > settled && RUN_BYTES[bytes[from - 1] as number] === 1) from -= 1;
      let to = at + 1;
      while (to < end && RUN_BYTES[bytes[to] as number] === 1) to += 1;
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
      const probe = this.#digitProbes[index] as Probe;
      if (digits < probe.minDigits) continue;
      for (let at = from; at <= to - probe.minBytes; at += 1) {
        if (isDigit(bytes[at] as number) && probe.mayStandAt(bytes, at, from, to)) return true;
      }
    }
    return false;
  }
}

function isUnicodeEscape(bytes: Uint8Array, at: number, _start: number, end: number): boolean {
  return at + 1 < end && bytes[at + 1] === LETTER_U;
}

/** A probe for text that every match of a custom pattern holds. */
export function literalProbe(literal: readonly number[]): Probe {
  const mayStandAt: Probe['mayStandAt'] = (bytes, at, _start, end) =>
    at + literal.length <= end && literal.every((byte, index) => bytes[at + index] === byte);
  return { kind: 'byte', bytes: [literal[0] as number], minBytes: 0, minDigits: 0, mayStandAt };
}
