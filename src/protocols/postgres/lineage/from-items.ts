import { EMPTY, flagAt, inside, isNode, itemsOf, listAt, namesIn, nodeAt, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { callDerivation, functionName, givenColumns, isServersOwn } from './calls.js';
import { findCte, openOf } from './ctes.js';
import { hasOwnEquality, noteBrought } from './conditions.js';
import type { Ctes } from './scope.js';
import { givenArrays } from './given-columns.js';
import { noteComputed } from './computing.js';
import { derived, either, NOTHING, type Derivation } from './derivation.js';
import { itemShape, valueIn } from './json-shape.js';
import type { Reading } from './reading.js';
import { oneSource, relationItem } from './relations.js';
import {
  findSource,
  levelOf,
  renamedColumns,
  UNKNOWN_COLUMNS,
  type GivenColumn,
  type Item,
  type Level,
  type Output,
  type OutputColumn,
} from './scope.js';

/** Items of FROM, left to right: each sees those before it where it is LATERAL. */
export function fromItems(
  reading: Reading,
  list: readonly unknown[],
  outer: Level | undefined,
  ctes: Ctes | undefined,
): readonly Item[] {
  const items: Item[] = [];
  for (const node of list) items.push(fromItem(reading, node, items, outer, ctes));
  return items;
}

function fromItem(
  reading: Reading,
  value: unknown,
  before: readonly Item[],
  outer: Level | undefined,
  ctes: Ctes | undefined,
): Item {
  reading.step();
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  const beside = levelOf(before, outer, ctes);
  switch (type) {
    case 'RangeVar':
      return tableItem(reading, node, ctes);
    case 'RangeSubselect':
      return aliased(
        reading.query(node['subquery'], flagAt(node, 'lateral') ? beside : outer, ctes),
        nodeAt(node, 'alias'),
        '',
      );
    case 'JoinExpr':
      return joined(reading, node, before, outer, ctes);
    case 'RangeTableSample': {
      const item = fromItem(reading, node['relation'], before, outer, ctes);
      for (const field of ['args', 'repeatable']) refuse(reading, node[field], beside, 'TABLESAMPLE');
      return item;
    }
    case 'RangeFunction':
      return functionItem(reading, node, beside);
    case 'RangeTableFunc':
    case 'JsonTable':
      return documentTable(reading, node, beside);
    default:
      reading.findings.touchesAnything = true;
      return oneSource('', [], UNKNOWN_COLUMNS);
  }
}

/** A RangeVar: the rows of a WITH query, or of a relation. */
export function tableItem(reading: Reading, node: TreeNode, ctes: Ctes | undefined): Item {
  const alias = nodeAt(node, 'alias');
  const called = textAt(node, 'relname');
  const cte = textAt(node, 'schemaname') === '' ? findCte(ctes, called) : undefined;
  if (cte !== undefined) return aliased(cte.output(), alias, called);
  const name = alias === undefined ? called : textAt(alias, 'aliasname');
  return relationItem(reading, node, name, columnNames(alias));
}

function columnNames(alias: TreeNode | undefined): readonly string[] {
  return alias === undefined ? [] : namesIn(listAt(alias, 'colnames'));
}

function aliased(output: Output, alias: TreeNode | undefined, otherwise: string): Item {
  const name = alias === undefined ? otherwise : textAt(alias, 'aliasname');
  const open = openOf(output);
  if (open !== undefined)
    return oneSource(
      name,
      output.columns.filter((column) => column.name !== ''),
      open,
    );
  // The rows of a query may be named twice, or be put together from others.
  const columns = output.columns.map(({ row: _, ...column }) => column);
  const names = columnNames(alias);
  return oneSource(name, renamedColumns(columns, names), undefined, names.length === 0);
}

function joined(
  reading: Reading,
  node: TreeNode,
  before: readonly Item[],
  outer: Level | undefined,
  ctes: Ctes | undefined,
): Item {
  const left = fromItem(reading, node['larg'], before, outer, ctes);
  const right = fromItem(reading, node['rarg'], [...before, left], outer, ctes);
  const natural = flagAt(node, 'isNatural');
  const using = natural
    ? left.columns.map(({ name }) => name).filter((name) => right.columns.some((column) => column.name === name))
    : namesIn(listAt(node, 'usingClause'));
  const merged = using.map((name): OutputColumn => {
    const value = either([columnOf(left, name), columnOf(right, name)]);
    judgeMerged(reading, left, right, name, natural ? 'NATURAL JOIN' : 'JOIN USING');
    return { name, value };
  });
  const rest = [...left.columns, ...right.columns].filter(({ name }) => !using.includes(name));
  const opens = [left.open, right.open].filter((open) => open !== undefined);
  const both: Item = {
    sources: [...left.sources, ...right.sources],
    columns: [...merged, ...rest],
    open: opens.length === 0 ? undefined : either(opens),
  };
  if (node['quals'] !== undefined)
    reading.condition(node['quals'], levelOf([both], beyond(before, outer, ctes), ctes), 'JOIN');
  const usingAlias = nodeAt(node, 'join_using_alias');
  const named = usingAlias === undefined ? both : withSource(both, textAt(usingAlias, 'aliasname'), merged);
  const alias = nodeAt(node, 'alias');
  if (alias === undefined) return named;
  // The alias hides the names inside, and stands for the columns of both.
  return oneSource(textAt(alias, 'aliasname'), renamedColumns(both.columns, columnNames(alias)), both.open);
}

/** LATERAL items of a join may name what stands before the join. */
function beyond(before: readonly Item[], outer: Level | undefined, ctes: Ctes | undefined): Level | undefined {
  return before.length === 0 ? outer : levelOf(before, outer, ctes);
}

function withSource(item: Item, name: string, columns: readonly OutputColumn[]): Item {
  return { ...item, sources: [...item.sources, { name, columns, open: undefined }] };
}

function columnOf(item: Item, name: string): Derivation {
  const named = item.columns.filter((column) => column.name === name).map((column) => column.value);
  return named.length > 0 ? either(named) : (item.open ?? NOTHING);
}

/** A column that stands on both sides of a join by name is compared with itself. */
function judgeMerged(reading: Reading, left: Item, right: Item, name: string, clause: string): void {
  const [one, other] = [columnOf(left, name), columnOf(right, name)];
  if (hasOwnEquality(reading)) {
    reading.findings.note({ kind: 'compared', clause, value: derived([one, other]) });
    return;
  }
  const [ofLeft, ofRight] = [givenOf(left, name), givenOf(right, name)];
  if (ofRight !== undefined && one.plain) noteBrought(reading, ofRight, one, clause);
  else if (ofLeft !== undefined && other.plain) noteBrought(reading, ofLeft, other, clause);
  else reading.findings.note({ kind: 'matched', clause, left: one, right: other });
}

function givenOf(item: Item, name: string): GivenColumn | undefined {
  const [column, ...others] = item.columns.filter((candidate) => candidate.name === name);
  return others.length === 0 && item.open === undefined ? column?.given : undefined;
}

/** A function in FROM. All its columns come from what it is given and what it reads. */
function functionItem(reading: Reading, node: TreeNode, beside: Level): Item {
  const alias = nodeAt(node, 'alias');
  const aliasName = alias === undefined ? undefined : textAt(alias, 'aliasname');
  const calls = listAt(node, 'functions').map((entry) => itemsOf(entry));
  const ordinality = flagAt(node, 'ordinality') ? [{ name: 'ordinality', value: NOTHING }] : [];
  const given = givenArrays(reading, calls);
  if (given !== undefined) {
    const name = given.length === 1 ? (aliasName ?? 'unnest') : 'unnest';
    const columns = [...given.map((one) => ({ name, value: NOTHING, given: one })), ...ordinality];
    return oneSource(aliasName ?? 'unnest', renamedColumns(columns, columnNames(alias)), undefined);
  }
  const values: Derivation[] = [];
  const names: (readonly string[] | undefined)[] = calls.map((parts) => {
    const call = inside(parts[0], 'FuncCall');
    const value = call === undefined ? reading.value(parts[0], beside) : callDerivation(reading, call, beside);
    noteComputed(reading, parts[0], value);
    values.push(value);
    const defined = parts
      .slice(1)
      .flatMap((part) => itemsOf(part))
      .map(columnName);
    if (defined.some((name) => name !== '')) return defined.filter((name) => name !== '');
    return call === undefined ? undefined : givenColumns(reading, call, calls.length === 1 ? aliasName : undefined);
  });
  const all = derived(values);
  const defined = listAt(node, 'coldeflist').map(columnName);
  const known = defined.length > 0 ? defined : names.every((list) => list !== undefined) ? names.flat() : undefined;
  const source = aliasName ?? calledName(calls[0]?.[0]);
  if (known === undefined) return oneSource(source, [], all);
  const item = calls.length === 1 && known.length === 1 ? itemsGiven(reading, calls[0]?.[0], beside) : undefined;
  if (item !== undefined)
    return oneSource(
      source,
      renamedColumns([{ name: known[0] ?? '', ...item }, ...ordinality], columnNames(alias)),
      undefined,
    );
  const value = (name: string): Derivation => (name === 'key' && keysAreNames(reading, calls, beside) ? NOTHING : all);
  const columns = [...known.map((name) => ({ name, value: value(name) })), ...ordinality];
  return oneSource(source, renamedColumns(columns, columnNames(alias)), undefined);
}

/** What each row of `jsonb_array_elements(document)` is, where it is known. */
function itemsGiven(reading: Reading, value: unknown, level: Level): Omit<OutputColumn, 'name'> | undefined {
  const call = inside(value, 'FuncCall') ?? EMPTY;
  const { name } = functionName(call);
  const [document, ...more] = listAt(call, 'args');
  if (!/^jsonb?_array_elements$/.test(name) || more.length > 0 || !isServersOwn(reading, call)) return undefined;
  const list = reading.shape(document, level);
  const json = list === undefined ? undefined : itemShape(list);
  return json === undefined
    ? undefined
    : { value: valueIn(json), json, ...(name.startsWith('jsonb') ? { isJsonb: true } : {}) };
}

/** `jsonb_each(to_jsonb(t))`: its keys are names of columns. */
function keysAreNames(reading: Reading, calls: readonly (readonly unknown[])[], level: Level): boolean {
  const given = listAt(inside(calls[0]?.[0], 'FuncCall') ?? EMPTY, 'args');
  const inner = inside(given[0], 'FuncCall');
  if (calls.length !== 1 || given.length !== 1 || inner === undefined || !isServersOwn(reading, inner)) return false;
  const [row, ...more] = listAt(inner, 'args');
  const names = namesIn(listAt(inside(row, 'ColumnRef') ?? EMPTY, 'fields'));
  if (!/^(?:to_jsonb?|row_to_json)$/.test(functionName(inner).name) || more.length > 0 || names.length !== 1)
    return false;
  const [name = ''] = names;
  // A column of that name comes first, and may hold anything.
  if (level.columns.some((column) => column.name === name)) return false;
  return findSource(name, level).some((source) => source.open === undefined);
}

function calledName(value: unknown): string {
  const call = inside(value, 'FuncCall');
  return call === undefined ? '' : functionName(call).name;
}

function columnName(definition: unknown): string {
  return textAt(inside(definition, 'ColumnDef') ?? EMPTY, 'colname');
}

/** XMLTABLE and JSON_TABLE: the document decides how many rows there are. */
function documentTable(reading: Reading, node: TreeNode, beside: Level): Item {
  const values = Object.entries(node).flatMap(([field, part]) =>
    field === 'alias' ? [] : [reading.value(part, beside)],
  );
  const all = derived(values);
  reading.findings.note({ kind: 'compared', clause: 'FROM', value: all });
  const alias = nodeAt(node, 'alias');
  const columns = namesBelow(node).map((name) => ({ name, value: all }));
  return oneSource(
    alias === undefined ? '' : textAt(alias, 'aliasname'),
    renamedColumns(columns, columnNames(alias)),
    undefined,
  );
}

/** Nested columns are flattened in the order they are written. */
function namesBelow(node: TreeNode): readonly string[] {
  return listAt(node, 'columns').flatMap((item) => {
    const column =
      inside(item, 'JsonTableColumn') ?? inside(item, 'RangeTableFuncCol') ?? (isNode(item) ? item : EMPTY);
    const nested = namesBelow(column);
    return nested.length > 0 ? nested : [textAt(column, 'name') || textAt(column, 'colname')];
  });
}

/** Where no masked column may stand. */
function refuse(reading: Reading, node: unknown, level: Level, clause: string): void {
  if (node !== undefined) reading.findings.note({ kind: 'compared', clause, value: reading.value(node, level) });
}
