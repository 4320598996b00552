import { parsePlpgsql } from '../facts/grammar.js';
import { EMPTY, inside, listAt, nodeAt, tagged } from '../facts/tree.js';

/**
 * Does a PL/pgSQL body do nothing but open cursors and return their names? So procedures give rows to JDBC and ODBC, which
 * FETCH from what they were given. No data can come into such a name: OPEN gives one that has none `<unnamed portal 1>`,
 * and without conditions, assignments and expressions all others are the caller's own or constants.
 *
 * @param statement the CREATE FUNCTION that holds the body
 */
export function givesCursorNames(statement: string, body: string): boolean {
  const parsed = parsePlpgsql(statement, body);
  const [only, ...more] = parsed.kind === 'tree' ? listAt(parsed.tree, 'plpgsql_funcs') : [];
  const routine = inside(only, 'PLpgSQL_function');
  if (routine === undefined || more.length > 0) return false;
  const block = inside(nodeAt(routine, 'action'), 'PLpgSQL_stmt_block') ?? EMPTY;
  const work = listAt(block, 'body');
  return (
    block['exceptions'] === undefined &&
    work.some((item) => inside(item, 'PLpgSQL_stmt_open') !== undefined) &&
    work.every(opensOrReturns) &&
    listAt(routine, 'datums').every(startsWithConstant)
  );
}

function opensOrReturns(item: unknown): boolean {
  const { type, node } = tagged(item) ?? { type: '', node: EMPTY };
  if (type === 'PLpgSQL_stmt_open') return true;
  // Of an expression anybody could make anything; a bare name has the number of its variable.
  return /^PLpgSQL_stmt_return(?:_next)?$/.test(type) && node['expr'] === undefined;
}

function startsWithConstant(datum: unknown): boolean {
  const { type, node } = tagged(datum) ?? { type: '', node: EMPTY };
  // The row of several OUT arguments, whose variables stand beside it.
  if (type === 'PLpgSQL_row') return true;
  const text = inside(node['default_val'], 'PLpgSQL_expr')?.['query'];
  return type === 'PLpgSQL_var' && (node['default_val'] === undefined || CONSTANT.test(String(text)));
}

/** NULL, or a string without escapes. */
const CONSTANT = /^\s*(?:null|'[^'\\]*')\s*$/i;
