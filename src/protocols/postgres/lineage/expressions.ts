import { EMPTY, inside, isNode, itemsOf, listAt, namesIn, nodeAt, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { callDerivation, operatorRoutines, usedRoutines } from './calls.js';
import { noteComputed } from './computing.js';
import { judgeConditional, stopsEarly } from './conditional.js';
import { derived, either, NOTHING, strictlyDerived, type Derivation } from './derivation.js';
import { takenValue } from './document-operators.js';
import { comparesBytes } from './given-side.js';
import { leaf, listOf } from './json-shape.js';
import type { Reading } from './reading.js';
import { ANY_CAST } from './session-names.js';
import { expandStar, findSource, resolveColumn, type Level, type Output } from './scope.js';

/** Text as it stands: a cast between these changes nothing. */
const TEXT_TYPES = new Set(['text', 'varchar', 'bpchar', 'citext']);

/** Fields of a node that hold no value: names of types, positions, options. */
const NO_VALUES = new Set(['typeName', 'funcname', 'name', 'operName', 'relation', 'location', 'output', 'returning']);

/** From which columns the value of an expression comes. */
export function valueOf(reading: Reading, value: unknown, level: Level): Derivation {
  if (typeof value !== 'object' || value === null) return NOTHING;
  reading.step();
  if (Array.isArray(value)) return derived(value.map((item) => reading.value(item, level)));
  const found = tagged(value);
  if (found === undefined) return isNode(value) ? below(reading, value, level) : NOTHING;
  return nodeValue(reading, found.type, found.node, level);
}

function nodeValue(reading: Reading, type: string, node: TreeNode, level: Level): Derivation {
  switch (type) {
    case 'A_Const':
    case 'ParamRef':
    case 'SQLValueFunction':
    case 'SetToDefault':
    case 'MergeSupportFunc':
    case 'String':
    case 'TypeName':
    case 'GroupingFunc':
      return NOTHING;
    case 'ColumnRef':
      return columnValue(reading, node, level);
    case 'FuncCall':
      return once(reading, node, level, callDerivation);
    case 'SubLink':
      return once(reading, node, level, sublinkValue);
    case 'SelectStmt':
      return derived(reading.select(node, level, level.ctes).columns.map((column) => column.value));
    case 'CollateClause': {
      const value = reading.value(node['arg'], level);
      return comparesBytes(node) ? value : strictlyDerived([value]);
    }
    case 'TypeCast':
      return castValue(reading, node, level);
    case 'CoalesceExpr':
      judgeConditional(reading, type, node, level);
      return either(listAt(node, 'args').map((item) => reading.value(item, level)));
    case 'CaseExpr':
      return caseValue(reading, node, level);
    case 'BoolExpr':
      judgeConditional(reading, type, node, level);
      return below(reading, node, level);
    case 'NullTest': {
      const tested = reading.value(node['arg'], level);
      // Whether a value is there at all may be seen; of something made of it that says more.
      return tested.plain ? NOTHING : tested;
    }
    case 'A_Indirection':
      return indirectionValue(reading, node, level);
    case 'MultiAssignRef':
      return reading.value(node['source'], level);
    case 'A_Expr':
      return operatorValue(reading, node, level);
    default:
      return below(reading, node, level);
  }
}

/** What a call or a sub-select does is noted once, however often it is asked what it gives. */
function once(
  reading: Reading,
  node: TreeNode,
  level: Level,
  read: (reading: Reading, node: TreeNode, level: Level) => Derivation,
): Derivation {
  const { values } = reading.findings;
  return values.at(node, level)?.value ?? values.keep(node, level, read(reading, node, level));
}

/** Anything made of all that stands below. */
function below(reading: Reading, node: TreeNode, level: Level): Derivation {
  const values: Derivation[] = [];
  for (const field in node) {
    const child = node[field];
    if (typeof child === 'object' && child !== null && !NO_VALUES.has(field)) values.push(reading.value(child, level));
  }
  return derived(values);
}

function columnValue(reading: Reading, node: TreeNode, level: Level): Derivation {
  const fields = listAt(node, 'fields');
  const names = namesIn(fields);
  if (names.length < fields.length) {
    const star = expandStar(names.at(-1), level);
    for (const { value } of star.columns) reading.findings.mentions(value);
    return derived(star.columns.map((column) => column.value));
  }
  const resolved = resolveColumn(names, level);
  reading.findings.mentions(resolved);
  // In a body, what is no column is a parameter or a variable.
  return reading.inBody && resolved.unresolved.length > 0 && resolved.origins.size === 0 && !resolved.anything
    ? NOTHING
    : resolved;
}

function operatorValue(reading: Reading, node: TreeNode, level: Level): Derivation {
  if (stopsEarly(node)) judgeConditional(reading, 'A_Expr', node, level);
  const operators = namesIn(listAt(node, 'name')).slice(-1);
  if (textAt(node, 'kind').includes('BETWEEN')) operators.push('<=', '>=', '<', '>');
  const joins = operators[0] === '||' && textAt(node, 'kind') === 'AEXPR_OP';
  // Texts joined are NULL where one of them is.
  const given = joins
    ? strictlyDerived([node['lexpr'], node['rexpr']].map((side) => reading.value(side, level)))
    : below(reading, node, level);
  const taken = takenValue(reading, node, level);
  if (taken !== undefined) {
    // All of the document is made: where that fails it tells of the rest.
    noteComputed(reading, node['lexpr'], given);
    return taken;
  }
  const results = operators.flatMap((operator) => operatorRoutines(reading, operator, given));
  return joins && results.length === 0 ? given : derived([given, ...results]);
}

/** `CASE x WHEN …` compares by `=`. */
function caseValue(reading: Reading, node: TreeNode, level: Level): Derivation {
  judgeConditional(reading, 'CaseExpr', node, level);
  const all = below(reading, node, level);
  return node['arg'] === undefined ? all : derived([all, ...operatorRoutines(reading, '=', all)]);
}

function castValue(reading: Reading, node: TreeNode, level: Level): Derivation {
  const inner = reading.value(node['arg'], level);
  const type = nodeAt(node, 'typeName') ?? EMPTY;
  const name = namesIn(listAt(type, 'names')).at(-1) ?? '';
  const results = usedRoutines(reading, reading.catalog.castRoutines(name), ANY_CAST, inner, `a cast to ${name}`);
  const unchanged =
    TEXT_TYPES.has(name) && listAt(type, 'typmods').length === 0 && listAt(type, 'arrayBounds').length === 0;
  if (results.length > 0) return derived([inner, ...results]);
  return unchanged ? inner : strictlyDerived([inner]);
}

/** `(t).c`, `(t.*).c`, `a[1]`, `(f(x)).y`. */
function indirectionValue(reading: Reading, node: TreeNode, level: Level): Derivation {
  const path = listAt(node, 'indirection');
  const field = inside(path[0], 'String');
  const row = rowNamed(node['arg']);
  if (row !== undefined && field !== undefined) {
    const sources = findSource(row, level);
    if (sources.length > 0) {
      const column = resolveColumn([row, textAt(field, 'sval')], level);
      reading.findings.mentions(column);
      return path.length === 1 ? column : derived([column, reading.value(path, level)]);
    }
  }
  return derived([reading.value(node['arg'], level), reading.value(path, level)]);
}

/** The name in `(t)` and `(t.*)`. */
function rowNamed(value: unknown): string | undefined {
  const column = inside(value, 'ColumnRef');
  if (column === undefined) return undefined;
  const fields = listAt(column, 'fields');
  const names = namesIn(fields);
  return names.length === 1 ? names[0] : undefined;
}

function sublinkValue(reading: Reading, node: TreeNode, level: Level): Derivation {
  const output = reading.query(node['subselect'], level, level.ctes);
  const columns = output.columns.map((column) => column.value);
  switch (textAt(node, 'subLinkType')) {
    case 'EXISTS_SUBLINK':
      // What it depends on stands in its conditions, which are judged there.
      return NOTHING;
    case 'EXPR_SUBLINK': {
      const [column] = output.exact && output.columns.length === 1 ? output.columns : [];
      if (column !== undefined) reading.findings.documents.set(node, column);
      return output.exact && columns.length === 1 ? either(columns) : derived(columns);
    }
    case 'ARRAY_SUBLINK': {
      const [column] = output.exact && output.columns.length === 1 ? output.columns : [];
      if (column !== undefined)
        reading.findings.documents.set(node, { json: listOf(column.json ?? leaf(column.value)) });
      return derived(columns);
    }
    default: {
      judgeConditional(reading, 'SubLink', node, level);
      const all = derived([reading.value(node['testexpr'], level), ...columns]);
      return derived([all, ...operatorRoutines(reading, namesIn(listAt(node, 'operName')).at(-1) ?? '=', all)]);
    }
  }
}

/** `*`, `t.*`, `(t).*`, `(f(x)).*` in a target list: what columns it gives; undefined for another expression. */
export function starColumns(reading: Reading, value: unknown, level: Level): Output | undefined {
  const column = inside(value, 'ColumnRef');
  if (column !== undefined) {
    const fields = listAt(column, 'fields');
    const names = namesIn(fields);
    return names.length < fields.length ? expandStar(names.at(-1), level) : undefined;
  }
  const indirection = inside(value, 'A_Indirection');
  const path = indirection === undefined ? [] : listAt(indirection, 'indirection');
  if (indirection === undefined || inside(path.at(-1), 'A_Star') === undefined) return undefined;
  const row = path.length === 1 ? rowNamed(indirection['arg']) : undefined;
  const sources = row === undefined ? [] : findSource(row, level);
  if (sources.length > 0) return expandStar(row, level);
  return { columns: [{ name: '', value: derived([reading.value(indirection['arg'], level)]) }], exact: false };
}

/** The items of a row, in brackets or after ROW; undefined for another expression. */
export function rowItems(value: unknown): readonly unknown[] | undefined {
  const row = inside(value, 'RowExpr');
  if (row !== undefined) return listAt(row, 'args');
  return inside(value, 'List') === undefined ? undefined : itemsOf(value);
}
