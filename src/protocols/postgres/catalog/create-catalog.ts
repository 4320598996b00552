import type { Fault } from '../../../core/errors.js';
import { flagCell, listCell, numberCell, numbersCell, textCell, textsCell, UnexpectedRow, type Row } from './cells.js';
import { FIRST_USER_OID, type CatalogRows, type Rows } from './queries.js';
import { triggerOf } from './trigger-rows.js';
import type {
  Catalog,
  CatalogCascade,
  CatalogColumn,
  CatalogKey,
  CatalogRelation,
  CatalogRoutine,
  CatalogTrigger,
  CatalogType,
} from './types.js';

/** What is known besides the rows. */
export interface CatalogHead {
  readonly stamp: string;
  readonly searchPath: readonly string[];
  readonly user: string;
  readonly schemas: ReadonlySet<string>;
}

/**
 * Makes a catalogue from what its queries gave. Columns are read out of their rows when they are first asked for:
 * of ten thousand tables few ever are.
 *
 * @param previous the catalogue before: texts that were withheld now are taken over from it
 * @returns a fault, `protocol`, where a row is not of the form asked for
 */
export function createCatalog(head: CatalogHead, rows: CatalogRows, previous?: Catalog): Catalog | Fault {
  try {
    return build(head, rows, previous);
  } catch (error) {
    if (!(error instanceof UnexpectedRow)) throw error;
    return { code: 'protocol', message: 'the catalogue is not of the form expected' };
  }
}

function build(head: CatalogHead, rows: CatalogRows, previous: Catalog | undefined): Catalog {
  const relations = relationsOf(rows, previous);
  const support = grouped(rows.support, 0, (row) => numberCell(row, 1));
  const routines = new Map(
    rows.routines.map((row) => {
      const made = routineOf(row, support.get(numberCell(row, 0)) ?? [], previous);
      return [made.oid, made] as const;
    }),
  );
  const types = new Map(rows.types.map((row) => [numberCell(row, 0), typeOf(row)]));
  const domains = new Set([...types.values()].filter(({ kind }) => kind === 'domain').map(({ name }) => name));
  const known = (oids: readonly number[]): readonly CatalogRoutine[] =>
    [...new Set(oids)].flatMap((oid) => routines.get(oid) ?? []);
  const operators = grouped(rows.operators, 0, (row) => numberCell(row, 1), textCell);
  const byType = typeRoutines(rows);
  const byTypeName = new Map<string, number[]>();
  for (const [oid, used] of byType) push(byTypeName, types.get(oid)?.name ?? '', ...used);
  const relationsByName = byName(relations.values());
  const routinesByName = byName([...routines.values()].filter(({ oid }) => oid >= FIRST_USER_OID));
  const eventTriggerRoutines = known(rows.eventTriggers.map((row) => numberCell(row, 0)));
  return {
    ...head,
    relation: (oid) => relations.get(oid),
    relations: () => relations.values(),
    relationsNamed: (name) => relationsByName.get(name) ?? [],
    routine: (oid) => routines.get(oid),
    routines: () => routines.values(),
    routinesNamed: (name) => routinesByName.get(name) ?? [],
    operatorRoutines: (name) => known(operators.get(name) ?? []),
    hasDomain: (name) => domains.has(name),
    castRoutines: (name) => known(byTypeName.get(name) ?? []),
    typeRoutines: (oid) => known(byType.get(oid) ?? []),
    eventTriggerRoutines,
    type: (oid) => types.get(oid),
  };
}

const KINDS: Readonly<Record<string, CatalogRelation['kind']>> = {
  r: 'table',
  p: 'partitioned-table',
  f: 'foreign-table',
  v: 'view',
  m: 'materialized-view',
  c: 'composite',
  S: 'sequence',
};

/** What stands in other rows than a relation's own. */
interface Attached {
  readonly triggers: ReadonlyMap<number, readonly CatalogTrigger[]>;
  readonly children: ReadonlyMap<number, readonly number[]>;
  readonly parents: ReadonlyMap<number, readonly number[]>;
  readonly cascades: ReadonlyMap<number, readonly CatalogCascade[]>;
  readonly keys: ReadonlyMap<number, readonly CatalogKey[]>;
  readonly read: ReadonlyMap<number, readonly number[]>;
  readonly write: ReadonlyMap<number, readonly number[]>;
  readonly delete: ReadonlyMap<number, readonly number[]>;
}

function relationsOf(rows: CatalogRows, previous: Catalog | undefined): Map<number, CatalogRelation> {
  const attachedAs = (kind: string): Map<number, number[]> =>
    grouped(
      rows.attached.filter((row) => textCell(row, 0) === kind),
      1,
      (row) => numberCell(row, 2),
    );
  const attached: Attached = {
    triggers: grouped(rows.triggers, 0, triggerOf),
    children: grouped(rows.inherits, 1, (row) => numberCell(row, 0)),
    parents: grouped(rows.inherits, 0, (row) => numberCell(row, 1)),
    cascades: cascadesOf(rows.cascades),
    keys: grouped(
      rows.cascades.filter((row) => flagCell(row, 6)),
      1,
      keyOf,
    ),
    read: attachedAs('read'),
    write: attachedAs('write'),
    delete: attachedAs('delete'),
  };
  return new Map(
    rows.relations.map((row) => {
      const made = relationOf(row, attached, previous);
      return [made.oid, made] as const;
    }),
  );
}

function relationOf(row: Row, attached: Attached, previous: Catalog | undefined): CatalogRelation {
  const oid = numberCell(row, 0);
  const held = flagCell(row, 8);
  // Held by another transaction: what it changes is not to be seen yet, so what was known still holds.
  const before = held ? previous?.relation(oid) : undefined;
  const definition = before === undefined ? (row[6] ?? undefined) : before.definition;
  let columns: readonly CatalogColumn[] | undefined;
  let unread = row[5];
  return {
    oid,
    schema: textCell(row, 1),
    name: textCell(row, 2),
    kind: KINDS[textCell(row, 3)] ?? 'other',
    estimatedRows: numberCell(row, 4),
    get columns(): readonly CatalogColumn[] {
      columns ??= withKnownExpressions(listCell(unread).map(columnOf), before);
      unread = null;
      return columns;
    },
    ...(definition === undefined ? {} : { definition }),
    rules: before === undefined ? textsCell(row, 7) : before.rules,
    triggers: attached.triggers.get(oid) ?? NONE,
    children: attached.children.get(oid) ?? NONE,
    parents: attached.parents.get(oid) ?? NONE,
    ...(row[9] === null || row[9] === undefined ? {} : { partitionKey: numbersCell(row, 9) }),
    ...(row[10] === null || row[10] === undefined ? {} : { primaryKey: numbersCell(row, 10) }),
    cascades: attached.cascades.get(oid) ?? NONE,
    keys: attached.keys.get(oid) ?? NONE,
    readRoutines: attached.read.get(oid) ?? NONE,
    writeRoutines: attached.write.get(oid) ?? NONE,
    deleteRoutines: attached.delete.get(oid) ?? NONE,
    withheld: held && before?.withheld !== false,
  };
}

const NONE: readonly never[] = [];

function columnOf(item: unknown): CatalogColumn {
  if (!Array.isArray(item)) throw new UnexpectedRow();
  const [attribute, name, typeOid, expression] = item as readonly unknown[];
  if (typeof attribute !== 'number' || typeof name !== 'string' || typeof typeOid !== 'number')
    throw new UnexpectedRow();
  return { attribute, name, typeOid, ...(typeof expression === 'string' ? { expression } : {}) };
}

function withKnownExpressions(
  columns: readonly CatalogColumn[],
  before: CatalogRelation | undefined,
): readonly CatalogColumn[] {
  if (before === undefined) return columns;
  return columns.map((column) => {
    const expression = before.columns.find(({ attribute }) => attribute === column.attribute)?.expression;
    return expression === undefined ? column : { ...column, expression };
  });
}

/** `c` CASCADE, `n` SET NULL, `d` SET DEFAULT. */
function cascadesOf(rows: Rows): Map<number, CatalogCascade[]> {
  const cascades = new Map<number, CatalogCascade[]>();
  for (const row of rows) {
    const referred = numberCell(row, 0);
    const [onDelete, onUpdate] = [textCell(row, 2), textCell(row, 3)];
    const key = { relation: numberCell(row, 1), of: textsCell(row, 4), columns: textsCell(row, 5) };
    push(cascades, referred, { ...key, on: 'truncate', does: 'truncate' });
    if (/^[cnd]$/.test(onDelete))
      push(cascades, referred, { ...key, on: 'delete', does: onDelete === 'c' ? 'delete' : 'update' });
    if (/^[cnd]$/.test(onUpdate)) push(cascades, referred, { ...key, on: 'update', does: 'update' });
  }
  return cascades;
}

function keyOf(row: Row): CatalogKey {
  return { relation: numberCell(row, 0), references: numbersCell(row, 7), columns: numbersCell(row, 8) };
}

const ROUTINE_KINDS: Readonly<Record<string, CatalogRoutine['kind']>> = {
  f: 'function',
  p: 'procedure',
  a: 'aggregate',
  w: 'window',
};

function routineOf(row: Row, support: readonly number[], previous: Catalog | undefined): CatalogRoutine {
  const oid = numberCell(row, 0);
  const most = numberCell(row, 7);
  const made: CatalogRoutine = {
    oid,
    schema: textCell(row, 1),
    name: textCell(row, 2),
    kind: ROUTINE_KINDS[textCell(row, 3)] ?? 'function',
    language: textCell(row, 4),
    source: row[5] ?? '',
    argumentsFrom: most < 0 ? Math.max(0, numberCell(row, 6) - 1) : numberCell(row, 6),
    argumentsTo: most < 0 ? Infinity : most,
    argumentTypes: numbersCell(row, 8),
    argumentList: row[9] ?? '',
    returns: row[10] ?? '',
    resultType: numberCell(row, 11),
    returnsSet: flagCell(row, 12),
    atomic: flagCell(row, 13),
    withheld: flagCell(row, 14),
    support,
    extension: flagCell(row, 15),
    settings: textsCell(row, 16),
  };
  const before = made.withheld ? previous?.routine(oid) : undefined;
  return before === undefined ? made : { ...made, source: before.source, withheld: before.withheld };
}

function typeOf(row: Row): CatalogType {
  const kinds: Readonly<Record<string, CatalogType['kind']>> = {
    c: 'composite',
    d: 'domain',
    e: 'enum',
    r: 'range',
    m: 'multirange',
    p: 'pseudo',
  };
  const kind = kinds[textCell(row, 2)] ?? (textCell(row, 3) === 'A' ? 'array' : 'base');
  return {
    oid: numberCell(row, 0),
    name: textCell(row, 1),
    kind,
    of: numberCell(row, 4),
    relation: numberCell(row, 5),
  };
}

/** Routines of casts from and to each type, and of checks of each domain. */
function typeRoutines(rows: CatalogRows): Map<number, number[]> {
  const byType = new Map<number, number[]>();
  for (const row of rows.casts) {
    push(byType, numberCell(row, 0), numberCell(row, 2));
    push(byType, numberCell(row, 1), numberCell(row, 2));
  }
  for (const row of rows.attached)
    if (textCell(row, 0) === 'domain') push(byType, numberCell(row, 1), numberCell(row, 2));
  return byType;
}

function grouped<Key extends string | number, Value>(
  rows: Rows,
  index: number,
  value: (row: Row) => Value,
  key: (row: Row, index: number) => Key = numberCell as (row: Row, index: number) => Key,
): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const row of rows) push(groups, key(row, index), value(row));
  return groups;
}

function push<Key, Value>(groups: Map<Key, Value[]>, key: Key, ...values: readonly Value[]): void {
  const known = groups.get(key);
  if (known === undefined) groups.set(key, [...values]);
  else known.push(...values);
}

function byName<Named extends { readonly name: string }>(items: Iterable<Named>): Map<string, Named[]> {
  const groups = new Map<string, Named[]>();
  for (const item of items) push(groups, item.name, item);
  return groups;
}
