import { listAt, textAt, type TreeNode } from '../facts/tree.js';
import { computedValue } from './computing.js';
import { ANYTHING } from './derivation.js';
import { movedAll } from './queries.js';
import type { Reading, StatementReading } from './reading.js';
import { levelOf, type Output } from './scope.js';

const NO_LEVEL = levelOf([], undefined, undefined);

/** What a name stands for is known elsewhere. */
export const UNKNOWN: Output = { columns: [{ name: '', value: ANYTHING }], exact: false };

/** EXECUTE: the statement was judged for values that the caller brings, and a call may give it others. */
export function executed(reading: Reading, node: TreeNode): StatementReading {
  const given = listAt(node, 'params');
  const values = given.map((item) => ({ name: '', value: computedValue(reading, item, NO_LEVEL) }));
  movedAll(reading, { columns: values, exact: true }, 'EXECUTE');
  return { output: UNKNOWN, runs: { kind: 'prepared', name: textAt(node, 'name'), given } };
}
