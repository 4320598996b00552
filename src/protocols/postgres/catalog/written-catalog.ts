import { lineageOf } from '../lineage/lineage-cache.js';
import { FIRST_USER_OID } from './queries.js';
import type { Catalog, CatalogRelation, CatalogRoutine } from './types.js';

/** A database in a few words, as tests of policies describe it. Names are `NAME` or `SCHEMA.NAME`, as the database stores them. */
export interface WrittenDatabase {
  readonly searchPath: readonly string[];
  readonly tables: Readonly<
    Record<
      string,
      { readonly columns: readonly { readonly name: string; readonly type: string }[]; readonly rows: number }
    >
  >;
  /** The query of each view. */
  readonly views: Readonly<Record<string, string>>;
  readonly functions: Readonly<
    Record<string, { readonly language: string; readonly body: string; readonly arguments: number }>
  >;
}

const TEXT_OID = 25;
/** Object ids of the types whose values masks treat by their type; any other is text. */
const TYPE_OIDS: Readonly<Record<string, number>> = {
  bool: 16,
  boolean: 16,
  bytea: 17,
  bigint: 20,
  int8: 20,
  smallint: 21,
  int2: 21,
  int: 23,
  int4: 23,
  integer: 23,
  json: 114,
  real: 700,
  'double precision': 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
};

/** The object id of a type by its usual name. */
export function typeOidOf(name: string): number {
  return TYPE_OIDS[name.toLowerCase()] ?? TEXT_OID;
}

/**
 * Makes a catalogue of what is written. What is left out does not exist. A view has the columns that its query names,
 * and may read those written before it.
 */
export function writtenCatalog(database: WrittenDatabase): Catalog {
  let oid = FIRST_USER_OID;
  const relations = Object.entries(database.tables).map(([name, { columns, rows }]) =>
    relationOf((oid += 1), qualified(name, database), { kind: 'table', estimatedRows: rows, columns }),
  );
  const routines = Object.entries(database.functions).map(([name, sketch]) =>
    routineOf((oid += 1), qualified(name, database), sketch),
  );
  for (const [name, definition] of Object.entries(database.views)) {
    const columns = outputNames(definition, catalogOf(database, [...relations], routines));
    relations.push(
      relationOf((oid += 1), qualified(name, database), { kind: 'view', estimatedRows: -1, columns, definition }),
    );
  }
  return catalogOf(database, relations, routines);
}

function outputNames(query: string, catalog: Catalog): RelationSketch['columns'] {
  const [statement] = lineageOf(query, catalog, { searchPath: catalog.searchPath }).statements;
  return (statement?.output?.columns ?? []).map(({ name }) => ({ name, type: 'text' }));
}

function catalogOf(
  { searchPath }: WrittenDatabase,
  relations: readonly CatalogRelation[],
  routines: readonly CatalogRoutine[],
): Catalog {
  return {
    stamp: 'written',
    searchPath: ['pg_catalog', ...searchPath],
    user: 'app',
    schemas: new Set([...relations, ...routines].map(({ schema }) => schema).concat(searchPath)),
    relation: (id) => relations.find((one) => one.oid === id),
    relations: () => relations,
    relationsNamed: (name) => relations.filter((one) => one.name === name),
    routine: (id) => routines.find((one) => one.oid === id),
    routines: () => routines,
    routinesNamed: (name) => routines.filter((one) => one.name === name),
    operatorRoutines: () => [],
    castRoutines: () => [],
    hasDomain: () => false,
    typeRoutines: () => [],
    eventTriggerRoutines: [],
    type: () => undefined,
  };
}

interface Qualified {
  readonly schema: string;
  readonly name: string;
}

function qualified(written: string, { searchPath }: WrittenDatabase): Qualified {
  const dot = written.indexOf('.');
  if (dot === -1) return { schema: searchPath[0] ?? 'public', name: written };
  return { schema: written.slice(0, dot), name: written.slice(dot + 1) };
}

interface RelationSketch extends Pick<CatalogRelation, 'kind' | 'estimatedRows'> {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly definition?: string;
}

function relationOf(oid: number, name: Qualified, { columns, ...sketch }: RelationSketch): CatalogRelation {
  return {
    oid,
    ...name,
    ...sketch,
    columns: columns.map((column, index) => ({
      attribute: index + 1,
      name: column.name,
      typeOid: typeOidOf(column.type),
    })),
    rules: [],
    triggers: [],
    children: [],
    parents: [],
    cascades: [],
    keys: [],
    readRoutines: [],
    writeRoutines: [],
    deleteRoutines: [],
    withheld: false,
  };
}

function routineOf(
  oid: number,
  name: Qualified,
  sketch: { readonly language: string; readonly body: string; readonly arguments: number },
): CatalogRoutine {
  return {
    oid,
    ...name,
    kind: 'function',
    language: sketch.language,
    source: sketch.body,
    argumentsFrom: sketch.arguments,
    argumentsTo: sketch.arguments,
    argumentTypes: [],
    argumentList: '',
    returns: 'text',
    resultType: TEXT_OID,
    returnsSet: false,
    atomic: false,
    withheld: false,
    support: [],
    extension: false,
    settings: [],
  };
}
