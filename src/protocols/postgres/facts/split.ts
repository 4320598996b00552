import type { Fault } from '../../../core/errors.js';
import { parseSql } from './grammar.js';
import { isNode, listAt } from './tree.js';

/** One statement of a text; `start` is its place in the text, in UTF-16 units from 0. */
export interface StatementText {
  readonly text: string;
  readonly start: number;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a text into its statements as PostgreSQL does: semicolons in strings, comments and
 * BEGIN ATOMIC bodies do not cut. Empty statements and the semicolons are left out; comments before a
 * statement stay with it.
 *
 * Fault `sql` where the text does not parse, `limit` where it is too large or too deep to.
 */
export function splitStatements(text: string): readonly StatementText[] | Fault {
  if (text.includes('\0')) return { code: 'sql', message: 'a zero byte in the text' };
  if (text === '') return [];
  const parsed = parseSql(text);
  if (parsed.kind === 'failed') return { code: 'limit', message: parsed.reason };
  if (parsed.kind === 'refused') return { code: 'sql', message: `syntax error at character ${parsed.position}` };
  return statementRanges(text, listAt(parsed.tree, 'stmts')).map(({ start, end }) => {
    const cut = text.slice(start, end);
    const lead = cut.length - cut.trimStart().length;
    return { text: cut.trim(), start: start + lead };
  });
}

/** Places of the statements of a tree in UTF-16 units. The tree counts bytes of UTF-8. */
export function statementRanges(text: string, statements: readonly unknown[]): readonly Range[] {
  const index = new ByteIndex(text);
  return statements.map((item) => {
    const start = isNode(item) && typeof item['stmt_location'] === 'number' ? item['stmt_location'] : 0;
    const length = isNode(item) && typeof item['stmt_len'] === 'number' ? item['stmt_len'] : undefined;
    // In this order: the index only goes forward.
    const from = index.unitAt(start);
    return { start: from, end: length === undefined ? text.length : index.unitAt(start + length) };
  });
}

/** From places in bytes to places in UTF-16 units, asked for in rising order. */
class ByteIndex {
  #unit = 0;
  #byte = 0;

  constructor(private readonly text: string) {}

  unitAt(byte: number): number {
    while (this.#byte < byte && this.#unit < this.text.length) {
      const code = this.text.codePointAt(this.#unit) ?? 0;
      this.#byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      this.#unit += code < 0x10000 ? 1 : 2;
    }
    return this.#unit;
  }
}
