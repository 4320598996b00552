/**
 * Which expressions may fail, or take long, by what a column holds: `1 / (ascii(ssn) - 57)` shows nothing and tells a
 * digit by its error. Nothing of that is refused at once, since most of what may fail never does; `failure-budget.ts`
 * counts.
 */
import { inside, isNode, listAt, literalIn, namesIn, nodeAt, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { functionName, routinesCalled } from './calls.js';
import { stopsEarly } from './conditional.js';
import { isNothing, type Derivation } from './derivation.js';
import { isCostly, neverFails } from './known-functions.js';
import type { Reading } from './reading.js';
import type { Level } from './scope.js';
import { ANY_CAST, madeRoutines } from './session-names.js';

/** What evaluating an expression may tell besides its value. */
const NOTHING_TOLD = 0;
const MAY_FAIL = 1;
const MAY_TAKE_LONG = 2;
type Told = typeof NOTHING_TOLD | typeof MAY_FAIL | typeof MAY_TAKE_LONG;

/** As `reading.value`, of an expression that is worked out for each row. */
export function computedValue(reading: Reading, node: unknown, level: Level): Derivation {
  const value = reading.value(node, level);
  noteComputed(reading, node, value);
  return value;
}

/** @param value what is behind it */
export function noteComputed(reading: Reading, node: unknown, value: Derivation): void {
  if (value.plain || isNothing(value)) return;
  const told = toldBy(reading, node, false);
  if (told !== NOTHING_TOLD) reading.findings.computed.add({ value, costly: told === MAY_TAKE_LONG });
}

/** @param decided does another part of the expression decide whether this one is evaluated? */
function toldBy(reading: Reading, value: unknown, decided: boolean): Told {
  if (typeof value !== 'object' || value === null) return NOTHING_TOLD;
  reading.step();
  if (Array.isArray(value)) return most(reading, value, decided);
  const found = tagged(value);
  if (found === undefined) return isNode(value) ? most(reading, Object.values(value), decided) : NOTHING_TOLD;
  const { type, node } = found;
  // What is read there is judged by itself; whether it is read at all takes time, and more than one row fails.
  if (type === 'SubLink') return decided || READ_UP_TO.has(textAt(node, 'subLinkType')) ? MAY_TAKE_LONG : NOTHING_TOLD;
  const own = (OWN[type] ?? fails)(reading, node);
  if (own === MAY_TAKE_LONG) return own;
  // The first is always worked out: `coalesce((SELECT json_agg(…) …), '[]')`.
  if (type === 'CoalesceExpr') {
    const [first, ...others] = listAt(node, 'args');
    return worse(own, worse(toldBy(reading, first, decided), most(reading, others, true)));
  }
  const decides = DECIDING.has(type) || (type === 'A_Expr' && stopsEarly(node));
  return worse(own, most(reading, Object.values(node), decided || decides));
}

function most(reading: Reading, parts: readonly unknown[], decided: boolean): Told {
  let told: Told = NOTHING_TOLD;
  for (const part of parts) {
    told = worse(told, toldBy(reading, part, decided));
    if (told === MAY_TAKE_LONG) break;
  }
  return told;
}

const worse = (one: Told, other: Told): Told => (one > other ? one : other);
const never = (): Told => NOTHING_TOLD;
const fails = (): Told => MAY_FAIL;

/** They evaluate some of their parts only where others say so. */
const DECIDING: ReadonlySet<string> = new Set(['CaseExpr', 'BoolExpr', 'CoalesceExpr']);

/** Such a sub-select is read up to the first row that settles it. */
const READ_UP_TO: ReadonlySet<string> = new Set(['ANY_SUBLINK', 'ALL_SUBLINK']);

/** What a node does beside what its parts do; any other may fail. */
const OWN: Readonly<Record<string, (reading: Reading, node: TreeNode) => Told>> = {
  ...Object.fromEntries(
    ['A_Const', 'A_Star', 'ColumnRef', 'ParamRef', 'String', 'List', 'SQLValueFunction', 'TypeName', 'Integer'].map(
      (type) => [type, never],
    ),
  ),
  ...Object.fromEntries(
    [
      'BoolExpr',
      'NullTest',
      'BooleanTest',
      'CaseExpr',
      'CaseWhen',
      'CoalesceExpr',
      'MinMaxExpr',
      'RowExpr',
      'A_ArrayExpr',
    ].map((type) => [type, never]),
  ),
  CollateClause: never,
  SortBy: never,
  WindowDef: never,
  A_Expr: operatorTells,
  FuncCall: callTells,
  TypeCast: castTells,
};

/** They are defined for any two values. */
const TOTAL_OPERATORS: ReadonlySet<string> = new Set([
  ...['||', '=', '<>', '!=', '<', '>', '<=', '>='],
  ...['->', '->>', '#>', '#>>'],
]);
const COSTLY_OPERATORS: ReadonlySet<string> = new Set(['^', '|/', '||/', '!', '!!']);
const COMPARING: ReadonlySet<string> = new Set([
  ...['AEXPR_OP', 'AEXPR_OP_ANY', 'AEXPR_OP_ALL', 'AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT', 'AEXPR_NULLIF', 'AEXPR_IN'],
  ...['AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN', 'AEXPR_BETWEEN_SYM', 'AEXPR_NOT_BETWEEN_SYM'],
]);

function operatorTells(reading: Reading, node: TreeNode): Told {
  const kind = textAt(node, 'kind');
  const name = namesIn(listAt(node, 'name')).at(-1) ?? '';
  if (COSTLY_OPERATORS.has(name)) return MAY_TAKE_LONG;
  const isTotal = COMPARING.has(kind) && (TOTAL_OPERATORS.has(name) || kind.includes('BETWEEN'));
  const own = reading.catalog.operatorRoutines(name).length > 0;
  return isTotal && !own && madeRoutines(reading.names.made?.(name)).length === 0 ? NOTHING_TOLD : MAY_FAIL;
}

function callTells(reading: Reading, call: TreeNode): Told {
  const { schema, name } = functionName(call);
  if (isCostly(name) || (schema !== 'pg_catalog' && madeRoutines(reading.names.made?.(name)).length > 0))
    return MAY_TAKE_LONG;
  const isServers = schema === '' || schema === 'pg_catalog';
  const own = routinesCalled(reading, call).some(({ extension }) => !extension);
  return isServers && !own && neverFails(name, call) ? NOTHING_TOLD : MAY_FAIL;
}

/** Any value can be written as text; what a constant or parameter holds is no column's. */
function castTells(reading: Reading, node: TreeNode): Told {
  if (inside(node['arg'], 'ParamRef') !== undefined || literalIn(node['arg']) !== undefined) return NOTHING_TOLD;
  const type = nodeAt(node, 'typeName');
  const name = type === undefined ? '' : (namesIn(listAt(type, 'names')).at(-1) ?? '');
  const isText = name === 'text' || (name === 'varchar' && type !== undefined && listAt(type, 'typmods').length === 0);
  const isArray = type !== undefined && listAt(type, 'arrayBounds').length > 0;
  const own = reading.catalog.castRoutines(name).some(({ extension }) => !extension);
  const made = madeRoutines(reading.names.made?.(ANY_CAST)).length > 0;
  return isText && !isArray && !own && !made ? NOTHING_TOLD : MAY_FAIL;
}
