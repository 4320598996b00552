import { EMPTY, flagAt, inside, itemsOf, listAt, literalIn, namesIn, nodeAt, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { judgeWindow } from './calls.js';
import { withClause } from './ctes.js';
import type { Ctes } from './scope.js';
import { computedValue } from './computing.js';
import { either, type Derivation } from './derivation.js';
import { starColumns } from './expressions.js';
import { fromItems } from './from-items.js';
import { impliedName } from '../facts/row-sources.js';
import type { Reading } from './reading.js';
import { levelOf, wholeOf, type Level, type Output, type OutputColumn } from './scope.js';

/** What a SELECT, VALUES, TABLE or set operation gives. */
export function readSelect(
  reading: Reading,
  select: TreeNode,
  outer: Level | undefined,
  around: Ctes | undefined,
): Output {
  reading.step();
  const ctes = withClause(reading, nodeAt(select, 'withClause'), outer, around);
  const left = nodeAt(select, 'larg');
  const right = nodeAt(select, 'rarg');
  if (left !== undefined && right !== undefined) return setOperation(reading, select, [left, right], outer, ctes);
  const rows = listAt(select, 'valuesLists');
  if (rows.length > 0) return valuesRows(reading, select, rows, levelOf([], outer, ctes));
  return plainSelect(reading, select, outer, ctes);
}

function plainSelect(reading: Reading, select: TreeNode, outer: Level | undefined, ctes: Ctes | undefined): Output {
  const items = fromItems(reading, listAt(select, 'fromClause'), outer, ctes);
  const level = levelOf(items, outer, ctes);
  const output = targetList(reading, listAt(select, 'targetList'), level);
  if (select['whereClause'] !== undefined) reading.condition(select['whereClause'], level, 'WHERE');
  if (select['havingClause'] !== undefined) reading.condition(select['havingClause'], level, 'HAVING');
  for (const item of listAt(select, 'groupClause')) judgeGroup(reading, item, output, level);
  for (const item of listAt(select, 'windowClause')) judgeWindow(reading, inside(item, 'WindowDef') ?? EMPTY, level);
  const distinct = select['distinctClause'];
  if (distinct !== undefined) judgeDistinct(reading, listAt(select, 'distinctClause'), output, level);
  judgeOrder(reading, select, output, level);
  const into = nodeAt(select, 'intoClause');
  if (into !== undefined) movedAll(reading, output, 'SELECT INTO');
  return output;
}

/** The columns of a target or RETURNING list. */
export function targetList(reading: Reading, list: readonly unknown[], level: Level): Output {
  const columns: OutputColumn[] = [];
  let exact = true;
  for (const item of list) {
    const target = inside(item, 'ResTarget') ?? EMPTY;
    const star = starColumns(reading, target['val'], level);
    if (star === undefined) {
      const column = targetName(target);
      columns.push({ ...column, value: computedValue(reading, target['val'], level) });
      continue;
    }
    for (const { value } of star.columns) reading.findings.mentions(value);
    columns.push(...star.columns);
    exact &&= star.exact;
  }
  return { columns, exact };
}

function targetName(target: TreeNode): { readonly name: string; readonly guessed?: true } {
  const given = textAt(target, 'name');
  if (given !== '') return { name: given };
  const column = inside(target['val'], 'ColumnRef');
  if (column !== undefined) return { name: namesIn(listAt(column, 'fields')).at(-1) ?? '' };
  const path = inside(target['val'], 'A_Indirection');
  const field = path === undefined ? undefined : namesIn(listAt(path, 'indirection')).at(-1);
  return { name: field ?? impliedName(target['val']), guessed: true };
}

function setOperation(
  reading: Reading,
  select: TreeNode,
  sides: readonly TreeNode[],
  outer: Level | undefined,
  ctes: Ctes | undefined,
): Output {
  const outputs = sides.map((side) => reading.select(side, outer, ctes));
  const operation = textAt(select, 'op').replace('SETOP_', '');
  const output = combined(outputs);
  // UNION ALL takes all rows as they come; the others compare them.
  if (operation !== 'UNION' || !flagAt(select, 'all'))
    for (const { value } of output.columns) reading.findings.note({ kind: 'compared', clause: operation, value });
  judgeOrder(reading, select, output, levelOf([], outer, ctes));
  return output;
}

/** Column by column, either side's; where the sides do not fit, every column may be any. */
export function combined(outputs: readonly Output[]): Output {
  const [first, ...others] = outputs;
  if (first === undefined) return { columns: [], exact: true };
  const fits =
    outputs.every((output) => output.exact) && others.every((other) => other.columns.length === first.columns.length);
  if (!fits) return { columns: outputs.flatMap((output) => output.columns), exact: false };
  const columns = first.columns.map(({ name }, index) => ({
    name,
    value: either(outputs.map((output) => output.columns[index]?.value as Derivation)),
  }));
  return { columns, exact: true };
}

function valuesRows(reading: Reading, select: TreeNode, rows: readonly unknown[], level: Level): Output {
  const outputs = rows.map((row): Output => {
    const columns = itemsOf(row).map((item, index) => ({
      name: `column${String(index + 1)}`,
      value: computedValue(reading, item, level),
    }));
    return { columns, exact: true };
  });
  const output = combined(outputs);
  judgeOrder(reading, select, output, level);
  return output;
}

/** ORDER BY, LIMIT and OFFSET: a number or a name means an output column first. */
function judgeOrder(reading: Reading, select: TreeNode, output: Output, level: Level): void {
  for (const item of listAt(select, 'sortClause')) {
    const node = inside(item, 'SortBy')?.['node'];
    reading.findings.note({
      kind: 'compared',
      clause: 'ORDER BY',
      value: outputColumn(node, output) ?? reading.value(node, level),
    });
  }
  for (const field of ['limitCount', 'limitOffset']) {
    if (select[field] === undefined) continue;
    reading.findings.note({ kind: 'compared', clause: 'LIMIT', value: reading.value(select[field], level) });
  }
}

function judgeDistinct(reading: Reading, list: readonly unknown[], output: Output, level: Level): void {
  const on = list.filter((item) => tagged(item) !== undefined);
  const values =
    on.length === 0
      ? output.columns.map((column) => column.value)
      : on.map((item) => outputColumn(item, output) ?? reading.value(item, level));
  for (const value of values)
    reading.findings.note({ kind: 'compared', clause: on.length === 0 ? 'DISTINCT' : 'DISTINCT ON', value });
}

/** GROUP BY takes a name for an input column first; of both, either may be meant. */
function judgeGroup(reading: Reading, item: unknown, output: Output, level: Level): void {
  const set = inside(item, 'GroupingSet');
  if (set !== undefined) {
    for (const inner of listAt(set, 'content')) judgeGroup(reading, inner, output, level);
    return;
  }
  const row = inside(item, 'RowExpr');
  if (row !== undefined) {
    for (const inner of listAt(row, 'args')) judgeGroup(reading, inner, output, level);
    return;
  }
  const named = outputColumn(item, output);
  const byNumber = named !== undefined && inside(item, 'ColumnRef') === undefined;
  const value = byNumber ? named : reading.value(item, level);
  const unknown = value.unresolved.length > 0 && named !== undefined;
  reading.findings.note({ kind: 'compared', clause: 'GROUP BY', value: unknown ? named : value });
}

/** The output column that a number or a bare name stands for. */
function outputColumn(node: unknown, output: Output): Derivation | undefined {
  const column = inside(node, 'ColumnRef');
  if (column !== undefined) {
    const fields = listAt(column, 'fields');
    const [name] = namesIn(fields);
    const named = fields.length === 1 ? output.columns.filter((candidate) => candidate.name === name) : [];
    return named.length === 0 ? undefined : either(named.map((candidate) => candidate.value));
  }
  const number = inside(node, 'A_Const') === undefined ? undefined : literalIn(node)?.value;
  if (typeof number !== 'number') return undefined;
  if (!output.exact) return wholeOf({ columns: output.columns, open: undefined });
  return output.columns[number - 1]?.value;
}

/** Every column goes to a place that is not known. */
export function movedAll(reading: Reading, output: Output, clause: string): void {
  for (const { value } of output.columns) reading.findings.note({ kind: 'moved', clause, value, to: undefined });
}
