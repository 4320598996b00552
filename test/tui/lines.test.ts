import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, escapeControls } from '../../src/core/display.js';
import { clipLine, line, lineText, markFound, padLine, piece, wrapLine } from '../../src/tui/lines.js';

describe('lines', () => {
  it('break after a space in the last half of the row, else where the row is full', () => {
    expect(wrapLine(line('one two three'), 9).map(lineText)).toEqual(['one two ', 'three']);
    expect(wrapLine(line('a bcdefghijkl'), 8).map(lineText)).toEqual(['a bcdefg', 'hijkl']);
    expect(wrapLine(line('one two three'), 8, { indent: 2 }).map(lineText)).toEqual(['one two ', '  three']);
  });

  it('lose nothing and never grow wider than the row, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 2, max: 20 }), (text, width) => {
        const rows = wrapLine(line(text), width);
        expect(rows.map(lineText).join('')).toBe(escapeControls(text));
        for (const row of rows) expect(displayWidth(lineText(row))).toBeLessThanOrEqual(width);
      }),
      { numRuns: 200 },
    );
  });

  it('keep the tone of each piece over a break', () => {
    expect(wrapLine([piece('SELECT ', 'cyan'), piece('name')], 9)).toEqual([
      [{ text: 'SELECT ', tone: 'cyan' }],
      [{ text: 'name', tone: 'plain' }],
    ]);
  });

  it('show control characters, also those that came in without `piece`', () => {
    expect(lineText(line('\u001b]52;c;aGk=\u0007'))).toBe('\\x1b]52;c;aGk=\\x07');
    expect(wrapLine([{ text: 'a\u001b[2J\u202e' }], 40).map(lineText)).toEqual(['a\\x1b[2J\\u202e']);
  });

  it('are cut with an ellipsis and filled with spaces', () => {
    expect(lineText(clipLine(line('customers'), 5))).toBe('cust…');
    expect(lineText(padLine(line('ab'), 4))).toBe('ab  ');
    expect(lineText(clipLine(line('顧客顧客'), 5))).toBe('顧客…');
  });

  it('mark what is looked for in every row, ignoring case', () => {
    const { rows, found } = markFound([line('drop'), line('a DROP b'), line('none')], 'drop');
    expect(found).toEqual([0, 1]);
    expect(rows[1]).toEqual([
      { text: 'a ', tone: 'plain' },
      { text: 'DROP', tone: 'inverse' },
      { text: ' b', tone: 'plain' },
    ]);
  });
});
