import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskCounts } from '../../src/core/mask.js';
import { cuttings, mixedText, pairOf, STRATEGIES, through, wellFormed } from './streams.js';
import { OWN_KINDS, bytesOf, textOf } from './support.js';

const numRuns = Number(process.env['STREAM_RUNS'] ?? 60);

/** JSON text with white space and escapes of every kind. */
const string = fc.tuple(mixedText, fc.array(fc.nat({ max: 9 }), { minLength: 8, maxLength: 8 })).map(([text, how]) => {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  const escapes = units.map((unit, index) =>
    how[index % 8] === 0
      ? `\\u${unit.toString(16).padStart(4, '0')}`
      : how[index % 8] === 1 && unit === 0x2f
        ? '\\/'
        : undefined,
  );
  const inside = units.map((unit, index) => {
    const surrogate = unit >= 0xd800 && unit < 0xe000;
    if (surrogate && how[0] === 0) return `\\u${unit.toString(16).toUpperCase()}`;
    const plain = surrogate ? String.fromCharCode(unit) : JSON.stringify(String.fromCharCode(unit)).slice(1, -1);
    return surrogate ? plain : (escapes[index] ?? plain);
  });
  return `"${inside.join('')}"`;
});
const space = fc.constantFrom('', '', ' ', '\n  ', '\t', ' '.repeat(20));
const scalar = fc.oneof(
  string,
  fc.constantFrom(
    'true',
    'false',
    'null',
    '0',
    '-1',
    '1.50',
    '1e9',
    '-0',
    '4111111111111111',
    '123456789',
    '41111111111111.1',
  ),
);
const json = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc
      .array(
        fc.tuple(space, tie('value'), space).map((parts) => parts.join('')),
        { maxLength: 4 },
      )
      .map((all) => `[${all.join(',')}]`),
    fc
      .array(fc.tuple(space, string, space, space, tie('value'), space), { maxLength: 3 })
      .map((all) => `{${all.map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`).join(',')}}`),
  ),
})).value;

describe('a JSON text in parts is masked as the whole text is', () => {
  it.each(STRATEGIES)('by %s, cut at every place once, byte by byte, and at random', (strategy) => {
    const { stream, whole } = pairOf(OWN_KINDS, strategy);
    fc.assert(
      fc.property(json, fc.array(fc.nat(), { maxLength: 6 }), (value, cuts) => {
        const bytes = bytesOf(value);
        const counts: MaskCounts = new Map();
        const exact = whole.maskJson(bytes, 0, bytes.length, counts);
        const first = through((found) => stream.json(found), [bytes]);
        for (const parts of cuttings(bytes, cuts)) expect(through((found) => stream.json(found), parts)).toEqual(first);
        const text = Buffer.from(first.text, 'latin1');
        expect(first.counts).toEqual([...counts].sort());
        if (exact === undefined) expect(text.equals(bytes)).toBe(true);
        else expect(JSON.parse(textOf(text))).toEqual(JSON.parse(textOf(exact as Uint8Array)));
      }),
      { numRuns },
    );
  });

  it('what is cut out of JSON or no JSON at all comes out the same for every cut, and holds no secret', () => {
    const { stream } = pairOf(OWN_KINDS, 'redact');
    fc.assert(
      fc.property(
        json,
        fc.nat(),
        fc.constantFrom('', 'x', '"', '}', '\\', '\\x', '\u0001', ' joe@example.com ', ' 4111 1111 1111 1111 '),
        fc.array(fc.nat(), { maxLength: 6 }),
        (value, at, extra, cuts) => {
          const cut = at % (value.length + 1);
          const bytes = bytesOf(wellFormed(value.slice(0, cut) + extra + value.slice(cut)));
          const first = through((found) => stream.json(found), [bytes]);
          for (const parts of cuttings(bytes, cuts))
            expect(through((found) => stream.json(found), parts)).toEqual(first);
          if (
            extra.startsWith(' ') &&
            !/[\w.@:+-]$/.test(value.slice(0, cut).trimEnd()) &&
            !/^[\w.@:+-]/.test(value.slice(cut).trimStart())
          )
            expect(first.text).not.toContain(extra.trim());
        },
      ),
      { numRuns },
    );
  });

  it.each([
    ['{"a":"say \\"hi\\" to joe@example.com\\n"}', '{"a":"say \\"hi\\" to [email]\\n"}'],
    ['{"a":"\\ud83d\\ude00 joe@example.com \\u00e9"}', '{"a":"\\ud83d\\ude00 [email] \\u00e9"}'],
    ['{"u":"https:\\/\\/u:pw@h\\/"}', '{"u":"https:\\/\\/u:[password-in-url]@h\\/"}'],
    ['{"card":4111111111111111 , "n":1.10}', '{"card":null , "n":1.10}'],
    ['[4111 1111 1111 1111]', '[[credit-card]]'],
    ['4111 1111 1111 1111', '[credit-card]'],
    [`[${'1'.repeat(1001)}]`, '[null]'],
    [`[${'1'.repeat(1000)}]`, `[${'1'.repeat(1000)}]`],
    ['{"joe@example.com":1}', '{"[email]":1}'],
    ['{"a":"joe@example.com', '{"a":"[email]'],
    ['{"a":"joe\\u0040example.com"', '{"a":"[email]"'],
    ['{"a":"\\x joe@example.com"}', '{"a":"\\x [email]"}'],
    ['{"a" "joe@example.com"}', '{"a" "[email]"}'],
  ])('%s becomes %s', (value, expected) => {
    const { stream } = pairOf(['email', 'credit-card', 'password-in-url'], 'redact');
    for (const parts of cuttings(bytesOf(value), []))
      expect(through((found) => stream.json(found), parts).text).toBe(Buffer.from(expected).toString('latin1'));
  });

  it('null makes the string null up to 1 MiB, and a key a placeholder; in longer strings the finding is redacted', () => {
    const { stream } = pairOf(['email'], 'null');
    const masked = (text: string): string => through((found) => stream.json(found), [bytesOf(text)]).text;
    expect(masked('{"a":"x joe@example.com","ann@example.com":["y"]}')).toBe('{"a":null,"[masked]":["y"]}');
    const long = `${'x '.repeat(524_281)}`;
    expect(masked(`["${long}a@b.co ab"]`)).toBe('[null]');
    expect(masked(`["${long}a@b.co abcdefgh"]`)).toBe(`["${long}[email] abcdefgh"]`);
  });

  it('goes 100,000 levels deep without a stack', () => {
    const { stream } = pairOf(['email'], 'redact');
    const value = '['.repeat(100_000) + '"joe@example.com"' + ']'.repeat(100_000);
    expect(through((found) => stream.json(found), [bytesOf(value)]).text).toBe(
      value.replace('joe@example.com', '[email]'),
    );
  });
});
