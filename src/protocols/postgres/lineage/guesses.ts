import { EMPTY, inside, isNode, listAt, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { functionName, routinesCalled } from './calls.js';
import { rowsOf } from './compared-values.js';
import { noteBrought } from './conditions.js';
import type { Derivation } from './derivation.js';
import { isGiven } from './given-side.js';
import { multipliesRows, unnests } from './known-functions.js';
import type { Reading } from './reading.js';
import { levelOf, resolveColumn, type GivenColumn, type Item } from './scope.js';

/**
 * Which rows are put in, or changed, tells which of their values were there: as many comparisons as there are rows.
 *
 * @param brought by the column's name, the values that the caller brings for it
 */
export function judgeGuesses(
  reading: Reading,
  target: Item,
  insert: TreeNode,
  brought: ReadonlyMap<string, GivenColumn>,
): void {
  const query = inside(insert['selectStmt'], 'SelectStmt') ?? EMPTY;
  const lists = listAt(query, 'valuesLists');
  const count = lists.length > 0 ? rowsOf(lists) : givesOneRow(reading, query) ? 1 : undefined;
  // A body may run it once for each value of a variable.
  const known = !reading.inBody || isConstant(reading, lists.length > 0 ? lists : query['targetList']);
  for (const { name, value } of writtenColumns(target, listAt(insert, 'cols'))) {
    const values = brought.get(name);
    if (count !== undefined && known) reading.findings.comparisons.push({ column: value, count, parameters: [] });
    else if (count === undefined && values !== undefined) noteBrought(reading, values, value, 'ON CONFLICT');
    else reading.findings.note({ kind: 'compared', clause: 'ON CONFLICT', value });
  }
}

/** Remembers which columns are written: see `judgeCaught`. */
export function noteWritten(reading: Reading, target: Item, columns: readonly unknown[]): void {
  for (const value of written(target, columns)) reading.findings.written.add(value);
}

/**
 * A value that is put where it must be unique, or must stand in another table, is told by whether that fails. Where a
 * body catches the failure, one text can try as many as it likes; what it calls may be what writes.
 */
export function judgeCaught(reading: Reading, values: Iterable<Derivation>): void {
  for (const value of values) reading.findings.note({ kind: 'compared', clause: 'a block with EXCEPTION', value });
}

function written(target: Item, columns: readonly unknown[]): readonly Derivation[] {
  return writtenColumns(target, columns).map(({ value }) => value);
}

/** What is behind the columns that are named; all where none is. */
function writtenColumns(
  target: Item,
  columns: readonly unknown[],
): readonly { readonly name: string; readonly value: Derivation }[] {
  const names = columns.map((item) => textAt(inside(item, 'ResTarget') ?? EMPTY, 'name'));
  const level = levelOf([target], undefined, undefined);
  if (names.length > 0) return names.map((name) => ({ name, value: resolveColumn([name], level) }));
  return [...target.columns, ...(target.open === undefined ? [] : [{ name: '', value: target.open }])];
}

/** The same whenever it runs: no variable, parameter or column. */
function isConstant(reading: Reading, value: unknown): boolean {
  return isGiven(reading, value) && !namesParameter(value);
}

function namesParameter(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(namesParameter);
  if (!isNode(value)) return false;
  return inside(value, 'ParamRef') !== undefined || Object.values(value).some(namesParameter);
}

/** A SELECT of nothing but values. */
function givesOneRow(reading: Reading, select: TreeNode): boolean {
  if (select['larg'] !== undefined || listAt(select, 'fromClause').length > 0) return false;
  const pending: unknown[] = [...listAt(select, 'targetList')];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    const call = isNode(value) ? inside(value, 'FuncCall') : undefined;
    if (call !== undefined && maySpread(reading, call)) return false;
    pending.push(...(Object.values(value) as unknown[]));
  }
  return true;
}

function maySpread(reading: Reading, call: TreeNode): boolean {
  const { name } = functionName(call);
  return multipliesRows(name) || unnests(name) || routinesCalled(reading, call).length > 0;
}
