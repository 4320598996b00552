import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptStatements } from '../../../src/client/exec/script-statements.js';

const texts = async (script: string): Promise<string[]> => (await scriptStatements(script)).map(({ text }) => text);

describe('scriptStatements', () => {
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
    expect(await scriptStatements('SELECT 1; SELEKT 2')).toEqual([{ text: 'SELECT 1; SELEKT 2', start: 0 }]);
    expect(await scriptStatements('SELECT 1;\0DROP TABLE t')).toHaveLength(1);
  });

  it('gives each statement the place where it stands, also behind characters of 2, 3 and 4 bytes', async () => {
    const value = fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll("'", "''"));
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
        const statements = values.map((text) => `SELECT '${text.replaceAll('\0', '')}' AS "ä€𝄞"`);
        const script = `\n${statements.join('; \n')};`;
        const split = await scriptStatements(script);
        expect(split.map(({ text }) => text)).toEqual(statements);
        for (const { text, start } of split) expect(script.slice(start, start + text.length)).toBe(text);
      }),
      { numRuns: 60 },
    );
  });
});
