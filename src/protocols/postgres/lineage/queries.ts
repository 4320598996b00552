import { EMPTY, flagAt, inside, itemsOf, listAt, literalIn, namesIn, nodeAt, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { judgeWindow } from './calls.js';
import { withClause } from './ctes.js';
import type { Ctes } from './scope.js';
import { computedValue } from './computing.js';
import { either, isNothing, type Derivation } from './derivation.js';
import { givenRows, givenTarget } from './given-columns.js';
import { starColumns } from './expressions.js';
import { fromItems } from './from-items.js';
import { impliedName } from '../facts/row-sources.js';
import { anyShape, isDocument, leaf, type JsonShape } from './json-shape.js';
import { writtenDocument } from './document-texts.js';
import { isJsonb } from './document-types.js';
import type { Reading } from './reading.js';
import { columnNamed, levelOf, wholeOf, type Level, type Output, type OutputColumn } from './scope.js';

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
  noteSorted(
    reading,
    'GROUP BY',
    listAt(select, 'groupClause').flatMap((item) => groupColumns(reading, item, output, level)),
  );
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
      const given = givenTarget(reading, target['val'], level);
      const value = computedValue(reading, target['val'], level);
      const column = namedColumn(target['val'], level);
      columns.push({
        ...targetName(target),
        value,
        ...(given === undefined ? {} : { given }),
        ...(column?.row === undefined ? {} : { row: column.row }),
        ...(column === undefined ? documentOf(reading, target['val'], value, level) : documentIn(column)),
      });
      continue;
    }
    for (const { value } of star.columns) reading.findings.mentions(value);
    columns.push(...star.columns);
    exact &&= star.exact;
  }
  return { columns, exact };
}

function documentIn({
  json,
  jsonText,
  isJsonb: known,
}: OutputColumn): Pick<OutputColumn, 'json' | 'jsonText' | 'isJsonb'> {
  return {
    ...(json === undefined ? {} : { json }),
    ...(jsonText === undefined ? {} : { jsonText }),
    ...(known === undefined ? {} : { isJsonb: known }),
  };
}

function documentOf(
  reading: Reading,
  node: unknown,
  value: Derivation,
  level: Level,
): Pick<OutputColumn, 'json' | 'jsonText' | 'isJsonb'> {
  const json = isNothing(value) ? undefined : reading.shape(node, level);
  const jsonText = isNothing(value) ? undefined : writtenDocument(reading, node, level);
  return {
    ...(json === undefined ? {} : { json }),
    ...(jsonText === undefined ? {} : { jsonText }),
    ...(isJsonb(reading, node, level) ? { isJsonb: true } : {}),
  };
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
  const columns = first.columns.map(({ name }, index) => {
    const all = outputs.map((output) => output.columns[index] as OutputColumn);
    const json = eitherDocument(all);
    return {
      name,
      value: either(all.map(({ value }) => value)),
      ...(json === undefined ? {} : { json }),
      ...(all.some(({ isJsonb: known }) => known === true) ? { isJsonb: true as const } : {}),
    };
  });
  return { columns, exact: true };
}

function eitherDocument(columns: readonly OutputColumn[]): JsonShape | undefined {
  const shapes = columns.map(({ json, value }) => json ?? leaf(value));
  return shapes.some(isDocument) ? anyShape(shapes) : undefined;
}

function valuesRows(reading: Reading, select: TreeNode, rows: readonly unknown[], level: Level): Output {
  const outputs = rows.map((row): Output => {
    const columns = itemsOf(row).map((item, index) => {
      const value = computedValue(reading, item, level);
      return { name: `column${String(index + 1)}`, value, ...documentOf(reading, item, value, level) };
    });
    return { columns, exact: true };
  });
  const { columns, exact } = combined(outputs);
  const known = columns.map((column, index) => {
    const given = exact ? givenRows(reading, rows, index) : undefined;
    return given === undefined ? column : { ...column, given };
  });
  const output = { columns: known, exact };
  judgeOrder(reading, select, output, level);
  return output;
}

/** ORDER BY, LIMIT and OFFSET: a number or a name means an output column first. */
function judgeOrder(reading: Reading, select: TreeNode, output: Output, level: Level): void {
  const keys = listAt(select, 'sortClause').map((item) =>
    sortColumn(reading, inside(item, 'SortBy')?.['node'], output, level),
  );
  noteSorted(reading, 'ORDER BY', keys);
  for (const field of ['limitCount', 'limitOffset']) {
    if (select[field] === undefined) continue;
    reading.findings.note({ kind: 'compared', clause: 'LIMIT', value: reading.value(select[field], level) });
  }
}

/** A column that rows are sorted, grouped or told apart by. */
type SortColumn = Pick<OutputColumn, 'value' | 'row'>;

/** In this order: rows that are alike in the columns before are told apart by the next. */
function noteSorted(reading: Reading, clause: string, columns: readonly SortColumn[]): void {
  columns.forEach(({ value, row }, index) => {
    const before = row === undefined ? [] : columns.slice(0, index).filter((other) => other.row === row);
    const by = before.map((other) => other.value);
    reading.findings.note({ kind: 'compared', clause, value, ...(by.length === 0 ? {} : { by }) });
  });
}

function judgeDistinct(reading: Reading, list: readonly unknown[], output: Output, level: Level): void {
  const on = list.filter((item) => tagged(item) !== undefined);
  if (on.length === 0) noteSorted(reading, 'DISTINCT', output.columns);
  else
    noteSorted(
      reading,
      'DISTINCT ON',
      on.map((item) => sortColumn(reading, item, output, level)),
    );
}

function sortColumn(reading: Reading, node: unknown, output: Output, level: Level): SortColumn {
  return outputColumn(node, output) ?? inputColumn(reading, node, level);
}

function inputColumn(reading: Reading, node: unknown, level: Level): SortColumn {
  const row = namedColumn(node, level)?.row;
  return { value: reading.value(node, level), ...(row === undefined ? {} : { row }) };
}

/** GROUP BY takes a name for an input column first; of both, either may be meant. */
function groupColumns(reading: Reading, item: unknown, output: Output, level: Level): readonly SortColumn[] {
  const set = inside(item, 'GroupingSet');
  if (set !== undefined) {
    const columns = listAt(set, 'content').flatMap((inner) => groupColumns(reading, inner, output, level));
    // Rows are grouped by each of them alone as well.
    return columns.map(({ value }) => ({ value }));
  }
  const row = inside(item, 'RowExpr');
  if (row !== undefined) return listAt(row, 'args').flatMap((inner) => groupColumns(reading, inner, output, level));
  const named = outputColumn(item, output);
  const byNumber = named !== undefined && inside(item, 'ColumnRef') === undefined;
  const column = byNumber ? named : inputColumn(reading, item, level);
  const unknown = column.value.unresolved.length > 0 && named !== undefined;
  return [unknown ? named : column];
}

/** The output column that a number or a bare name stands for. */
function outputColumn(node: unknown, output: Output): SortColumn | undefined {
  const column = inside(node, 'ColumnRef');
  if (column !== undefined) {
    const fields = listAt(column, 'fields');
    const [name] = namesIn(fields);
    const [found, ...others] = fields.length === 1 ? output.columns.filter((one) => one.name === name) : [];
    return found === undefined || others.length === 0
      ? found
      : { value: either([found, ...others].map((candidate) => candidate.value)) };
  }
  const number = inside(node, 'A_Const') === undefined ? undefined : literalIn(node)?.value;
  if (typeof number !== 'number') return undefined;
  if (!output.exact) return { value: wholeOf({ columns: output.columns, open: undefined }) };
  return output.columns[number - 1];
}

/** The column that an expression is, as it stands. */
function namedColumn(value: unknown, level: Level): OutputColumn | undefined {
  const column = inside(value, 'ColumnRef');
  const fields = column === undefined ? [] : listAt(column, 'fields');
  const names = namesIn(fields);
  return names.length === 0 || names.length < fields.length ? undefined : columnNamed(names, level);
}

/** Every column goes to a place that is not known. */
export function movedAll(reading: Reading, output: Output, clause: string): void {
  for (const { value } of output.columns) reading.findings.note({ kind: 'moved', clause, value, to: undefined });
}
