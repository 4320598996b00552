/** Calls that are not written as one: `row.function`, words that are names of functions on an older server. */
import { isSpelledByGrammar, isSystemUser, keywordCall } from '../facts/keyword-calls.js';
import type { TreeNode } from '../facts/tree.js';
import { callDerivation, functionName } from './calls.js';
import { derived, isNothing, NOTHING, type Derivation } from './derivation.js';
import type { Reading } from './reading.js';
import { findSource, resolveColumn, type Level } from './scope.js';
import { madeRoutines } from './session-names.js';

/** `t.f` is f(t) where t has no column f. */
export function fieldOfRow(reading: Reading, row: string, name: string, level: Level): Derivation {
  const column = resolveColumn([row, name], level);
  const sources = findSource(row, level);
  const isColumn = sources.length > 0 && sources.every(({ columns }) => columns.some((one) => one.name === name));
  if (isColumn || !isOwnRoutine(reading, name)) return column;
  const whole = { ColumnRef: { fields: [{ String: { sval: row } }, { A_Star: {} }] } };
  return derived([column, callOf(reading, name, sources.length === 0 ? [] : [whole], level)]);
}

/** `(x).f` is f(x) where x has no field f. @param names the fields that are taken, in order */
export function fieldsOf(reading: Reading, arg: unknown, names: readonly string[], level: Level): Derivation {
  return derived(
    names.filter((name) => isOwnRoutine(reading, name)).map((name) => callOf(reading, name, [arg], level)),
  );
}

/** What a node's word calls on a server that does not know it. */
export function keywordValue(reading: Reading, type: string, node: TreeNode, level: Level): Derivation {
  const name = keywordCall(type, node);
  return name === undefined || !isOwnRoutine(reading, name)
    ? NOTHING
    : callOf(reading, name, Object.values(node), level);
}

/** The same of a call that the grammar gave its schema. */
export function spelledCall(reading: Reading, call: TreeNode, level: Level): Derivation {
  if (isSystemUser(call)) {
    const column = resolveColumn(['system_user'], level);
    return column.origins.size > 0 || column.anything ? derived([column]) : NOTHING;
  }
  const { name } = functionName(call);
  return isSpelledByGrammar(call) && isOwnRoutine(reading, name)
    ? callOf(reading, name, [call['args']], level)
    : NOTHING;
}

/** Has somebody made a routine of that name? */
export function isOwnRoutine(reading: Reading, name: string): boolean {
  return (
    reading.catalog.routinesNamed(name).some(({ extension }) => !extension) ||
    madeRoutines(reading.names.made?.(name)).length > 0
  );
}

/** However many arguments it takes. */
function callOf(reading: Reading, name: string, args: readonly unknown[], level: Level): Derivation {
  const call = { funcname: [{ String: { sval: name } }], args, func_variadic: true };
  const value = callDerivation(reading, call, level);
  return isNothing(value) ? value : { ...value, plain: false };
}
