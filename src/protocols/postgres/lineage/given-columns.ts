import { EMPTY, inside, isNode, itemsOf, listAt, nodeAt, textAt } from '../facts/tree.js';
import { functionName } from './calls.js';
import { isGiven } from './given-side.js';
import { unnests } from './known-functions.js';
import type { Reading } from './reading.js';
import { columnNamed, type GivenColumn, type Level, type OutputColumn } from './scope.js';

/**
 * Values that the caller brings as rows: `unnest($1::text[])`, `VALUES ($1), ($2)`. To compare a column with such rows is
 * to compare it with the list of their values, and counts as that.
 *
 * In a body it is not known which values a parameter will stand for, and in a recursive query a name stands for more than
 * its first rows: there nothing counts as brought.
 */
export type { GivenColumn } from './scope.js';

/** What a target of a select list gives in every row; undefined where it is more than the caller brought. */
export function givenTarget(reading: Reading, value: unknown, level: Level): GivenColumn | undefined {
  if (reading.inBody) return undefined;
  const call = inside(value, 'FuncCall');
  const [array, ...more] = call === undefined ? [] : listAt(call, 'args');
  if (call !== undefined && unnests(functionName(call).name))
    return more.length === 0 && isArrayGiven(reading, array) && isGiven(reading, value)
      ? { side: array, isArray: true }
      : undefined;
  return mayGiveRows(value) ? undefined : givenBy(reading, value, level);
}

/** A function in a select list may give more rows than one. */
function mayGiveRows(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(mayGiveRows);
  return isNode(value) && (inside(value, 'FuncCall') !== undefined || Object.values(value).some(mayGiveRows));
}

/** The arrays behind the columns of `unnest(…)` in FROM; undefined where it is another call. */
export function givenArrays(
  reading: Reading,
  calls: readonly (readonly unknown[])[],
): readonly GivenColumn[] | undefined {
  const [call, ...others] = calls;
  const node = inside(call?.[0], 'FuncCall');
  if (node === undefined || others.length > 0 || reading.inBody || functionName(node).name !== 'unnest')
    return undefined;
  const arrays = listAt(node, 'args');
  const known = isGiven(reading, call?.[0]) && arrays.every((array) => isArrayGiven(reading, array));
  return known ? arrays.map((side) => ({ side, isArray: true })) : undefined;
}

/** Other things than arrays can be unnested: of a text search vector nobody counts the words. */
function isArrayGiven(reading: Reading, value: unknown): boolean {
  if (!isGiven(reading, value)) return false;
  const cast = inside(value, 'TypeCast');
  if (cast === undefined) return inside(value, 'A_ArrayExpr') !== undefined;
  return listAt(nodeAt(cast, 'typeName') ?? EMPTY, 'arrayBounds').length > 0;
}

/** Column by column what the rows of VALUES hold. */
export function givenRows(reading: Reading, rows: readonly unknown[], index: number): GivenColumn | undefined {
  if (reading.inBody) return undefined;
  const items = rows.map((row) => itemsOf(row)[index]);
  return items.every((item) => isGiven(reading, item)) ? { side: { List: { items } }, isArray: false } : undefined;
}

/** What a side of a comparison brings: a value, or a column of rows that the caller brought, cast or not. */
export function givenBy(reading: Reading, value: unknown, level: Level): GivenColumn | undefined {
  if (isGiven(reading, value)) return { side: value, isArray: false };
  if (reading.inBody) return undefined;
  const cast = inside(value, 'TypeCast');
  if (cast !== undefined) {
    const isServers = isGiven(reading, { TypeCast: { ...cast, arg: undefined } });
    return isServers ? givenBy(reading, cast['arg'], level) : undefined;
  }
  const select = inside(value, 'SubLink');
  if (select !== undefined) return givenAlone(reading, select);
  const column = inside(value, 'ColumnRef');
  if (column === undefined) return undefined;
  const fields = listAt(column, 'fields').map((field) => textAt(inside(field, 'String') ?? EMPTY, 'sval'));
  return columnNamed(fields, level)?.given;
}

/** `(SELECT $1)`. */
function givenAlone(reading: Reading, sublink: Readonly<Record<string, unknown>>): GivenColumn | undefined {
  const select = inside(sublink['subselect'], 'SelectStmt') ?? EMPTY;
  const [target, ...more] = listAt(select, 'targetList');
  const isAlone =
    textAt(sublink, 'subLinkType') === 'EXPR_SUBLINK' &&
    more.length === 0 &&
    listAt(select, 'valuesLists').length === 0 &&
    ['fromClause', 'whereClause', 'withClause', 'larg'].every((field) => select[field] === undefined);
  const value = inside(target, 'ResTarget')?.['val'];
  return isAlone && value !== undefined && isGiven(reading, value) && !mayGiveRows(value)
    ? { side: value, isArray: false }
    : undefined;
}

/** The same columns where nothing is known of what they hold. */
export function withoutGiven(columns: readonly OutputColumn[]): readonly OutputColumn[] {
  return columns.map(({ given: _, json: __, jsonText: ___, ...column }) => column);
}
