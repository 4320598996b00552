import type { Finding } from '../finding/clusters.js';
import { nextSpelling, spellingAt, spellingByte, spellingLength } from './spellings.js';

/** One other way of writing. */
interface Spelling {
  /** Where its byte stands in the text as readers take it; of a sign that is not seen, the byte behind it. */
  at: number;
  /** Where it begins in the whole text as it is written. */
  readonly start: number;
  readonly length: number;
  /** Bytes that it is: one, or none. */
  readonly bytes: number;
}

/** A text as readers take it, and where each byte of it stands in the text as it is written. */
export class Respelled {
  bytes = new Uint8Array(1_024);
  end = 0;
  /** Up to here what is written was taken; the next part begins here. */
  taken: number;
  /** The last other way of writing ends here. */
  spelledTo = -Infinity;
  /** In order. Between two of them every byte is itself. */
  #spellings: Spelling[];

  /** @param from where the first part begins in the whole text */
  constructor(from: number) {
    this.taken = from;
    this.#spellings = [{ at: 0, start: from, length: 0, bytes: 0 }];
  }

  /**
   * Takes bytes[from,end), of which the first stands at `taken`.
   *
   * @param over nothing follows
   * @returns how many of them are left: a beginning of which bytes to come decide what it is
   */
  take(bytes: Uint8Array, from: number, end: number, over: boolean): number {
    this.#grow(end - from);
    for (let at = from; at < end;) {
      const next = nextSpelling(bytes, at, end, over);
      this.bytes.set(bytes.subarray(at, next), this.end);
      this.end += next - at;
      this.taken += next - at;
      at = next;
      if (at >= end) break;
      const spelling = spellingAt(bytes, at, end, over);
      if (spelling < 0) return end - at;
      this.#put(spellingByte(spelling), spellingLength(spelling));
      at += spellingLength(spelling);
    }
    return 0;
  }

  /** Where the writing of the byte at an offset begins; of `end`, where what was taken ends. */
  startOf(offset: number): number {
    if (offset >= this.end) return this.taken;
    // Of a finding that goes on the beginning may be forgotten.
    const spelling = this.#spellingBefore(Math.max(offset, 0));
    if (spelling.at === offset && spelling.bytes === 1) return spelling.start;
    return spelling.start + spelling.length + Math.max(offset, 0) - spelling.at - spelling.bytes;
  }

  /** Where the writing of the byte before an offset ends. */
  endOf(offset: number): number {
    if (offset <= 0) return this.startOf(0);
    const spelling = this.#spellingBefore(offset - 1);
    if (spelling.at === offset - 1 && spelling.bytes === 1) return spelling.start + spelling.length;
    return this.startOf(offset - 1) + 1;
  }

  /** The first byte that is written at or behind a place. */
  offsetOf(place: number): number {
    let [from, to] = [0, this.end];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.startOf(middle) < place) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    const start = this.startOf(count);
    this.bytes.copyWithin(0, count, this.end);
    this.end -= count;
    const kept = this.#spellings.slice(this.#indexBefore(count - 1) + 1);
    for (const spelling of kept) spelling.at -= count;
    this.#spellings = [{ at: 0, start, length: 0, bytes: 0 }, ...kept];
  }

  /** The last one that stands at or before a byte. */
  #spellingBefore(offset: number): Spelling {
    return this.#spellings[this.#indexBefore(offset)] as Spelling;
  }

  #indexBefore(offset: number): number {
    let [from, to] = [1, this.#spellings.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#spellings[middle] as Spelling).at <= offset) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }

  #put(byte: number, length: number): void {
    this.#spellings.push({ at: this.end, start: this.taken, length, bytes: byte === 0 ? 0 : 1 });
    if (byte !== 0) {
      this.bytes[this.end] = byte;
      this.end += 1;
    }
    this.taken += length;
    this.spelledTo = this.taken;
  }

  #grow(by: number): void {
    const needed = this.end + by;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
  }
}

/** A finding of the text as readers take it, where it is written. */
export function writtenFinding({ from, to, target, open }: Finding, text: Respelled): Finding {
  const place = { from: text.startOf(from), to: text.endOf(to), target };
  const same = place.to - place.from === to - from;
  // Of one that may go on nothing is shown yet.
  if (open === true) return { ...place, open };
  return same ? place : { ...place, spelt: text.bytes.slice(from, to) };
}
