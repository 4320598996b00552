import type { Finding } from './clusters.js';
import { nextSpelling, spellingAt, spellingByte, spellingLength } from './spellings.js';

/** A text as readers take it, and where each byte of it stands in the text as it is written. */
export class Respelled {
  bytes = new Uint8Array(1_024);
  end = 0;
  /** Where each byte's writing begins, counted from the beginning of the whole text. */
  #starts: Float64Array = new Float64Array(1_024);
  #lengths = new Uint16Array(1_024);
  /** Up to here what is written was taken; the next part begins here. */
  taken: number;
  /** The last other way of writing ends here. */
  spelledTo = -Infinity;

  /** @param from where the first part begins in the whole text */
  constructor(from: number) {
    this.taken = from;
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
      this.#plain(bytes, at, next);
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
    // Of a finding that goes on the beginning may be forgotten.
    if (offset < 0) return this.endOf(0) - 1;
    return offset < this.end ? (this.#starts[offset] as number) : this.taken;
  }

  /** Where the writing of the byte before an offset ends. */
  endOf(offset: number): number {
    if (offset <= 0) return this.startOf(0);
    return (this.#starts[offset - 1] as number) + (this.#lengths[offset - 1] as number);
  }

  /** The first byte that is written at or behind a place. */
  offsetOf(place: number): number {
    let [from, to] = [0, this.end];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#starts[middle] as number) < place) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.end);
    this.#starts.copyWithin(0, count, this.end);
    this.#lengths.copyWithin(0, count, this.end);
    this.end -= count;
  }

  #plain(bytes: Uint8Array, from: number, to: number): void {
    this.bytes.set(bytes.subarray(from, to), this.end);
    for (let at = from; at < to; at += 1) {
      this.#starts[this.end] = this.taken;
      this.#lengths[this.end] = 1;
      this.end += 1;
      this.taken += 1;
    }
  }

  #put(byte: number, length: number): void {
    if (byte !== 0) {
      this.bytes[this.end] = byte;
      this.#starts[this.end] = this.taken;
      this.#lengths[this.end] = length;
      this.end += 1;
    }
    this.taken += length;
    this.spelledTo = this.taken;
  }

  #grow(by: number): void {
    const needed = this.end + by;
    if (needed <= this.bytes.length) return;
    const room = Math.max(needed, this.bytes.length * 2);
    this.bytes = copied(new Uint8Array(room), this.bytes);
    this.#starts = copied(new Float64Array(room), this.#starts);
    this.#lengths = copied(new Uint16Array(room), this.#lengths);
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

function copied<T extends Uint8Array | Float64Array | Uint16Array>(into: T, from: T): T {
  into.set(from);
  return into;
}
