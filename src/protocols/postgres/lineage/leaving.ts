/** Columns that get another name, place or parent, by which no mask may know them. */
import { nodeAt, EMPTY, type TreeNode } from '../facts/tree.js';
import { relationLevel } from './changes.js';
import type { Reading } from './reading.js';

/** @param names of the columns; all where there are none */
export function leaves(reading: Reading, node: TreeNode, names: readonly string[], clause: string): void {
  const level = relationLevel(reading, nodeAt(node, 'relation') ?? EMPTY);
  const columns = names.length === 0 ? level.columns : level.columns.filter(({ name }) => names.includes(name));
  for (const { value } of columns) reading.findings.note({ kind: 'moved', clause, value, to: undefined });
}

/** A schema's tables are known to masks by its name. */
export function leaveSchema(reading: Reading, schema: string): void {
  for (const { name } of [...reading.catalog.relations()].filter((relation) => relation.schema === schema))
    leaves(reading, { relation: { schemaname: schema, relname: name } }, [], 'ALTER SCHEMA');
}
