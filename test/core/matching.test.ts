import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.js';
import { matchesGlob } from '../../src/core/glob.js';
import { nearest } from '../../src/core/nearest.js';

describe('matchesGlob', () => {
  it.each([
    ['postgres', 'postgres', true],
    ['postgres', 'postgres2', false],
    ['post*', 'post', true],
    ['*gres*', 'my-postgres-1', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['p.s', 'pxs', false],
    ['P*', 'postgres', false],
    ['**a', 'ba', true],
  ])('%s against %j: %s', (pattern, name, expected) => {
    expect(matchesGlob(pattern, name)).toBe(expected);
  });

  it('agrees with a regular expression of the same meaning on any pattern of 8 characters', () => {
    const text = (letters: string): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...letters), { maxLength: 8 }).map((list) => list.join(''));
    fc.assert(
      fc.property(text('ab*'), text('ab'), (pattern, name) => {
        expect(matchesGlob(pattern, name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name));
      }),
    );
  });
});

describe('nearest', () => {
  it.each([
    ['listn', ['listen', 'limits'], 'listen'],
    ['tihs', ['that', 'this'], 'this'],
    ['Kind', ['king', 'kind'], 'kind'],
    ['completely', ['other', 'words'], undefined],
    ['a', [], undefined],
  ])('%s among %j is %s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });
});

describe('canonicalJson', () => {
  it('sorts members by UTF-16 code units at every depth and leaves out undefined', () => {
    expect(
      canonicalJson({ b: [1, { z: null, a: true }], a: 'é"\n', '€': 1, '\u{1F600}': 2, '\uFB33': 3, none: undefined }),
    ).toBe('{"a":"é\\"\\n","b":[1,{"a":true,"z":null}],"€":1,"\u{1F600}":2,"\uFB33":3}');
  });

  it('reads back as the same value and is the same for the same members in another order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(text);
      }),
    );
  });

  it('throws for NaN, a bigint and a function', () => {
    for (const value of [Number.NaN, 1n, () => 1]) expect(() => canonicalJson({ value })).toThrow(TypeError);
  });
});
