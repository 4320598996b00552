import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitStatements } from '../../../../src/protocols/postgres/facts/split-statements.js';

const texts = async (script: string): Promise<string[]> => (await splitStatements(script)).map(({ text }) => text);

describe('splitStatements', () => {
  it('cuts at semicolons that end a statement and at no others', async () => {
    const statements = [
      `SELECT ';' AS a`,
      `SELECT $x$ ; $x$`,
      `SELECT /* ; /* ; */ */ 1`,
      `CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END`,
      `SELECT E'\\';'`,
    ];
    expect(await texts(`${statements.join(';\n')};`)).toEqual(statements);
  });

  it('leaves out empty statements, and gives none for a text of comments', async () => {
    expect(await texts(';; SELECT 1 ;;')).toEqual(['SELECT 1']);
    expect(await texts(' -- nothing; here\n')).toEqual([]);
  });

  it('keeps text whole that the grammar refuses, or that holds a NUL', async () => {
    expect(await splitStatements('SELECT 1; SELEKT 2')).toEqual([{ text: 'SELECT 1; SELEKT 2', offset: 0 }]);
    expect(await splitStatements('SELECT 1;\0DROP TABLE t')).toHaveLength(1);
  });

  it('gives each statement the place where it stands, also behind characters of 2, 3 and 4 bytes', async () => {
    const value = fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll("'", "''"));
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
        const statements = values.map((text) => `SELECT '${text.replaceAll('\0', '')}' AS "ä€𝄞"`);
        const script = `\n${statements.join('; \n')};`;
        const split = await splitStatements(script);
        expect(split.map(({ text }) => text)).toEqual(statements);
        for (const { text, offset } of split) expect(script.slice(offset, offset + text.length)).toBe(text);
      }),
      { numRuns: 60 },
    );
  });
});
