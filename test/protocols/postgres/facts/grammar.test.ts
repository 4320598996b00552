import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';

beforeAll(loadGrammar);

describe('what the parser cannot take', () => {
  it('is opaque for text over maxBytes, counted in bytes of UTF-8', () => {
    const text = `SELECT '${'é'.repeat(10)}'`;
    expect(analyze(text, { maxBytes: 29 }).opaque).toBe(false);
    expect(analyze(text, { maxBytes: 28 })).toMatchObject({
      opaque: true,
      opaqueReason: 'over 28 bytes',
      kind: 'other',
    });
    expect(analyze('x'.repeat(8 * 1024 * 1024 + 1)).opaqueReason).toBe('over 8388608 bytes');
  });

  it('is opaque for a zero byte, which would end the text for the parser', () => {
    expect(analyze('SELECT 1\0; DROP TABLE t')).toMatchObject({ opaque: true, effects: ['other'] });
  });

  it.each([
    ['selec 1', 'syntax error at or near "selec"', 1],
    ["SELECT 'é' fro x y z", 'syntax error at or near "x"', 16],
    ["SELECT '😀' from from", 'syntax error at or near "from"', 17],
    ["SELECT 'abc", 'unterminated quoted string at or near "\'abc"', 8],
    ['SELECT 1; DROP', 'syntax error at end of input', 15],
  ])('gives the error of %s with its position in characters from 1', (text, message, position) => {
    expect(analyze(text)).toMatchObject({ opaque: true, statements: 1, syntaxError: { message, position } });
  });

  it('has no syntax error where the text was not refused by the grammar', () => {
    expect(analyze('SELECT 1')).not.toHaveProperty('syntaxError');
    expect(analyze('SELECT 1\0')).not.toHaveProperty('syntaxError');
  });

  it('stays usable through 60 overflows of its stack, which hang one instance after 31', async () => {
    const deep = `SELECT ${'1+'.repeat(20_000)}1`;
    for (let round = 0; round < 60; round += 1) {
      expect(analyze(deep)).toMatchObject({ opaque: true, kind: 'other' });
      await loadGrammar();
      expect(analyze('DELETE FROM t').unqualified).toEqual(['delete']);
    }
  });

  it.each([
    ['brackets', `SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
    ['NOT', `SELECT ${'not '.repeat(2_000)}true`],
    ['sub-selects', `SELECT * FROM ${'(SELECT * FROM '.repeat(1_000)}t${') x'.repeat(1_000)}`],
    ['a chain the parser takes and the walk does not', `SELECT ${'1+'.repeat(1_600)}1`],
  ])('is opaque for deep %s', async (_, text) => {
    expect(analyze(text)).toMatchObject({
      opaque: true,
      opaqueReason: expect.stringMatching(/deep|starting/) as string,
    });
    await loadGrammar();
    expect(analyze('SELECT 1').opaque).toBe(false);
  });

  it('refuses 400 KB of nested empty comments unread, which the lexer needs minutes for', () => {
    const comments = `${'/*'.repeat(100_000)}${'*/'.repeat(100_000)}`;
    expect(analyze(`SELECT ${comments}1`).opaqueReason).toMatch(/too long/);
    expect(analyze(`SELECT 1${'+-'.repeat(10_000)}1`).opaqueReason).toMatch(/too long/);
    // Written in escapes, so that only the body itself shows them.
    const escaped = comments.replaceAll('/', '\\x2f').replaceAll('*', '\\x2a');
    expect(analyze(`DO E'BEGIN ${escaped} NULL; END'`).opaqueReason).toMatch(/too long/);
  });

  it('takes ruled lines and ordinary comments', () => {
    expect(analyze(`--${'-'.repeat(50_000)}\nSELECT 1 /*${'*'.repeat(5_000)}*/`).effects).toEqual(['select']);
    expect(analyze(`SELECT ${'/* a */ '.repeat(5_000)}1`).effects).toEqual(['select']);
  });

  it.each([
    ['truth lists', `DELETE FROM t WHERE ${'('.repeat(40)}a${' IN (true, true, false))'.repeat(40)}`],
    ['CASE conditions', `DELETE FROM t WHERE ${'CASE WHEN '.repeat(60)}a${' THEN b ELSE c END'.repeat(60)}`],
    [
      'WITH queries that double',
      `WITH c0 AS (SELECT 1 a)${Array.from({ length: 60 }, (_, at) => `, c${at + 1} AS (SELECT * FROM c${at} x, c${at} y)`).join('')} DELETE FROM t USING c60 WHERE a = 1`,
    ],
  ])('reads nested %s without multiplying the work', (_, text) => {
    expect(analyze(text)).toMatchObject({ opaque: false, kind: 'delete' });
  });

  it('bounds the bodies of one message: 6000 expressions are too many', () => {
    expect(analyze(`DO $$ DECLARE a int; BEGIN ${'a := 1;'.repeat(6_000)} END $$`).opaqueReason).toBe(
      'bodies too large to read',
    );
  });

  it('reads 1 MB of rows', () => {
    const facts = analyze(`INSERT INTO t VALUES ${"(1, 'abcdefghijklmnop', NULL),".repeat(35_000)}(1, '', NULL)`);
    expect(facts).toMatchObject({ opaque: false, effects: ['insert'], writes: [{ schema: '', name: 't' }] });
  });
});
