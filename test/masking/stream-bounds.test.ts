import { describe, expect, it } from 'vitest';
import { pairOf, STRATEGIES, through, wholeText } from './streams.js';
import { OWN_KINDS, bytesOf } from './support.js';

const KIB = 1_024;
/** Texts around the bounds of kinds without a longest form. */
const LONG: Record<string, string> = {
  'a local part of 70 KiB': `x ${'a.b'.repeat(24 * KIB)}@example.com y`,
  'a word of 200 KiB': `x ${'word_'.repeat(40 * KIB)} y`,
  'a domain of 70 KiB': `x a@${'b.cd.'.repeat(14 * KIB)}com y`,
  'a JWT header of 70 KiB': `x eyJ${'a'.repeat(70 * KIB)}.eyJb.c y`,
  'a payload of 70 KiB': `x eyJhbGciOiJI.${'a'.repeat(70 * KIB)}.c y`,
  'a token of 40 KiB': `x eyJhbGciOiJI.eyJ${'a'.repeat(40 * KIB)}.c y`,
  'a key of 20 KiB': `x sk-${'a1b2'.repeat(5 * KIB)} y`,
  'a PEM block of 40 KiB': `x -----BEGIN PRIVATE KEY-----\n${'abcd\n'.repeat(8 * KIB)}-----END PRIVATE KEY----- y`,
  'a PEM block without an end': `x -----BEGIN PRIVATE KEY-----\n${'abcd\n'.repeat(8 * KIB)}`,
  'a URL password of 70 KiB': `x db://joe:${'secret'.repeat(12 * KIB)}@host/ y`,
  'a host of 70 KiB behind a password': `x db://joe:secret@${'host'.repeat(18 * KIB)}/ y`,
  'a user of 70 KiB': `x db://${'user'.repeat(18 * KIB)}:secret@host/ y`,
  'a chain of 4,000 addresses': `x ${'a@b.co@'.repeat(4_000)} y`,
  'hyphens behind a key': `-----BEGIN PRIVATE KEY-----a-----END PRIVATE KEY${'-'.repeat(70 * KIB)} y`,
};

describe('findings longer than anybody waits for', () => {
  it.each(STRATEGIES.flatMap((strategy) => Object.keys(LONG).map((name) => [name, strategy] as const)))(
    '%s: %s is the same in parts as in the whole text',
    (name, strategy) => {
      const { stream, whole } = pairOf(OWN_KINDS, strategy);
      const value = LONG[name] as string;
      const bytes = bytesOf(value);
      const expected = wholeText(whole, value);
      for (const size of [bytes.length, 1_000, 17]) {
        const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const result = through((counts) => stream.text(counts), parts);
        expect(result.counts).toEqual(expected.counts);
        expect(result.text === expected.text).toBe(true);
      }
    },
  );
});
