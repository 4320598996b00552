import { isNode, listAt, textAt, type TreeNode } from '../facts/tree.js';

/**
 * Rows that a plan changes, or gives where it changes none: whole, from the answer of EXPLAIN (FORMAT JSON).
 * Undefined where it is not of that form.
 *
 * @see https://www.postgresql.org/docs/current/sql-explain.html
 */
export function estimatedRows(json: string): number | undefined {
  const plan = planOf(json);
  if (plan === undefined) return undefined;
  const changed = changes(plan).flatMap((node) => listAt(node, 'Plans').filter(feeds).map(rowsOf));
  const rows = changed.length > 0 ? changed.reduce((sum, count) => sum + count, 0) : rowsOf(plan);
  return Number.isFinite(rows) ? Math.round(rows) : undefined;
}

function planOf(json: string): TreeNode | undefined {
  try {
    const answer: unknown = JSON.parse(json);
    const first: unknown = Array.isArray(answer) ? answer[0] : undefined;
    const plan = isNode(first) ? first['Plan'] : undefined;
    return isNode(plan) ? plan : undefined;
  } catch {
    return undefined;
  }
}

/** Nodes that change rows, wherever they stand: a CTE may hold one. */
function changes(plan: TreeNode): readonly TreeNode[] {
  const within = listAt(plan, 'Plans').filter(isNode).flatMap(changes);
  return textAt(plan, 'Node Type') === 'ModifyTable' ? [plan, ...within] : within;
}

/** Does this part of a node's plan give it the rows that it changes? */
function feeds(part: unknown): part is TreeNode {
  return isNode(part) && ['Outer', 'Member'].includes(textAt(part, 'Parent Relationship'));
}

function rowsOf(part: unknown): number {
  const rows = isNode(part) ? part['Plan Rows'] : undefined;
  return typeof rows === 'number' ? rows : NaN;
}
