import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { StatementSplitter, type StatementText } from '../../../src/client/exec/statement-splitter.js';
import { loadGrammar } from '../../../src/protocols/postgres/facts/grammar.js';
import { splitStatements } from '../../../src/protocols/postgres/facts/split.js';

function split(parts: readonly string[]): readonly StatementText[] {
  const splitter = new StatementSplitter();
  const statements: StatementText[] = [];
  const take = (): void => {
    for (let next = splitter.next(); next !== undefined; next = splitter.next()) statements.push(next);
  };
  for (const part of parts) {
    splitter.push(part);
    take();
  }
  splitter.end();
  take();
  return statements;
}

const texts = (script: string): readonly string[] => split([script]).map(({ text }) => text);

/** Each is one statement, however many semicolons it holds. */
const STATEMENTS: readonly string[] = [
  `SELECT ';' AS a`,
  `SELECT 'it''s; ''' AS a, ";" AS "b"";"`,
  `SELECT $x$ ; $y$ ; $x$, $$;$$ AS a$b$c`,
  `SELECT /* ; /* ; */ */ 1 -- ; '\n + 2`,
  `SELECT E'\\';\\\\', e'a'';', U&'\\0061;', B'1', X'ff', 'back\\'`,
  `SELECT 1-1, 4/2, 1 - -1`,
  `CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT 2; END`,
  `create or replace procedure p() begin atomic select 1; end`,
  `DO $body$ BEGIN PERFORM 1; END $body$`,
  `BEGIN`,
  `END`,
  `CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)`,
  `SELECT "ä€𝄞;" FROM "x"`,
  `INSERT INTO t VALUES ('a
;b')`,
  `SELECT $1, a[1:2] FROM t`,
];

describe('statements', () => {
  beforeAll(loadGrammar);

  it('end at semicolons that are not in strings, comments, parentheses or bodies', () => {
    expect(texts(`${STATEMENTS.join(';\n')};`)).toEqual(STATEMENTS);
  });

  it('are the same however the text was cut', () => {
    const script = `\n${STATEMENTS.join(';\n')};`;
    const whole = split([script]);
    expect(split([...script].map(String))).toEqual(whole);
    for (let at = 1; at < script.length; at += 1) expect(split([script.slice(0, at), script.slice(at)])).toEqual(whole);
  });

  it('are those that PostgreSQL’s own grammar tells apart', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STATEMENTS), { minLength: 1, maxLength: 6 }), (statements) => {
        const script = statements.join(' ;\n\n ');
        const expected = splitStatements(script);
        if ('code' in expected) throw new Error(`${expected.message}: ${script}`);
        expect(texts(script)).toEqual(expected.map(({ text }) => text));
      }),
      { numRuns: 100 },
    );
  });

  it('that are empty, or comments alone, are left out', () => {
    expect(texts(';; SELECT 1 ;; /* ; */ ; -- x')).toEqual(['SELECT 1']);
    expect(texts(' -- nothing; here\n')).toEqual([]);
  });

  it('before a wrong one are told apart from it', () => {
    expect(texts(`SELECT 1; SELEKT 2; SELECT 'open`)).toEqual(['SELECT 1', 'SELEKT 2', `SELECT 'open`]);
  });

  it('know line and column, by characters, in a script with characters of 1 to 4 bytes', () => {
    expect(split([`SELECT 'ä€𝄞';  SELECT 2;\n\n  -- why\n SELECT '𝄞'; TABLE x`])).toEqual([
      { text: `SELECT 'ä€𝄞'`, line: 1, column: 1 },
      { text: 'SELECT 2', line: 1, column: 16 },
      { text: `-- why\n SELECT '𝄞'`, line: 3, column: 3 },
      { text: 'TABLE x', line: 4, column: 14 },
    ]);
  });

  it('never throw and never lose a character that is no space, semicolon or comment', () => {
    const piece = fc.constantFrom(
      `'`,
      `"`,
      '$$',
      '$a$',
      ';',
      '--',
      '\n',
      '/*',
      '*/',
      'E',
      '\\',
      '(',
      ')',
      'begin',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(40), (pieces, at) => {
        const script = pieces.join('');
        const whole = split([script]);
        expect(split([script.slice(0, at), script.slice(at)])).toEqual(whole);
        let from = 0;
        for (const { text } of whole) {
          from = script.indexOf(text, from);
          expect(from).toBeGreaterThanOrEqual(0);
          from += text.length;
        }
      }),
      { numRuns: 500 },
    );
  });
});
