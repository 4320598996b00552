/**
 * What gets another meaning while statements of other sessions run. Such a statement was judged by what its names
 * stood for; where it waits for the lock of the one that changes it, or calls it late, it runs with the new meaning.
 * So nothing that is there may come to show a masked column that it did not show before.
 */
import type { CatalogRelation } from '../catalog/types.js';
import { listAt, namesIn, nodeAt, textAt, EMPTY, type TreeNode } from '../facts/tree.js';
import { relationLevel } from './changes.js';
import { columnAt, derived, isNothing, NOTHING, type Derivation } from './derivation.js';
import type { Reading } from './reading.js';
import type { Output } from './scope.js';
import { madeRoutines } from './session-names.js';

const CLAUSE = 'the replacement of what is there';

/** @param node a ViewStmt @param output what its query gives */
export function judgeReplacedView(reading: Reading, node: TreeNode, output: Output): void {
  const view = nodeAt(node, 'view') ?? EMPTY;
  // What is temporary no other session sees.
  if (textAt(view, 'relpersistence') === 't') return;
  const written = textAt(view, 'schemaname');
  const names = namesIn(listAt(node, 'aliases'));
  for (const relation of reading.catalog.relationsNamed(textAt(view, 'relname'))) {
    if (!mayBeIn(reading, written, relation.schema)) continue;
    const before = shown(reading, relation);
    output.columns.forEach(({ name, value }, index) => {
      const known = output.exact ? before.get(names[index] ?? name) : undefined;
      moves(reading, value, known ?? NOTHING);
    });
  }
}

/** By name, what the columns of a relation show. */
function shown(reading: Reading, relation: CatalogRelation): ReadonlyMap<string, Derivation> {
  const isView = relation.kind === 'view' || relation.kind === 'materialized-view';
  const behind = isView ? reading.view(relation) : reading.generated(relation);
  return new Map(
    relation.columns.map(({ name, attribute }, index) => [
      name,
      derived([columnAt(relation.oid, attribute), behind?.[index] ?? NOTHING]),
    ]),
  );
}

/** @param names of the routine, schema first where one is written @param shows what is behind what it gives */
export function judgeReplacedRoutine(
  reading: Reading,
  names: readonly string[],
  argumentCount: number | undefined,
  shows: Derivation,
): void {
  const schema = names.length > 1 ? (names.at(-2) ?? '') : '';
  if (isNothing(shows)) return;
  const name = names.at(-1) ?? '';
  // A cursor of this session may call it as well.
  const there = schemaOf(reading, schema);
  for (const made of madeRoutines(reading.names.made?.(name)))
    if (made.body !== undefined && made.schema !== undefined && made.schema === there)
      moves(reading, shows, reading.shownBy(made.body));
  for (const routine of reading.catalog.routinesNamed(name)) {
    const fits =
      argumentCount === undefined ||
      (routine.argumentsFrom <= argumentCount && argumentCount <= routine.argumentsTo) ||
      routine.argumentTypes.length === argumentCount;
    if (!routine.extension && fits && mayBeIn(reading, schema, routine.schema))
      moves(reading, shows, reading.routine(routine).result);
  }
}

/** What is read through the parent comes from the child as well. */
export function judgeInheriting(reading: Reading, child: TreeNode, parent: TreeNode): void {
  const inner = relationLevel(reading, child);
  const outer = relationLevel(reading, parent);
  for (const { name, value } of inner.columns) {
    const to = outer.columns.find((column) => column.name === name)?.value;
    if (to !== undefined) reading.findings.note({ kind: 'moved', clause: 'INHERIT', value, to });
  }
}

function moves(reading: Reading, value: Derivation, before: Derivation): void {
  if (isNothing(value) || before.anything) return;
  const covered =
    !value.anything && value.unresolved.length === 0 && [...value.origins].every((one) => before.origins.has(one));
  if (!covered) reading.findings.note({ kind: 'moved', clause: CLAUSE, value, to: undefined });
}

/** Could what is made be in that schema? */
function mayBeIn(reading: Reading, written: string, schema: string): boolean {
  const there = schemaOf(reading, written);
  return there === undefined || there === schema || (there === 'pg_temp' && schema.startsWith(there));
}

/** Where something is made; undefined where nobody can tell. @param written empty where none is */
export function schemaOf(reading: Reading, written: string): string | undefined {
  return written === '' ? reading.names.searchPath?.find((one) => !one.startsWith('pg_')) : written;
}
