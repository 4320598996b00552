import type { CatalogRoutine } from '../catalog/types.js';
import { dangerOf } from '../facts/dangerous-functions.js';
import { parseSql } from '../facts/grammar.js';
import { EMPTY, flagAt, inside, isNode, listAt, literalIn, namesIn, nodeAt, tagged } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { ANYTHING, derived, isNothing, NOTHING, strictlyDerived, type Derivation } from './derivation.js';
import {
  columnsGiven,
  isEffectful,
  isStrict,
  keepsArguments,
  makesOfRow,
  multipliesRows,
  readsAnything,
  runsText,
  unnests,
} from './known-functions.js';
import type { Reading, RoutineReading } from './reading.js';
import { rowMeant, type Level } from './scope.js';
import { madeRoutines } from './session-names.js';

/** Schema, empty where none is written, and bare name of what is called. */
export function functionName(call: TreeNode): { readonly schema: string; readonly name: string } {
  const names = namesIn(listAt(call, 'funcname'));
  return { schema: names.length > 1 ? (names.at(-2) ?? '') : '', name: names.at(-1) ?? '' };
}

/** User-defined routines that a call may reach. */
export function routinesCalled(reading: Reading, call: TreeNode): readonly CatalogRoutine[] {
  const { schema, name } = functionName(call);
  const count = listAt(call, 'args').length;
  return reading.catalog
    .routinesNamed(name)
    .filter(
      (routine) =>
        (schema === '' || routine.schema === schema || schema === 'pg_temp') &&
        schema !== 'pg_catalog' &&
        (flagAt(call, 'func_variadic') || (routine.argumentsFrom <= count && count <= routine.argumentsTo)),
    );
}

/** Is it surely a function of the server's: has nobody made one of that name, which may fit its arguments better? */
export function isServersOwn(reading: Reading, call: TreeNode): boolean {
  const { schema, name } = functionName(call);
  if (schema === 'pg_catalog') return true;
  const own = routinesCalled(reading, call).some(({ extension }) => !extension);
  return schema === '' && !own && madeRoutines(reading.names.made?.(name)).length === 0;
}

/** What a call gives, and whether what it is given could be told otherwise than by that. */
export function callDerivation(reading: Reading, call: TreeNode, level: Level): Derivation {
  const { name } = functionName(call);
  const routines = routinesCalled(reading, call);
  const given = listAt(call, 'args').map((argument) => reading.value(argument, level));
  judgeClauses(reading, call, level);
  if (flagAt(call, 'agg_within_group')) given.push(...sortKeys(reading, call, level));
  const all = derived(given);
  const own = routines.filter((routine) => !routine.extension);
  const made = routinesMade(reading, call, routines.length > 0);
  if (own.length + made.length === 0 && countsOnly(call, given, level)) return NOTHING;
  const takesText = own.some(({ argumentTypes }) => argumentTypes.some((type) => !HOLDS_NO_TEXT.has(type)));
  const results = [
    all,
    ...own.map((routine) => calledRoutine(reading, reading.routine(routine), all, `a call of ${name}`, takesText)),
    ...made.map((routine) => calledRoutine(reading, routine, all, `a call of ${name}`, given.length > 0)),
  ];
  for (const type of new Set(own.flatMap(({ argumentTypes, resultType }) => [...argumentTypes, resultType])))
    results.push(...usedRoutines(reading, reading.catalog.typeRoutines(type), '', all, `a call of ${name}`));
  if (runsText(name)) judgeText(reading, call, name);
  if (readsAnything(name) || opensElsewhere(name, given.length)) {
    reading.findings.touchesAnything = true;
    results.push(ANYTHING);
  }
  if (keepsArguments(name)) reading.findings.keepsValues = true;
  if (isEffectful(name)) reading.findings.changesSettings = true;
  const multiplies = multipliesRows(name) || routines.some(({ extension, returnsSet }) => extension && returnsSet);
  if (multiplies) reading.findings.keepsValues = true;
  if (!isNothing(all)) judgeArguments(reading, call, all, multiplies);
  return results.length === 1 && routines.length === 0 && isStrict(name, call)
    ? strictlyDerived(given)
    : derived(results);
}

/** Integers, numerics, booleans, dates and times, uuid: what is in an argument of such a type can't be a statement. */
const HOLDS_NO_TEXT: ReadonlySet<number> = new Set([
  ...[16, 20, 21, 23, 26, 700, 701, 1700, 1082, 1083, 1114, 1184, 1186, 1266, 2950, 2205],
]);

/** A statement in a literal is read as if it stood there; computed text, or one for another server, is not. */
function judgeText(reading: Reading, call: TreeNode, name: string): void {
  const literal = literalIn(listAt(call, 'args')[0])?.value;
  const parsed = typeof literal === 'string' && !name.startsWith('dblink') ? parseSql(literal) : undefined;
  if (parsed?.kind !== 'tree') {
    reading.findings.note({ kind: 'unread', clause: `a call of ${name}` });
    reading.findings.changesSettings = true;
    return;
  }
  for (const item of listAt(parsed.tree, 'stmts')) reading.statement(isNode(item) ? item['stmt'] : undefined);
}

/** What the routines behind an operator or cast give; `clause` names it. */
export function usedRoutines(
  reading: Reading,
  kept: readonly CatalogRoutine[],
  madeAs: string,
  given: Derivation,
  clause: string,
): readonly Derivation[] {
  const own = kept
    .filter(({ extension, name }) => !extension || keepsArguments(name))
    .map((routine) => reading.routine(routine));
  const made = madeRoutines(reading.names.made?.(madeAs)).map(({ body }) => reading.madeRoutine(body));
  return [...own, ...made].map((routine) => calledRoutine(reading, routine, given, clause, false));
}

/** What the routines behind a user-defined operator give. */
export function operatorRoutines(reading: Reading, operator: string, given: Derivation): readonly Derivation[] {
  const kept = reading.catalog.operatorRoutines(operator);
  return usedRoutines(reading, kept, operator, given, `the operator ${operator}`);
}

/** Routines of the session's own making, and one that nobody knows in a schema that is not the server's. */
function routinesMade(reading: Reading, call: TreeNode, known: boolean): readonly RoutineReading[] {
  const { schema, name } = functionName(call);
  if (schema === 'pg_catalog') return [];
  const made = madeRoutines(reading.names.made?.(name));
  if (made.length === 0 && !known && schema !== '' && schema !== 'information_schema')
    return [reading.madeRoutine(undefined)];
  return made.map(({ body }) => reading.madeRoutine(body));
}

function calledRoutine(
  reading: Reading,
  { result, hasEffects, unread }: RoutineReading,
  given: Derivation,
  clause: string,
  takesText: boolean,
): Derivation {
  reading.findings.callsRoutines = true;
  if (hasEffects) reading.findings.keepsValues = true;
  if (hasEffects && !isNothing(given)) reading.findings.note({ kind: 'moved', clause, value: given, to: undefined });
  if (unread === true && takesText) reading.findings.note({ kind: 'unread', clause });
  return result;
}

function judgeArguments(reading: Reading, call: TreeNode, all: Derivation, multiplies: boolean): void {
  const { name } = functionName(call);
  if (keepsArguments(name))
    reading.findings.note({ kind: 'moved', clause: `a call of ${name}`, value: all, to: undefined });
  else if (multiplies || (unnests(name) && !listAt(call, 'args').every(isColumnOrArray)))
    reading.findings.note({ kind: 'compared', clause: `a call of ${name}`, value: all });
}

/** Of arrays made on the spot the length tells nothing that the statement does not. */
function isColumnOrArray(argument: unknown): boolean {
  const found = tagged(argument);
  if (found === undefined) return false;
  if (found.type === 'TypeCast') return isColumnOrArray(found.node['arg']);
  if (found.type === 'FuncCall') return makesOfRow(functionName(found.node).name);
  return found.type === 'ColumnRef' || found.type === 'A_ArrayExpr' || found.type === 'SubLink';
}

/** How many there are, or how many are not NULL, shows no value. */
function countsOnly(call: TreeNode, given: readonly Derivation[], level: Level): boolean {
  if (functionName(call).name !== 'count' || flagAt(call, 'agg_distinct')) return false;
  const args = listAt(call, 'args');
  return given.every((value, index) => value.plain || isRowItself(args[index], level));
}

/** `t` or `t.*` of a table or query in FROM: a row that is there is not NULL, whatever it holds. */
function isRowItself(argument: unknown, level: Level): boolean {
  return rowMeant(inside(argument, 'ColumnRef') ?? EMPTY, level)?.ownNames === true;
}

function opensElsewhere(name: string, count: number): boolean {
  const danger = dangerOf(name, count);
  return danger !== undefined && danger.effects.some((effect) => effect === 'outbound' || effect === 'dynamic');
}

/** FILTER, ORDER BY and OVER decide which rows count, in what order. */
function judgeClauses(reading: Reading, call: TreeNode, level: Level): void {
  if (call['agg_filter'] !== undefined) reading.condition(call['agg_filter'], level, 'FILTER');
  if (!flagAt(call, 'agg_within_group'))
    for (const value of sortKeys(reading, call, level))
      reading.findings.note({ kind: 'compared', clause: 'ORDER BY', value });
  const window = nodeAt(call, 'over');
  if (window !== undefined) judgeWindow(reading, window, level);
}

function sortKeys(reading: Reading, call: TreeNode, level: Level): readonly Derivation[] {
  return listAt(call, 'agg_order').map((item) => reading.value(inside(item, 'SortBy')?.['node'], level));
}

/** A WindowDef, of OVER or of the WINDOW clause. */
export function judgeWindow(reading: Reading, window: TreeNode, level: Level): void {
  const note = (clause: string, node: unknown): void => {
    if (node !== undefined) reading.findings.note({ kind: 'compared', clause, value: reading.value(node, level) });
  };
  for (const item of listAt(window, 'partitionClause')) note('PARTITION BY', item);
  for (const item of listAt(window, 'orderClause')) note('ORDER BY', inside(item, 'SortBy')?.['node']);
  note('a window frame', window['startOffset']);
  note('a window frame', window['endOffset']);
}

/** Names of the columns a call in FROM gives; undefined where only the catalogue knows. */
export function givenColumns(
  reading: Reading,
  call: TreeNode,
  alias: string | undefined,
): readonly string[] | undefined {
  if (routinesCalled(reading, call).length > 0) return undefined;
  const { schema, name } = functionName(call);
  return schema === '' || schema === 'pg_catalog' ? columnsGiven(name, listAt(call, 'args').length, alias) : undefined;
}
