import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createColours } from '../../src/cli/colours.js';
import { renderTable } from '../../src/cli/table.js';
import { displayWidth } from '../../src/core/display.js';

const plain = createColours({ stream: 'stdout', noColor: true, env: {} });

describe('renderTable', () => {
  const columns = [
    { header: 'name', value: (item: { name: string; type: string }) => item.name },
    { header: 'type', value: (item: { name: string; type: string }) => item.type },
  ];

  it('aligns columns under their headings and leaves no spaces at the end of a line', () => {
    expect(
      renderTable(
        [
          { name: 'pg', type: 'postgres' },
          { name: 'long-name', type: 'http' },
        ],
        columns,
        plain,
      ).text,
    ).toBe('NAME       TYPE\npg         postgres\nlong-name  http');
    expect(renderTable([{ name: 'pg', type: '' }], columns, plain).text).toBe('NAME  TYPE\npg');
  });

  it('counts 2 cells for 日本 each and none for a combining accent', () => {
    expect([displayWidth('日本'), displayWidth('e\u0301'), displayWidth('🙂')]).toEqual([4, 1, 2]);
    expect(
      renderTable(
        [
          { name: '日本', type: 'x' },
          { name: 'abcd', type: 'y' },
        ],
        columns,
        plain,
      ).text,
    ).toBe('NAME  TYPE\n日本  x\nabcd  y');
  });

  describe('on a terminal', () => {
    interface Session {
      readonly id: string;
      readonly who: string;
      readonly count: string;
      readonly title: string;
    }
    const list = [
      { header: 'id', value: ({ id }: Session) => id },
      { header: 'who', value: ({ who }: Session) => who, least: 6 },
      { header: 'count', value: ({ count }: Session) => count, spare: 1 },
      { header: 'title', value: ({ title }: Session) => title, least: 8, spare: 2 },
    ];
    const item: Session = { id: '0123456789', who: 'ann@example.com', count: '3', title: 'select 日本語 from orders' };
    const at = (width?: number): { readonly text: string; readonly leftOut: readonly string[] } => {
      const { text, leftOut } = renderTable([item], list, plain, width === undefined ? {} : { width });
      return { text: text.split('\n')[1] as string, leftOut };
    };

    it('takes from the widest column first, says what has no room, and cuts no id', () => {
      expect(at(62)).toEqual({ text: '0123456789  ann@example.com  3      select 日本語 from orders', leftOut: [] });
      expect(at(46)).toEqual({ text: '0123456789  ann@example…  3      select 日本…', leftOut: [] });
      expect(at(35)).toEqual({ text: '0123456789  ann@e…  3      select …', leftOut: [] });
      expect(at(34)).toEqual({ text: '0123456789  ann@examp…  select 日…', leftOut: ['count'] });
      expect(at(20)).toEqual({ text: '0123456789  ann@exa…', leftOut: ['count', 'title'] });
      expect(at(5)).toEqual({ text: '0123456789  ann@e…', leftOut: ['count', 'title'] });
    });

    it('cuts nothing where there is no terminal', () => {
      expect(at().text).toBe('0123456789  ann@example.com  3      select 日本語 from orders');
    });

    it('is never wider than the terminal where the least widths fit, whatever the cells hold', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.nat(80), (who, title, more) => {
          const width = 18 + more;
          const { text } = renderTable([{ ...item, who, title }], list, plain, { width });
          for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
        }),
      );
    });
  });

  it('keeps one line an item whatever the cells hold, and sends no control character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.string({ unit: 'binary' }), type: fc.string({ unit: 'binary' }) }), {
          minLength: 1,
          maxLength: 5,
        }),
        (items) => {
          const lines = renderTable(items, columns, plain).text.split('\n');
          expect(lines).toHaveLength(items.length + 1);

          for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        },
      ),
    );
  });
});

describe('createColours', () => {
  it('colours nothing with --no-color, with NO_COLOR, or where the stream is no terminal', () => {
    const streams = ['stdout', 'stderr'] as const;
    for (const stream of streams) {
      expect(createColours({ stream, noColor: true, env: {} }).red('x')).toBe('x');
      expect(createColours({ stream, noColor: false, env: { NO_COLOR: '1' } }).red('x')).toBe('x');
    }
  });

  it('escapes data before it is coloured', () => {
    expect(plain.bold('a\u001b]52;c;Zm9v\u0007b\n')).toBe('a\\x1b]52;c;Zm9v\\x07b\\n');
  });
});
