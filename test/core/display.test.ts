import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, escapeControls, quietJson, toJsonLine } from '../../src/core/display.js';

/** What acts on a terminal or hides from a reader, by what it does. */
const UNSAFE: readonly (readonly [string, string, string])[] = [
  ['the clipboard, by OSC 52', '\u001b]52;c;Zm9v\u0007', '\\x1b]52;c;Zm9v\\x07'],
  ['a link, by OSC 8', '\u001b]8;;http://x\u001b\\', '\\x1b]8;;http://x\\x1b\\'],
  ['CSI and OSC as one C1 character', '\u009b2J\u009d0;x\u009c', '\\x9b2J\\x9d0;x\\x9c'],
  ['a line of its own', 'a\r\nb\u0085c\u2028d\u2029e', 'a\\r\\nb\\x85c\\u2028d\\u2029e'],
  ['a row that is written over', 'a\rb\bc', 'a\\rb\\x08c'],
  ['text turned around', '\u202eabc\u202c\u2066x\u2069\u200f\u061c', '\\u202eabc\\u202c\\u2066x\\u2069\\u200f\\u061c'],
  [
    'characters of no width',
    'a\u200bb\u200dc\u2060d\ufeffe\u00adf\u180eg\u034fh',
    'a\\u200bb\\u200dc\\u2060d\\ufeffe\\xadf\\u180eg\\u034fh',
  ],
  ['letters that are not seen', 'a\u115fb\u3164c\uffa0d', 'a\\u115fb\\u3164c\\uffa0d'],
  ['tags, by which text is hidden in text', 'a\u{e0041}\u{e007f}', 'a\\u{e0041}\\u{e007f}'],
  ['variants of letters', 'a\ufe0fb\u{e0100}', 'a\\ufe0fb\\u{e0100}'],
  ['notes between lines', 'a\ufff9b\ufffa', 'a\\ufff9b\\ufffa'],
];

describe('text of others', () => {
  it.each(UNSAFE)('does not act or hide: %s', (_what, text, shown) => {
    expect(escapeControls(text)).toBe(shown);
  });

  it('is what it was where it only shows: letters of any script, accents, emoji', () => {
    for (const text of ['Zoë 日本語 👍🏽 ❤️ ☎️', 'нет', 'e\u0301', 'عربي', '\u{1f469}', '{"a":1}'])
      expect(escapeControls(text)).toBe(text);
    expect(escapeControls('a\nb\tc', { keepNewlines: true })).toBe('a\nb\tc');
  });

  it('is JSON of the same value, quietly', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const line = toJsonLine({ [text]: text });
        expect(JSON.parse(line)).toEqual({ [text]: text });
        expect(escapeControls(line)).toBe(line);
      }),
    );
    expect(quietJson('"\u{e0041}\u202e"')).toBe('"\\udb40\\udc41\\u202e"');
  });

  it('holds nothing that is not seen once it is escaped, and escapes to the same again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = escapeControls(text);
        expect(escapeControls(shown)).toBe(shown);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(displayWidth(shown)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
