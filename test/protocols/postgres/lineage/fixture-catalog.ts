import type {
  Catalog,
  CatalogColumn,
  CatalogRelation,
  CatalogRoutine,
} from '../../../../src/protocols/postgres/catalog/types.js';

interface RelationSketch {
  readonly columns: readonly string[];
  readonly schema?: string;
  readonly kind?: CatalogRelation['kind'];
  readonly definition?: string;
  readonly parents?: readonly string[];
  readonly children?: readonly string[];
  /** Numbers of the columns by which it is partitioned. */
  readonly partitionKey?: readonly number[];
  /** Names of the functions of its triggers, each given tables of all rows called `before` and `after`. */
  readonly triggers?: readonly string[];
  /** What they run at; left out: UPDATE. */
  readonly triggerEvents?: readonly ('insert' | 'update')[];
  /** Foreign keys: column, table, its column. */
  readonly keys?: readonly (readonly [column: number, table: string, references: number])[];
}

interface RoutineSketch {
  readonly language?: string;
  readonly source: string;
  readonly argumentList?: string;
  readonly returns?: string;
  readonly returnsSet?: boolean;
  readonly arguments?: number;
  readonly argumentTypes?: readonly number[];
}

/** A catalogue of relations and routines in a few words; object ids count from 20000 in the order they are given. */
export function sketchCatalog(
  relations: Readonly<Record<string, RelationSketch>>,
  routines: Readonly<Record<string, RoutineSketch>> = {},
): Catalog {
  const oids = new Map(Object.keys(relations).map((name, index) => [name, 20_000 + index]));
  const oidsOf = (names: readonly string[] = []): number[] => names.map((name) => oids.get(name) ?? 0);
  const made = Object.entries(relations).map(([name, sketch]): CatalogRelation => ({
    oid: oids.get(name) ?? 0,
    schema: sketch.schema ?? 'public',
    name,
    kind: sketch.kind ?? (sketch.definition === undefined ? 'table' : 'view'),
    estimatedRows: 100,
    columns: sketch.columns.map((column, index): CatalogColumn => ({
      attribute: index + 1,
      name: column,
      typeOid: 25,
    })),
    ...(sketch.definition === undefined ? {} : { definition: sketch.definition }),
    rules: [],
    triggers: (sketch.triggers ?? []).map((routine) => ({
      name: routine,
      routine: 30_000 + Object.keys(routines).indexOf(routine),
      events: sketch.triggerEvents ?? ['update' as const],
      transitions: ['before', 'after'],
    })),
    children: oidsOf(sketch.children),
    parents: oidsOf(sketch.parents),
    ...(sketch.partitionKey === undefined ? {} : { partitionKey: sketch.partitionKey }),
    cascades: [],
    keys: (sketch.keys ?? []).map(([column, table, references]) => ({
      columns: [column],
      relation: oids.get(table) ?? 0,
      references: [references],
    })),
    readRoutines: [],
    writeRoutines: [],
    deleteRoutines: [],
    withheld: false,
  }));
  const called = Object.entries(routines).map(([name, sketch], index): CatalogRoutine => ({
    oid: 30_000 + index,
    schema: 'public',
    name,
    kind: 'function',
    language: sketch.language ?? 'sql',
    source: sketch.source,
    argumentsFrom: sketch.arguments ?? 0,
    argumentsTo: sketch.arguments ?? 0,
    argumentTypes: sketch.argumentTypes ?? [],
    argumentList: sketch.argumentList ?? '',
    returns: sketch.returns ?? 'text',
    resultType: 25,
    returnsSet: sketch.returnsSet ?? false,
    atomic: false,
    withheld: false,
    support: [],
    extension: false,
    settings: [],
  }));
  return {
    stamp: 'fixture',
    searchPath: ['pg_catalog', 'public'],
    user: 'app',
    schemas: new Set(['public']),
    relation: (oid) => made.find((relation) => relation.oid === oid),
    relations: () => made,
    relationsNamed: (name) => made.filter((relation) => relation.name === name),
    routine: (oid) => called.find((routine) => routine.oid === oid),
    routines: () => called,
    routinesNamed: (name) => called.filter((routine) => routine.name === name),
    operatorRoutines: () => [],
    castRoutines: () => [],
    hasDomain: () => false,
    typeRoutines: () => [],
    eventTriggerRoutines: [],
    type: () => undefined,
  };
}

/** `table.column` of each place, sorted. */
export function spelled(catalog: Catalog, origins: Iterable<number>): readonly string[] {
  return [...origins]
    .map((key) => {
      const relation = catalog.relation(Math.floor(key / 2_048));
      const column = relation?.columns.find(({ attribute }) => attribute === key % 2_048);
      return `${relation?.name ?? '?'}.${column?.name ?? '?'}`;
    })
    .sort();
}
