import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeControls } from '../../src/core/display.js';
import { lineText } from '../../src/tui/lines.js';
import { sqlLines } from '../../src/tui/sql-pieces.js';

const rows = (text: string, formatted = true) => sqlLines(text, { formatted }).map(lineText);

describe('SQL as lines', () => {
  it('breaks a statement of one line at its clauses, and one of several not at all', () => {
    expect(rows('SELECT a FROM t LEFT JOIN u ON t.id = u.id WHERE x BETWEEN 1 AND 2 AND (y OR z) ORDER BY a')).toEqual([
      'SELECT a',
      'FROM t',
      'LEFT JOIN u ON t.id = u.id',
      'WHERE x BETWEEN 1 AND 2',
      '  AND (y',
      '    OR z)',
      'ORDER BY a',
    ]);
    expect(rows('SELECT a\nFROM t WHERE x')).toEqual(['SELECT a', 'FROM t WHERE x']);
    expect(rows('SELECT a FROM t', false)).toEqual(['SELECT a FROM t']);
  });

  it('does not break inside of strings, quoted names, dollar quotes and comments', () => {
    for (const text of [
      `SELECT 'a from b'`,
      `SELECT "a where b"`,
      'DO $x$ select 1 from t $x$',
      'SELECT 1 /* a /* b */ from c */',
    ])
      expect(rows(text)).toEqual([text]);
  });

  it('colours what changes data, keywords, strings, parameters and comments', () => {
    const tones = new Map(
      sqlLines("DELETE FROM t WHERE a = 'x' AND b = $1 -- why", { formatted: false })
        .flat()
        .map(({ text, tone }) => [text, tone]),
    );
    expect(['DELETE', 'FROM', 't', "'x'", '$1', '-- why'].map((text) => tones.get(text))).toEqual([
      'red',
      'cyan',
      'plain',
      'green',
      'magenta',
      'dim',
    ]);
  });

  it('loses no character, whatever the text', () => {
    const part = fc.constantFrom(
      "'",
      '"',
      '$',
      '$x$',
      '/*',
      '*/',
      '--',
      '\n',
      ' ',
      'E',
      'and',
      'from',
      '(',
      ')',
      '\\',
      '1',
      'ä',
    );
    const bare = (text: string) => text.replace(/\s+/g, '');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), fc.boolean(), (parts, formatted) => {
        const text = parts.join('');
        expect(bare(rows(text, formatted).join('\n'))).toBe(
          bare(
            text
              .split('\n')
              .map((row) => escapeControls(row))
              .join('\n'),
          ),
        );
      }),
      { numRuns: 300 },
    );
  });
});
