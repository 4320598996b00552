import { isNode, tagged, textAt } from './tree.js';
import type { Tagged } from './tree.js';

/** What drivers put in front of a statement, in the same message. */
const OPENING: ReadonlySet<string> = new Set([
  ...['TRANS_STMT_BEGIN', 'TRANS_STMT_START', 'TRANS_STMT_SAVEPOINT', 'TRANS_STMT_RELEASE'],
]);

const RELEASE: ReadonlySet<string> = new Set(['TRANS_STMT_RELEASE']);

/**
 * How many things the statements of one message do one after another: fewer than there are statements where a driver
 * puts several around one. psqlODBC sends `BEGIN;SELECT …`, `RELEASE a;SAVEPOINT a;SELECT …` and
 * `DECLARE c CURSOR FOR SELECT …;FETCH 100 IN c`, and as it connects `SET …;SET …;SHOW …`.
 *
 * Not counted are BEGIN, SAVEPOINT and RELEASE in front of everything else, RELEASE behind it, and a FETCH from the
 * cursor that the statement before declared. All settings and SHOWs together count as one. A BEGIN behind
 * something counts: no driver sends it, and it would leave open what was to end.
 *
 * @param statements of a parse tree, each with its `stmt`
 */
export function stackedIn(statements: readonly unknown[]): number {
  const parts = statements.map((item) => (isNode(item) ? tagged(item['stmt']) : undefined));
  const first = parts.findIndex((part) => !isTransaction(part, OPENING));
  if (first === -1) return Math.min(1, parts.length);
  const work = parts.slice(first);
  let count = 0;
  let settings = false;
  for (const [index, part] of work.entries()) {
    if (isTransaction(part, RELEASE) || fetches(part, work[index - 1])) continue;
    if (part?.type === 'VariableSetStmt' || part?.type === 'VariableShowStmt') settings = true;
    else count += 1;
  }
  return count + (settings ? 1 : 0);
}

function isTransaction(part: Tagged | undefined, kinds: ReadonlySet<string>): boolean {
  return part?.type === 'TransactionStmt' && kinds.has(textAt(part.node, 'kind'));
}

function fetches(part: Tagged | undefined, before: Tagged | undefined): boolean {
  if (part?.type !== 'FetchStmt' || before?.type !== 'DeclareCursorStmt') return false;
  return textAt(part.node, 'portalname') === textAt(before.node, 'portalname');
}
