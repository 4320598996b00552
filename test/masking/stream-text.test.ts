import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_ENTITY_NAMES } from '../../src/masking/text-masker.js';
import { cuttings, mixedText, pairOf, STRATEGIES, through, wholeText } from './streams.js';
import { bytesOf } from './support.js';

const numRuns = Number(process.env['STREAM_RUNS'] ?? 300);

describe('a text in parts is masked as the whole text is', () => {
  it.each(STRATEGIES)('by %s, cut at every place once, byte by byte, and at random', (strategy) => {
    const { stream, whole } = pairOf(BUILT_IN_ENTITY_NAMES, strategy);
    fc.assert(
      fc.property(mixedText, fc.array(fc.nat(), { maxLength: 6 }), (value, cuts) => {
        const expected = wholeText(whole, value);
        for (const parts of cuttings(bytesOf(value), cuts))
          expect(through((counts) => stream.text(counts), parts)).toEqual(expected);
      }),
      { numRuns },
    );
  });
});
