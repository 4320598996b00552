import type { Literal } from '../finding/entity.js';

/** A literal and the bucket that it shares with others, of eight. */
export interface PlacedLiteral extends Literal {
  readonly bucket: number;
  /** Low and high half of each of the first three bytes, as sets of bits; all where the literal is shorter. */
  readonly nibbles: readonly number[];
}

/** As many as a byte has bits. */
export const BUCKETS = 8;
const ANY = 0xffff;
const NONE: readonly number[] = [0, 0, 0, 0, 0, 0];
/** Where a literal stands best depends on the others, so they are placed again. */
const PASSES = 4;

/**
 * Puts literals that look alike into one bucket: the scanner takes three bytes for a maybe where each half of each
 * of them occurs in some literal of the bucket, so unlike ones together would say maybe to words that none begins with.
 */
export function placeLiterals(literals: readonly Literal[]): PlacedLiteral[] {
  const all = literals.map((literal) => ({ ...literal, nibbles: nibblesOf(literal.text) }));
  const buckets: number[] = all.map(() => -1);
  for (let pass = 0; pass < PASSES; pass += 1) {
    all.forEach(({ nibbles }, index) => {
      buckets[index] = -1;
      const sets = Array.from({ length: BUCKETS }, (_, bucket) =>
        all.filter((_literal, other) => buckets[other] === bucket).reduce((set, one) => joined(set, one.nibbles), NONE),
      );
      const costs = sets.map((set) => sizeOf(joined(set, nibbles)) - sizeOf(set));
      buckets[index] = costs.indexOf(Math.min(...costs));
    });
  }
  return all.map((literal, index) => ({ ...literal, bucket: buckets[index] as number }));
}

function nibblesOf(text: readonly number[]): number[] {
  return [0, 1, 2].flatMap((place) => {
    const byte = text[place];
    return byte === undefined ? [ANY, ANY] : [1 << (byte & 15), 1 << (byte >> 4)];
  });
}

function joined(set: readonly number[], more: readonly number[]): readonly number[] {
  return set.map((bits, index) => bits | (more[index] as number));
}

/** How many texts of three bytes a bucket says maybe to. */
function sizeOf(set: readonly number[]): number {
  return set.reduce((product, bits) => product * ones(bits), 1);
}

function ones(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
