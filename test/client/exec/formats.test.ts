import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvWriter } from '../../../src/client/exec/csv-writer.js';
import { JsonWriter, NdjsonWriter } from '../../../src/client/exec/json-writer.js';
import type { Column, Print, ResultWriter, Row } from '../../../src/client/exec/result-writer.js';
import { TableWriter } from '../../../src/client/exec/table-writer.js';

const INT4 = 23;
const INT8 = 20;
const TEXT = 25;
const BOOL = 16;
const FLOAT8 = 701;
const NUMERIC = 1700;

const column = (name: string, typeOid = TEXT): Column => ({ name, typeOid });

function print(
  make: (print: Print) => ResultWriter,
  ...results: { columns: readonly Column[]; rows: readonly Row[] }[]
): string {
  let printed = '';
  const writer = make((part) => {
    printed += typeof part === 'string' ? part : new TextDecoder().decode(part);
  });
  for (const { columns, rows } of results) {
    writer.begin(columns);
    for (const row of rows) writer.row(row);
    writer.end();
  }
  writer.finish();
  return printed;
}

const table = (p: Print): ResultWriter => new TableWriter(p);
const csv = (p: Print): ResultWriter => new CsvWriter(p);
const json = (p: Print): ResultWriter => new JsonWriter(p);
const ndjson = (p: Print): ResultWriter => new NdjsonWriter(p);

describe('TableWriter', () => {
  it('aligns as psql does: numbers right, text left, headings centred, no space after the last text', () => {
    const rows: Row[] = [
      ['1', 'a'],
      ['20', 'a longer one'],
      [null, null],
    ];
    expect(print(table, { columns: [column('id', INT4), column('name')], rows })).toBe(
      [
        ' id |     name     ',
        '----+--------------',
        '  1 | a',
        ' 20 | a longer one',
        '    | ',
        '(3 rows)',
        '',
        '',
      ].join('\n'),
    );
  });

  it('says (1 row) for one and prints headings for none', () => {
    expect(print(table, { columns: [column('a')], rows: [['x']] })).toContain('(1 row)\n\n');
    expect(print(table, { columns: [column('a')], rows: [] })).toBe(' a \n---\n(0 rows)\n\n');
  });

  it('prints rows without columns as psql does', () => {
    expect(print(table, { columns: [], rows: [[]] })).toBe('--\n(1 row)\n\n');
  });

  it('shows what would act on a terminal instead of sending it, in names and values', () => {
    const printed = print(table, { columns: [column('a\u001b[2J')], rows: [['\u009b31mred\u202e\nsecond line']] });
    expect(['\u001b', '\u009b', '\u202e'].filter((char) => printed.includes(char))).toEqual([]);
    expect(printed).toContain('\\x9b31mred\\u202e\\nsecond line');
  });

  it('counts two cells for each East Asian wide character', () => {
    const lines = print(table, {
      columns: [column('name'), column('n', INT4)],
      rows: [
        ['日本', '1'],
        ['ab', '2'],
      ],
    }).split('\n');
    expect(lines[2]).toBe(' 日本 | 1');
    expect(lines[3]).toBe(' ab   | 2');
  });

  it('holds back at most 1,000 rows to measure them', () => {
    let printed = '';
    const writer = new TableWriter((part) => (printed += String(part)));
    writer.begin([column('n', INT4)]);
    for (let row = 1; row <= 999; row += 1) writer.row([String(row)]);
    expect(printed).toBe('');
    writer.row(['1000']);
    expect(printed.split('\n')).toHaveLength(1_003);
    writer.row(['12345678']);
    writer.end();
    expect(printed).toContain(' 12345678\n(1001 rows)');
  });

  it('still prints the rows that came before an error', () => {
    let printed = '';
    const writer = new TableWriter((part) => (printed += String(part)));
    writer.begin([column('n', INT4)]);
    writer.row(['7']);
    writer.finish();
    expect(printed).toBe(' n \n---\n 7\n');
  });
});

describe('CsvWriter', () => {
  it('quotes commas, quotes, line ends and outer spaces, and tells NULL from the empty text', () => {
    const rows: Row[] = [['a,b', 'say "hi"', 'two\nlines', ' x', '', null]];
    const columns = ['c1', 'c2', 'c3', 'c4', 'c5', 'c,6'].map((name) => column(name));
    expect(print(csv, { columns, rows })).toBe('c1,c2,c3,c4,c5,"c,6"\n"a,b","say ""hi""","two\nlines"," x","",\n');
  });

  it('parts two result sets by a blank line', () => {
    expect(print(csv, { columns: [column('a')], rows: [['1']] }, { columns: [column('b')], rows: [] })).toBe(
      'a\n1\n\nb\n',
    );
  });

  it('can be read back to the same values, whatever they hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.option(fc.string({ unit: 'grapheme' })), { minLength: 2, maxLength: 2 }), {
          maxLength: 5,
        }),
        (rows) => {
          const printed = print(csv, { columns: [column('a'), column('b')], rows });
          expect(parseCsv(printed).slice(1)).toEqual(rows);
        },
      ),
    );
  });
});

describe('JsonWriter', () => {
  it('prints one array of objects on one line per result set', () => {
    expect(
      print(json, { columns: [column('a', INT4)], rows: [['1'], ['2']] }, { columns: [column('b')], rows: [] }),
    ).toBe('[{"a":1},{"a":2}]\n[]\n');
  });

  it('makes booleans and numbers themselves only where JSON holds them exactly', () => {
    const columns = [
      column('i', INT4),
      column('big', INT8),
      column('safe', INT8),
      column('n', NUMERIC),
      column('f', FLOAT8),
      column('nan', FLOAT8),
      column('t', BOOL),
      column('u', BOOL),
    ];
    const rows: Row[] = [['-5', '9007199254740993', '9007199254740991', '1.50', '1e+20', 'NaN', 't', null]];
    expect(JSON.parse(print(json, { columns, rows }))).toEqual([
      { i: -5, big: '9007199254740993', safe: 9_007_199_254_740_991, n: '1.50', f: 1e20, nan: 'NaN', t: true, u: null },
    ]);
  });

  it('keeps a masked number as text', () => {
    expect(JSON.parse(print(json, { columns: [column('ssn', INT4)], rows: [['***6789']] }))).toEqual([
      { ssn: '***6789' },
    ]);
  });

  it('renames a column name that comes again, so that no value is lost', () => {
    const columns = [column('a'), column('a'), column('a_2')];
    expect(JSON.parse(print(json, { columns, rows: [['1', '2', '3']] }))).toEqual([{ a: '1', a_2: '2', a_2_2: '3' }]);
  });

  it('keeps a column called __proto__', () => {
    expect(print(json, { columns: [column('__proto__')], rows: [['x']] })).toBe('[{"__proto__":"x"}]\n');
  });

  it('closes the array after an error within it', () => {
    let printed = '';
    const writer = new JsonWriter((part) => (printed += String(part)));
    writer.begin([column('a')]);
    writer.row(['1']);
    writer.finish();
    expect(printed).toBe('[{"a":"1"}]\n');
  });

  it('escapes what acts on a terminal, without changing the value', () => {
    const value = '\u001b[2J\u009b1m\u202e\u007f';
    const printed = print(json, { columns: [column('a')], rows: [[value]] });
    expect([...value].filter((char) => char < ' ' || char > '~').filter((char) => printed.includes(char))).toEqual([]);
    expect(JSON.parse(printed)).toEqual([{ a: value }]);
  });

  it('refuses COPY data', () => {
    expect(() => {
      new JsonWriter(() => undefined).copyData();
    }).toThrow('COPY');
  });
});

describe('NdjsonWriter', () => {
  it('prints one object a line, also for values with line ends', () => {
    const printed = print(ndjson, {
      columns: [column('a'), column('b', INT4)],
      rows: [
        ['x\ny', '1'],
        [null, '2'],
      ],
    });
    expect(printed).toBe('{"a":"x\\ny","b":1}\n{"a":null,"b":2}\n');
  });
});

/** Reads what CsvWriter writes: unquoted empty is null. */
function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let at = 0;
  while (at < text.length) {
    let value: string | null = null;
    if (text[at] === '"') {
      value = '';
      at += 1;
      for (;;) {
        if (text[at] !== '"') value += text[at++] ?? '';
        else if (text[at + 1] === '"') {
          value += '"';
          at += 2;
        } else break;
      }
      at += 1;
    } else {
      const start = at;
      while (text[at] !== ',' && text[at] !== '\n') at += 1;
      if (at > start) value = text.slice(start, at);
    }
    row.push(value);
    if (text[at] === '\n') {
      rows.push(row);
      row = [];
    }
    at += 1;
  }
  return rows;
}
