import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CustomEntity } from '../../src/masking/text-masker.js';
import { longestMatch } from '../../src/masking/finding/pattern-reach.js';
import { cuttings, mixedText, pairOf, through, wellFormed, wholeText } from './streams.js';
import { bytesOf } from './support.js';

const CUSTOM: readonly CustomEntity[] = [
  { name: 'order', pattern: 'ORD-\\d{6}\\b', validate: 'none' },
  { name: 'badge', pattern: '\\b[A-Z]{2}\\d{4}\\b', validate: 'none' },
  { name: 'either', pattern: 'cat|category|ca', validate: 'none' },
  { name: 'tail', pattern: 'TOKEN-[a-z]+', validate: 'none' },
  { name: 'open', pattern: '[x-z]+#', validate: 'none' },
  { name: 'begin', pattern: '^\\d{2}', validate: 'none' },
  { name: 'last', pattern: '\\d{2}$', validate: 'none' },
  { name: 'luhn', pattern: '#\\d{5}', validate: 'luhn' },
];
const pieces = fc.constantFrom(
  'ORD-123456',
  'ORD-',
  'AB1234',
  'ab1234',
  'category',
  'cat',
  'TOKEN-abc',
  'xyz#',
  'xy',
  '12',
  '#18',
  '#00000',
  '#12344',
  ' ',
  'é',
  'a@b.co',
);

describe('custom kinds in texts in parts', () => {
  it.each(CUSTOM.map((entity) => [entity.pattern, entity] as const))(
    '%s is found as in the whole text',
    (_, entity) => {
      for (const strategy of ['redact', 'hash'] as const) {
        const { stream, whole } = pairOf([entity.name, 'email'], strategy, [entity]);
        fc.assert(
          fc.property(
            fc.array(fc.oneof(pieces, mixedText), { maxLength: 8 }).map((all) => wellFormed(all.join(''))),
            fc.array(fc.nat(), { maxLength: 6 }),
            (value, cuts) => {
              const expected = wholeText(whole, value);
              for (const parts of cuttings(bytesOf(value), cuts))
                expect(through((counts) => stream.text(counts), parts)).toEqual(expected);
            },
          ),
          { numRuns: 40 },
        );
      }
    },
  );

  it('holds a word of a plain beginning alone, and of other patterns the longest match', () => {
    const released = (pattern: string, text: string): string => {
      const { stream } = pairOf(['mine'], 'redact', [{ name: 'mine', pattern, validate: 'none' }]);
      return Buffer.from(stream.text(new Map()).push(bytesOf(text))).toString();
    };
    expect(released('ORD-\\d{6}', 'an order OR')).toBe('an order ');
    expect(released('ORD-\\d+', 'an order of much')).toBe('an order of much');
    expect(released('[A-Z]\\d', 'a long text without any')).toBe('a long text');
    expect(released('[A-Z]\\d+', 'a text')).toBe('');
  });

  it.each([
    ['abc', 12],
    ['a{2,5}', 20],
    ['(?:ab|cde){2}', 24],
    ['(?i)a[^]b]?\\d', 12],
    ['\\bx\\b$', 4],
    ['\\Qa.b\\E', 12],
    ['(?P<n>a)[[:alpha:]\\]]', 8],
    ['\\x{1F600}\\p{Greek}', 8],
    ['a*', Infinity],
    ['a{3,}', Infinity],
    ['(a{100}){100}', Infinity],
  ])('a match of %s has no more than %d bytes', (pattern, bytes) => {
    expect(longestMatch(pattern)).toBe(bytes);
  });

  it('after 10,000 findings the rest counts as found, whatever the parts', () => {
    const { stream, whole } = pairOf(['mine'], 'redact', [{ name: 'mine', pattern: 'ab', validate: 'none' }]);
    const value = `${'ab '.repeat(10_010)} and the rest`;
    const expected = wholeText(whole, value);
    expect(through((counts) => stream.text(counts), [bytesOf(value)])).toEqual(expected);
    const parts = Array.from({ length: 400 }, (_, index) => bytesOf(value.slice(index * 100, index * 100 + 100)));
    expect(through((counts) => stream.text(counts), parts)).toEqual(expected);
  });
});
