import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar, parseSql } from '../../../../src/protocols/postgres/facts/grammar.js';
import { clientPosition, rewriteText } from '../../../../src/protocols/postgres/originals/rewrite-text.js';

const encoder = new TextEncoder();

/** The text with the constant that says `value` replaced. */
function rewritten(text: string, value: string, by: string, marker: string): string | undefined {
  const location = encoder.encode(text.slice(0, text.indexOf(marker))).length;
  const result = rewriteText(encoder.encode(text), [{ location, value, by }]);
  return result === undefined ? undefined : new TextDecoder().decode(result.bytes);
}

describe('a text with a constant replaced', () => {
  beforeAll(loadGrammar);

  it('keeps everything else, whatever stands in front, in 6 spellings', () => {
    for (const [text, value, marker, expected] of [
      ["select 1 where a='x'and true", 'x', "'x'", "select 1 where a='o''n'and true"],
      ["select /* ü😀 */ 1 where a = E'x\\n'", 'x\n', 'E', "select /* ü😀 */ 1 where a = 'o''n'"],
      ['select 1 where a = $q$x$q$', 'x', '$q$', "select 1 where a = 'o''n'"],
      ["select 1 where a = 'x''y'", "x'y", "'x", "select 1 where a = 'o''n'"],
      ["select 1 where a = text'x'", 'x', "'x", "select 1 where a = text'o''n'"],
      ["select 'x' where a = 'x'", 'x', "'x' where", "select 'o''n' where a = 'x'"],
    ] as const)
      expect(rewritten(text, value, "o'n", marker), text).toBe(expected);
    expect(rewritten('select 1 where a = 12;', '12', '7', '12')).toBe('select 1 where a = 7;');
    expect(rewritten('select 1 where a = -12', '-12', '-7', '-12')).toBe('select 1 where a = -7');
  });

  it('is not made where the constant is spelled in another way, or is another', () => {
    expect(rewritten("select 1 where a = U&'x'", 'x', 'o', 'U&')).toBeUndefined();
    expect(rewritten("select 1 where a = 'x'\n'y'", 'xy', 'o', "'x")).toBeUndefined();
    expect(rewritten("select 1 where a = 'x'", 'z', 'o', "'x")).toBeUndefined();
    expect(rewritten('select 1 where a = 0x1f', '31', '7', '0x')).toBeUndefined();
    expect(rewritten('select 1 where a = 12', '12', '7 or true', '12')).toBeUndefined();
    expect(rewritten("select 1 where a = 'x' x", 'x', 'o', "'x")).toBeUndefined();
  });

  it('reads as the value that was put there, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        fc.pre(!value.includes('\0'));
        const text = rewritten("select 1 where a='x'", 'x', value, "'x") ?? '';
        const parsed = parseSql(text);
        expect(JSON.stringify(parsed)).toContain(`"sval":{"sval":${JSON.stringify(value)}}`);
      }),
    );
  });

  it('tells places in the text that the client sent, before, in and behind what was replaced', () => {
    const text = "select 'é' where a = 'x' and b = 'y' and c";
    const at = (part: string): number => encoder.encode(text.slice(0, text.indexOf(part))).length;
    const result = rewriteText(encoder.encode(text), [
      { location: at("'y'"), value: 'y', by: 'a\\b' },
      { location: at("'x'"), value: 'x', by: 'much longer' },
    ]);
    const server = new TextDecoder().decode(result?.bytes);
    for (const part of ['where', 'a =', 'b =', 'and c'])
      expect(clientPosition(server.indexOf(part) + 1, result?.edits ?? []), part).toBe(text.indexOf(part) + 1);
    for (const [part, own] of [
      ["'much", "'x'"],
      ['longer', "'x'"],
      ["E'a", "'y'"],
    ] as const)
      expect(clientPosition(server.indexOf(part) + 1, result?.edits ?? []), part).toBe(text.indexOf(own) + 1);
  });
});
