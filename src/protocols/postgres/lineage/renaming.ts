import { EMPTY, inside, listAt, namesIn, nodeAt, textAt, type TreeNode } from '../facts/tree.js';
import { judgeBoundName } from './bound-names.js';
import { derived } from './derivation.js';
import { routineParts } from './kept-routines.js';
import { leaves, leaveSchema } from './leaving.js';
import type { Reading, StatementReading } from './reading.js';
import { relationsCalled } from './relations.js';
import { judgeReplacedRoutine } from './replaced-names.js';
import { ANY_CAST, madeRoutines } from './session-names.js';

/** ALTER … RENAME. */
export function rename(reading: Reading, node: TreeNode): StatementReading {
  const kind = textAt(node, 'renameType');
  if (kind === 'OBJECT_SCHEMA') leaveSchema(reading, textAt(node, 'subname'));
  // A cast to the new name may be one to what the old one stood for.
  if (kind === 'OBJECT_DOMAIN' || kind === 'OBJECT_TYPE') return { makes: { kind: 'routine', name: ANY_CAST } };
  if (nodeAt(node, 'relation') === undefined) {
    renameRoutine(reading, node);
    return {};
  }
  if (kind === 'OBJECT_COLUMN' || RENAMED.has(kind)) becomes(reading, node, kind === 'OBJECT_COLUMN');
  if (kind === 'OBJECT_COLUMN' || kind === 'OBJECT_ATTRIBUTE')
    leaves(reading, node, [textAt(node, 'subname')], 'RENAME');
  else if (RENAMED.has(kind)) {
    leaves(reading, node, [], 'RENAME');
    // What stands behind the new name is not looked for.
    return { makes: { kind: 'view', name: textAt(node, 'newname') } };
  }
  return {};
}

/** New names, by which a mask may know what it did not. */
function becomes(reading: Reading, node: TreeNode, isColumn: boolean): void {
  const [old, name] = [textAt(node, 'subname'), textAt(node, 'newname')];
  const from = relationsCalled(reading, nodeAt(node, 'relation') ?? EMPTY).flatMap(({ schema, name: table, columns }) =>
    columns.map((column) => ({ schema, table, column: column.name })),
  );
  const renamed = isColumn ? from.filter(({ column }) => column === old) : from;
  const to = renamed.map((one) => (isColumn ? { ...one, column: name } : { ...one, table: name }));
  reading.findings.note({ kind: 'renamed', from: renamed, to });
}

/** Of functions, procedures and aggregates: code may look them up by the new name. */
function renameRoutine(reading: Reading, node: TreeNode): void {
  const named = inside(node['object'], 'ObjectWithArgs') ?? EMPTY;
  const old = namesIn(listAt(named, 'objname'));
  const name = textAt(node, 'newname');
  const kept = reading.catalog.routinesNamed(old.at(-1) ?? '').filter(({ extension }) => !extension);
  const shows = derived(kept.map((routine) => reading.routine(routine).result));
  judgeBoundName(reading, 'routine', name, shows, []);
  judgeReplacedRoutine(reading, [...old.slice(0, -1), name], undefined, shows);
  // Until others see it, the new name stands for what the old one did.
  for (const routine of kept) reading.findings.made.push({ kind: 'routine', name, body: routineParts(routine) });
  for (const { body } of madeRoutines(reading.names.made?.(old.at(-1) ?? '')))
    reading.findings.made.push({ kind: 'routine', name, ...(body === undefined ? {} : { body }) });
}

const RENAMED = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE']);
