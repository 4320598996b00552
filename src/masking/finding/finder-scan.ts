import type { Finding } from './clusters.js';
import { MAX_FINDINGS } from '../entities/custom.js';
import type { CustomFinder } from '../entities/custom.js';

/** The character behind a match may decide whether it is one. */
const BEHIND_BYTES = 4;

/**
 * Looks a text in parts over for one custom kind. A match is settled when the longest one that could begin where it
 * does would have come whole; a pattern without a longest match is looked for when the text is over.
 */
export class FinderScan {
  /** No match that is not settled begins before. */
  hold = 0;
  /** One finding too many: everything from it on. */
  rest: Finding | undefined;
  #count = 0;

  constructor(
    private readonly finder: CustomFinder,
    private readonly target: number,
  ) {}

  look(bytes: Uint8Array, end: number, over: boolean, found: Finding[]): void {
    const settled = over ? end : end - this.finder.maxBytes - BEHIND_BYTES;
    while (this.rest === undefined) {
      this.hold = this.#mayBegin(bytes, end, over);
      if (this.hold >= settled) break;
      const match = this.finder.matchFrom(bytes, this.hold, end);
      if (match === undefined || match.from >= settled) {
        this.hold = Math.max(this.hold, settled);
        break;
      }
      this.#take(bytes, match.from, match.to, end, found);
    }
    if (this.rest === undefined) return;
    this.rest = { ...this.rest, to: end };
    this.hold = end;
    if (!over) return;
    found.push({ from: this.rest.from, to: end, target: this.target });
    this.rest = undefined;
  }

  shift(by: number): void {
    this.hold -= by;
    if (this.rest !== undefined) this.rest = { ...this.rest, from: this.rest.from - by, to: this.rest.to - by };
  }

  #take(bytes: Uint8Array, from: number, to: number, end: number, found: Finding[]): void {
    if (this.#count === MAX_FINDINGS) this.rest = { from, to: end, target: this.target, open: true };
    else if (to > from && this.finder.accepts(bytes, from, to)) found.push({ from, to, target: this.target });
    this.#count += 1;
    this.hold = to > from ? to : to + 1;
  }

  /** Where a match may begin at first: at the text that all begin with, or at its beginning at the end. */
  #mayBegin(bytes: Uint8Array, end: number, over: boolean): number {
    const { literal } = this.finder;
    if (literal.length === 0) return this.hold;
    for (let at = this.hold; at < end; at += 1) {
      at = bytes.indexOf(literal[0] as number, at);
      if (at < 0 || at >= end) return end;
      let same = 1;
      while (same < literal.length && at + same < end && bytes[at + same] === literal[same]) same += 1;
      if (same === literal.length || (at + same === end && !over)) return at;
    }
    return end;
  }
}
