import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cuttings, mixedText, pairOf, STRATEGIES, through, wellFormed } from './streams.js';
import { OWN_KINDS, bytesOf } from './support.js';

const ORIGINALS = new Map([
  ['u_0123456789ab@masked.invalid', 'joe@example.com'],
  ['ann.x@masked.example', 'ann "a" @example.com'],
  ['9007 3321 0000 0009', '4111 1111 1111 1111'],
  ['jwt_5c1e', 'a\nb'],
  ['jwt_5c1e22', 'longer'],
]);

describe('placeholders of a request in an answer', () => {
  const { stream } = pairOf(OWN_KINDS, 'redact');
  const restored = (value: string): string[] => {
    const all = Array.from(cuttings(bytesOf(value), []), (parts) =>
      Buffer.from(through((counts) => stream.text(counts, ORIGINALS), parts).text, 'latin1').toString(),
    );
    return [...new Set(all)];
  };

  it.each([
    ['to u_0123456789ab@masked.invalid.', 'to joe@example.com.'],
    ['to ann.x@masked.example, other@masked.example', 'to ann "a" @example.com, [email]'],
    ['9007 3321 0000 0009', '4111 1111 1111 1111'],
    ['jwt_5c1e2', 'a\nb2'],
    ['jwt_5c1e22', 'longer'],
    ['jwt_5c', 'jwt_5c'],
    // What a finding has besides the placeholder stays masked.
    ['ann.x@masked.example.com', 'ann "a" @example.com[email]'],
    ['zann.x@masked.example', '[email]ann "a" @example.com'],
    ['-----BEGIN PRIVATE KEY-----\nsecret jwt_5c1e secret\n-----END PRIVATE KEY----- x', '[private-key]a\nb x'],
  ])('%s becomes %s', (value, expected) => {
    expect(restored(value)).toEqual([expected]);
  });

  it('become the originals in JSON, escaped', () => {
    for (const parts of cuttings(bytesOf('{"a":"x jwt_5c1e","jwt_5c1e22":"\\u006awt_5c1e","n":9007}'), [])) {
      const { text } = through((counts) => stream.json(counts, new Map([...ORIGINALS, ['9007', '4111']])), parts);
      expect(text).toBe('{"a":"x a\\u000ab","longer":"a\\u000ab","n":4111}');
    }
  });

  it.each(STRATEGIES)('come out the same for every cut under %s', (strategy) => {
    const masker = pairOf(OWN_KINDS, strategy).stream;
    const piece = fc.oneof(
      fc.constantFrom(...ORIGINALS.keys(), 'jwt_5', 'u_0123', '9007 3321', '-----BEGIN PRIVATE KEY-----'),
      mixedText,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 6 }), (all, cuts) => {
        const bytes = bytesOf(wellFormed(all.join('')));
        const first = through((counts) => masker.text(counts, ORIGINALS), [bytes]);
        for (const parts of cuttings(bytes, cuts))
          expect(through((counts) => masker.text(counts, ORIGINALS), parts)).toEqual(first);
      }),
      { numRuns: 60 },
    );
  });
});
