import { functionName, routinesCalled } from './calls.js';
import { derived, isNothing } from './derivation.js';
import { inside, isNode, listAt, namesIn, textAt, type TreeNode } from '../facts/tree.js';
import { isEffectful } from './known-functions.js';
import type { Reading } from './reading.js';
import type { Level } from './scope.js';
import { madeRoutines } from './session-names.js';

/**
 * Where a condition decides what is run: `CASE WHEN ssn LIKE '9%' THEN nextval('s') END` shows nothing, and yet
 * tells by the sequence. So nothing may depend on a column that leaves a trace when it is called.
 */
export function judgeConditional(reading: Reading, type: string, node: TreeNode, level: Level): void {
  // Subscripts of what is NULL are not worked out.
  if (!leavesTrace(reading, type === 'A_Indirection' ? node['indirection'] : node)) return;
  const value = derived(deciding(type, node).map((part) => reading.value(part, level)));
  if (!isNothing(value))
    reading.findings.note({ kind: 'moved', clause: 'a call that depends on it', value, to: undefined });
}

/** Does an A_Expr stop at the first of several comparisons that settles it? */
export function stopsEarly(node: TreeNode): boolean {
  if (textAt(node, 'kind') !== 'AEXPR_OP') return !WHOLE.has(textAt(node, 'kind'));
  return [node['lexpr'], node['rexpr']].some((side) => inside(side, 'RowExpr') !== undefined);
}

/** They work out both sides. */
const WHOLE: ReadonlySet<string> = new Set(['AEXPR_LIKE', 'AEXPR_ILIKE', 'AEXPR_SIMILAR', 'AEXPR_NULLIF']);

/** The parts that decide which of the others are run. */
function deciding(type: string, node: TreeNode): readonly unknown[] {
  // Any of the columns of a sub-select may end it.
  if (type === 'SubLink') return [node['testexpr'], node['subselect']];
  if (type === 'A_Expr') return [node['lexpr'], node['rexpr']];
  if (type === 'A_Indirection') return [node['arg']];
  if (type !== 'CaseExpr') return listAt(node, 'args');
  return [node['arg'], ...listAt(node, 'args').map((item) => inside(item, 'CaseWhen')?.['expr'])];
}

/** Is anything called below this that can be seen to have been? */
function leavesTrace(reading: Reading, tree: unknown): boolean {
  const pending: unknown[] = [tree];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    reading.step();
    // Who else waits for the rows, or reads which transaction holds them, sees that it ran.
    if (isNode(value) && inside(value, 'LockingClause') !== undefined) return true;
    const call = isNode(value) ? inside(value, 'FuncCall') : undefined;
    if (call !== undefined && callLeavesTrace(reading, call)) return true;
    const operator = isNode(value) ? inside(value, 'A_Expr') : undefined;
    if (operator !== undefined && operatorLeavesTrace(reading, operator)) return true;
    pending.push(...(Object.values(value) as unknown[]));
  }
  return false;
}

function operatorLeavesTrace(reading: Reading, operator: TreeNode): boolean {
  const name = namesIn(listAt(operator, 'name')).at(-1) ?? '';
  if (madeRoutines(reading.names.made?.(name)).length > 0) return true;
  return reading.catalog
    .operatorRoutines(name)
    .some((routine) => isEffectful(routine.name) || (!routine.extension && reading.routine(routine).hasEffects));
}

function callLeavesTrace(reading: Reading, call: TreeNode): boolean {
  const { name } = functionName(call);
  if (isEffectful(name) || madeRoutines(reading.names.made?.(name)).length > 0) return true;
  return routinesCalled(reading, call).some((routine) => !routine.extension && reading.routine(routine).hasEffects);
}
