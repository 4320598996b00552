import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cuttings, mixedText, pairOf, STRATEGIES, through, wholeText } from './streams.js';
import { SECRETS } from './secrets.js';
import { bytesOf, OWN_KINDS, SOME_NUMBERS } from './support.js';

const numRuns = Number(process.env['STREAM_RUNS'] ?? 300);

describe('a text in parts is masked as the whole text is', () => {
  it.each(STRATEGIES)('by %s, cut at every place once, byte by byte, and at random', (strategy) => {
    const { stream, whole } = pairOf(OWN_KINDS, strategy);
    fc.assert(
      fc.property(mixedText, fc.array(fc.nat(), { maxLength: 6 }), (value, cuts) => {
        const expected = wholeText(whole, value);
        for (const parts of cuttings(bytesOf(value), cuts))
          expect(through((counts) => stream.text(counts), parts)).toEqual(expected);
      }),
      { numRuns },
    );
  });

  it('numbers that need a word in front, cut at every place', () => {
    const { stream, whole } = pairOf(SOME_NUMBERS, 'redact');
    const numbers = SOME_NUMBERS.map((name) => SECRETS[name] as fc.Arbitrary<string>);
    const texts = fc
      .array(fc.tuple(fc.oneof(...numbers), fc.constantFrom(' ', '.', '-', '/', '.1', ' 1', 'a', '\n', '')), {
        maxLength: 4,
      })
      .map((pieces) => pieces.flat().join(''));
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 3 }), (value, cuts) => {
        const expected = wholeText(whole, value);
        for (const parts of cuttings(bytesOf(value), cuts))
          expect(through((counts) => stream.text(counts), parts)).toEqual(expected);
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    );
  });
});
