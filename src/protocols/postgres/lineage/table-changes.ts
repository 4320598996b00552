/**
 * CREATE TABLE, ALTER TABLE and CLUSTER: what a table is checked by, ordered by or made part of. The server answers
 * whether every row fits, and keeps rows where their values put them, so each is a question about the columns in it.
 */
import { EMPTY, inside, listAt, namesIn, nodeAt, textAt, type TreeNode } from '../facts/tree.js';
import { namedColumns, relationLevel } from './changes.js';
import { ANYTHING, derived, isNothing, unresolved, type Derivation } from './derivation.js';
import { comparesBytes } from './given-side.js';
import { leaves } from './leaving.js';
import type { Reading } from './reading.js';
import { relationsCalled } from './relations.js';
import { judgeInheriting } from './replaced-names.js';
import { levelOf, wholeOf, type Level, type OutputColumn } from './scope.js';

/** Foreign keys of a table that is made; it has no rows yet. */
export function judgeNewTable(reading: Reading, node: TreeNode): void {
  const elements = listAt(node, 'tableElts');
  for (const item of elements) {
    judgeKeys(reading, item, undefined);
    judgeCollation(reading, item);
  }
  // Whose columns these will be masks tell by their names: a call in a check that keeps or shows them is judged now.
  const columns = elements.flatMap((item): OutputColumn[] => {
    const name = textAt(inside(item, 'ColumnDef') ?? EMPTY, 'colname');
    return name === '' ? [] : [{ name, value: unresolved(name) }];
  });
  judgeParts(reading, node, columns);
  const source = { name: textAt(nodeAt(node, 'relation') ?? EMPTY, 'relname'), columns, open: undefined };
  const level = levelOf([{ sources: [source], columns, open: undefined }], undefined, undefined);
  for (const item of elements) {
    const constraints = listAt(inside(item, 'ColumnDef') ?? EMPTY, 'constraints');
    for (const one of [item, ...constraints]) {
      const { raw_expr: check, exclusions } = inside(one, 'Constraint') ?? EMPTY;
      reading.value([check, exclusions], level);
    }
  }
}

/** A new column that masks may know by its name: by another collation texts are equal there that are not. */
function judgeCollation(reading: Reading, definition: unknown): void {
  const column = inside(definition, 'ColumnDef') ?? EMPTY;
  const collate = nodeAt(column, 'collClause');
  if (collate === undefined || comparesBytes(reading, collate)) return;
  reading.findings.note({ kind: 'compared', clause: 'COLLATE', value: unresolved(textAt(column, 'colname')) });
}

/** A bound is worked out now, and shown by the catalogue; what the key calls tells by the part that a row is in. */
function judgeParts(reading: Reading, node: TreeNode, own: readonly OutputColumn[]): void {
  const columns = own.map(({ name }) => ({ name, value: OF_NO_ROWS }));
  const level = levelOf([{ sources: [], columns, open: undefined }], undefined, undefined);
  const value = derived([reading.value([node['partbound'], node['partspec']], level)]);
  if (!isNothing(value)) reading.findings.note({ kind: 'moved', clause: 'PARTITION', value, to: undefined });
}

/** CLUSTER lays rows in the order of an index: whoever reads them as they lie has them sorted. */
export function judgeCluster(reading: Reading, node: TreeNode): void {
  const relation = nodeAt(node, 'relation');
  const value = relation === undefined ? ANYTHING : derived(relationLevel(reading, relation).sources.map(wholeOf));
  reading.findings.note({ kind: 'compared', clause: 'CLUSTER', value });
}

/** Expressions in a table's change: checks, generated columns, USING. */
export function judgeTableChange(reading: Reading, node: TreeNode): void {
  const relation = nodeAt(node, 'relation');
  if (relation === undefined) return;
  const level = relationLevel(reading, relation);
  for (const item of listAt(node, 'cmds')) {
    const command = inside(item, 'AlterTableCmd') ?? EMPTY;
    rowsLeave(reading, relation, command);
    const parent = textAt(command, 'subtype') === 'AT_AddInherit' ? inside(command['def'], 'RangeVar') : undefined;
    if (parent !== undefined) judgeInheriting(reading, relation, parent);
    if (textAt(command, 'subtype') === 'AT_AttachPartition') {
      judgeAttaching(reading, relation, command);
      judgeInheriting(reading, nodeAt(inside(command['def'], 'PartitionCmd') ?? EMPTY, 'name') ?? EMPTY, relation);
    }
    if (textAt(command, 'subtype') === 'AT_AlterColumnType') fitsEveryRow(reading, level, textAt(command, 'name'));
    for (const key of namesIn(listAt(inside(command['def'], 'Constraint') ?? EMPTY, 'keys')))
      fitsEveryRow(reading, level, key);
    judgeKeys(reading, command['def'], level);
    if (textAt(command, 'subtype') === 'AT_AddColumn') judgeCollation(reading, command['def']);
    judgeExpressions(reading, command, level);
  }
}

function judgeExpressions(reading: Reading, command: TreeNode, level: Level): void {
  const { findings } = reading;
  if (textAt(command, 'subtype') !== 'AT_AlterColumnType') {
    const value = derived([reading.value(command['def'], level)]);
    if (!isNothing(value)) findings.note({ kind: 'moved', clause: 'ALTER TABLE', value, to: undefined });
    return;
  }
  const column = inside(command['def'], 'ColumnDef') ?? EMPTY;
  const value = reading.value(column['raw_default'], level);
  const own = level.columns.find(({ name }) => name === textAt(command, 'name'))?.value;
  const collate = nodeAt(column, 'collClause');
  // By another collation texts may be equal that are not.
  if (collate !== undefined && !comparesBytes(reading, collate) && own !== undefined)
    findings.note({ kind: 'compared', clause: 'ALTER TABLE', value: own });
  if (!isNothing(value)) findings.note({ kind: 'moved', clause: 'ALTER TABLE', value, to: own });
}

/** Whether every row fits is told by an error: no two alike, none cut by its type. */
export function fitsEveryRow(reading: Reading, level: Level, name: string): void {
  const value = level.columns.find((column) => column.name === name)?.value;
  if (value !== undefined && !isNothing(value)) reading.findings.computed.add({ value, costly: false });
}

/** `REFERENCES` asks of every row, and of each that is put in, whether its value stands in the other table. */
function judgeKeys(reading: Reading, definition: unknown, level: Level | undefined): void {
  const column = inside(definition, 'ColumnDef');
  const constraints = column === undefined ? [definition] : listAt(column, 'constraints');
  for (const item of constraints) {
    const constraint = inside(item, 'Constraint') ?? EMPTY;
    const target = nodeAt(constraint, 'pktable');
    if (textAt(constraint, 'contype') !== 'CONSTR_FOREIGN' || target === undefined) continue;
    const names = namesIn(listAt(constraint, 'fk_attrs'));
    const own = (names.length === 0 && column !== undefined ? [textAt(column, 'colname')] : names).map((name) =>
      valueNamed(level?.columns ?? [], name),
    );
    // Without names it is the primary key, which is taken to stand first.
    const there = relationLevel(reading, target);
    const keys = namesIn(listAt(constraint, 'pk_attrs'));
    const referred = keys.length === 0 ? there.columns.slice(0, own.length) : namedColumns(there, keys).columns;
    own.forEach((left, index) => {
      const right = referred[index]?.value ?? derived(there.sources.map(wholeOf));
      reading.findings.note({ kind: 'keyed', clause: 'FOREIGN KEY', left, right });
    });
  }
}

const OF_NO_ROWS: Derivation = derived([]);

function valueNamed(columns: readonly OutputColumn[], name: string): Derivation {
  return columns.find((column) => column.name === name)?.value ?? OF_NO_ROWS;
}

/** Whether its rows fit is told, and afterwards which part of the table they are in. */
function judgeAttaching(reading: Reading, parent: TreeNode, command: TreeNode): void {
  const partition = inside(command['def'], 'PartitionCmd') ?? EMPTY;
  const bound = nodeAt(partition, 'bound');
  const level = relationLevel(reading, nodeAt(partition, 'name') ?? EMPTY);
  // What a default partition must not hold is what the others do.
  const [known] = relationsCalled(reading, parent);
  const names = known?.partitionKey?.map(
    (attribute) => known.columns.find((column) => column.attribute === attribute)?.name ?? '',
  );
  if (bound?.['is_default'] === true && known !== undefined && known.children.length === 0) return;
  const compared = names === undefined || names.includes('') ? level.columns : namedColumns(level, names).columns;
  for (const { value } of compared) reading.findings.note({ kind: 'compared', clause: 'ATTACH PARTITION', value });
}

/** Rows that were masked by the rules of a parent are no longer its own. */
function rowsLeave(reading: Reading, relation: TreeNode, command: TreeNode): void {
  const subtype = textAt(command, 'subtype');
  const from =
    subtype === 'AT_DropInherit'
      ? relation
      : DETACHES.has(subtype)
        ? nodeAt(inside(command['def'], 'PartitionCmd') ?? EMPTY, 'name')
        : undefined;
  if (from !== undefined) leaves(reading, { relation: from }, [], 'ALTER TABLE');
}

const DETACHES = new Set(['AT_DetachPartition', 'AT_DetachPartitionFinalize']);
