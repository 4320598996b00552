import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { analyze, loadGrammar, splitStatements } from '../../../../src/protocols/postgres/facts/analyze.js';
import { EFFECTS } from '../../../../src/protocols/postgres/facts/effects.js';
import type { SqlFacts } from '../../../../src/policy/types.js';

beforeAll(loadGrammar);

/** Pieces that make near-SQL, so that more than the error path is met. */
const piece = fc.constantFrom(
  ...[
    'SELECT',
    'DELETE FROM',
    'UPDATE',
    'SET',
    'WHERE',
    'a',
    'b.c',
    '=',
    '1',
    "'x'",
    '$1',
    '(',
    ')',
    ',',
    ';',
    'AND',
    'OR',
    'NOT',
  ],
  ...[
    '--',
    '/*',
    '*/',
    '$$',
    '$a$',
    "E'\\",
    '"',
    "'",
    'DO',
    'BEGIN',
    'END',
    'EXECUTE',
    'WITH',
    'AS',
    'CASE',
    'WHEN',
    'IS NULL',
    '::',
    '\n',
  ],
);

it('never throws, whatever the text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(text, (sql) => {
      const facts = analyze(sql);
      expect(EFFECTS).toContain(facts.kind);
      expect(facts.opaque).toBe(facts.opaqueReason !== '');
      if (facts.syntaxError !== undefined) expect(facts.opaque && facts.syntaxError.position >= 1).toBe(true);
      splitStatements(sql);
    }),
    { numRuns: 1_500 },
  );
});

it('takes any text for a WHERE inside a DO and never throws', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (parts) => {
      expect(analyze(`DO $body$ BEGIN DELETE FROM t WHERE ${parts.join(' ')}; END $body$`).kind).not.toBe('');
    }),
    { numRuns: 500 },
  );
});

const STATEMENTS: readonly (readonly string[])[] = [
  ['DELETE', 'FROM', 't', 'WHERE', 'id', '=', '5', 'OR', 'NOT', 'id', '=', '5'],
  ['DELETE', 'FROM', 't', 'WHERE', 't', '.', 'id', '=', '5'],
  ['UPDATE', 'payments', 'SET', 'a', '=', "'x;y'", 'WHERE', 'a', 'IS', 'NULL', 'OR', 'a', 'IS', 'NOT', 'NULL'],
  ['WITH', 'd', 'AS', '(', 'DELETE', 'FROM', 'b', 'RETURNING', '*', ')', 'SELECT', '*', 'FROM', 'd', ',', 'c'],
  ['SELECT', 'pg_catalog', '.', 'pg_read_file', '(', "'x'", ')'],
  ['ALTER', 'TABLE', 's', '.', 't', 'DROP', 'COLUMN', 'a', ';', 'DROP', 'TABLE', 'u'],
  ['SET', 'SESSION', 'AUTHORIZATION', 'x', ';', 'SET', 'ROLE', 'y'],
  ['COPY', '(', 'SELECT', '1', ')', 'TO', 'PROGRAM', "'x'"],
  ['DO', 'LANGUAGE', 'plpgsql', "'BEGIN DELETE FROM t; END'"],
  [
    'CREATE',
    'FUNCTION',
    'f',
    '(',
    ')',
    'RETURNS',
    'int',
    'BEGIN',
    'ATOMIC',
    'DELETE',
    'FROM',
    't',
    ';',
    'SELECT',
    '1',
    ';',
    'END',
  ],
];

const gap = fc
  .array(
    fc.constantFrom(' ', '\n', '\t', '\f', '/**/', '/* DROP TABLE t; */', '/* a /* b */ c */', '-- DELETE FROM x\n'),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => ` ${parts.join('')} `);

function mixCase(word: string, seed: number): string {
  if (word.startsWith("'")) return word;
  return [...word]
    .map((char, index) => (((seed >> (index % 16)) & 1) === 1 ? char.toUpperCase() : char.toLowerCase()))
    .join('');
}

function withoutText({ text: _, ...facts }: SqlFacts): Omit<SqlFacts, 'text'> {
  return facts;
}

it('gives the same facts with any comments, white space and case between the tokens', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STATEMENTS),
      fc.array(gap, { minLength: 20, maxLength: 20 }),
      fc.nat(),
      (tokens, gaps, seed) => {
        const dressed = tokens
          .map((token, index) => `${gaps[index % gaps.length] ?? ' '}${mixCase(token, seed)}`)
          .join('');
        expect(withoutText(analyze(dressed))).toEqual(withoutText(analyze(tokens.join(' '))));
      },
    ),
    { numRuns: 400 },
  );
});

it('gives a sum of statements the effects of its parts, and cuts it into them', () => {
  const joined = STATEMENTS.map((tokens) => tokens.join(' '));
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...joined), { minLength: 1, maxLength: 5 }), (parts) => {
      const facts = analyze(parts.join(' ; '));
      const wanted = new Set(parts.flatMap((part) => analyze(part).effects));
      expect(new Set(facts.effects)).toEqual(wanted);
      const cut = splitStatements(parts.join(' ; '));
      expect(Array.isArray(cut) && cut.length === facts.statements).toBe(true);
    }),
    { numRuns: 100 },
  );
});

it('adds no scope by AND with what restricts nothing, and takes none by OR with it', () => {
  const scoped = fc.constantFrom('id = 5', 'a IS NULL', "name LIKE 'x'", 'active', 'id IN (1, 2)', 'x.id = t.id');
  const open = fc.constantFrom(
    'true',
    '1 = 1',
    'id = id',
    'a OR NOT a',
    'id IS NULL OR id IS NOT NULL',
    'EXISTS (SELECT 1)',
    "'a' = 'a'",
  );
  const where = (condition: string): readonly string[] =>
    analyze(`DELETE FROM t USING x WHERE ${condition}`).unqualified;
  fc.assert(
    fc.property(scoped, open, open, (one, two, three) => {
      expect(where(`(${one}) AND (${two})`)).toEqual([]);
      expect(where(`NOT (NOT (${one}) OR NOT (${two}))`)).toEqual([]);
      expect(where(`(${one}) OR (${two})`)).toEqual(['delete']);
      expect(where(`(${three}) AND (${two})`)).toEqual(['delete']);
      expect(where(`NOT (NOT (${two}))`)).toEqual(['delete']);
    }),
  );
});
