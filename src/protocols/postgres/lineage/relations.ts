import type { CatalogRelation } from '../catalog/types.js';
import { textAt, type TreeNode } from '../facts/tree.js';
import { ANYTHING, columnAt, either, NOTHING, type Derivation } from './derivation.js';
import type { Reading } from './reading.js';
import { HARMLESS_COLUMNS, holdsSamples } from './sample-relations.js';
import { renamedColumns, UNKNOWN_COLUMNS, type Item, type OutputColumn } from './scope.js';

/** Schemas of the server's own. */
const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

const JSONB = 3802;

const KEPT = new Set<CatalogRelation['kind']>([
  'table',
  'partitioned-table',
  'foreign-table',
  'view',
  'materialized-view',
  'sequence',
  'other',
]);

/** Relations that a name may stand for; empty where none is known. */
export function relationsCalled(reading: Reading, node: TreeNode): readonly CatalogRelation[] {
  const schema = textAt(node, 'schemaname');
  const all = reading.catalog.relationsNamed(textAt(node, 'relname')).filter((relation) => KEPT.has(relation.kind));
  if (schema !== '') {
    // `pg_temp` is the session's own among several of that kind.
    return all.filter((relation) => relation.schema === schema || (schema === 'pg_temp' && isTemporary(relation)));
  }
  const path = reading.names.searchPath;
  if (path === undefined || all.length < 2) return all;
  const first = path.find((name) => all.some((relation) => relation.schema === name));
  // Nothing on the path: then the path is not what it was taken for.
  if (first === undefined) return all;
  return all.filter((relation) => relation.schema === first || isTemporary(relation));
}

function isTemporary(relation: CatalogRelation): boolean {
  return relation.schema.startsWith('pg_temp');
}

/** The rows of a table, view or whatever has that name, as an item of FROM. */
export function relationItem(reading: Reading, node: TreeNode, alias: string, names: readonly string[]): Item {
  const called = textAt(node, 'relname');
  const relations = relationsCalled(reading, node);
  const items = relations.map((relation) => columnsOf(reading, relation));
  const system = systemRelation(textAt(node, 'schemaname'), called, relations);
  if (system !== undefined) {
    if (system.harmless === undefined) return oneSource(alias, [], NOTHING);
    reading.findings.touchesAnything = true;
    // Under names of its own nobody can tell which column is which.
    const harmless = names.length > 0 ? [] : system.harmless.map((name) => ({ name, value: NOTHING }));
    return oneSource(alias, harmless, ANYTHING);
  }
  const made = madeBySession(reading, called);
  const [only] = items;
  if (only !== undefined && items.length === 1 && made.length === 0) {
    const row = {};
    const columns = isTable(relations[0]) ? only.map((column) => ({ ...column, row })) : only;
    return oneSource(alias, renamedColumns(columns, names), undefined, names.length === 0);
  }
  if (items.length === 0 && made.length === 0) {
    reading.findings.touchesAnything = true;
    return oneSource(alias, [], UNKNOWN_COLUMNS);
  }
  // Several candidates: each name is any of them, and nobody can tell what stands where.
  const columns = items.flat().map((column) => column.value);
  return oneSource(alias, mergedByName(items.flat(), made), either([...columns, ...made]));
}

function isTable(relation: CatalogRelation | undefined): boolean {
  return relation?.kind === 'table' || relation?.kind === 'partitioned-table';
}

function madeBySession(reading: Reading, name: string): readonly Derivation[] {
  return (reading.names.made?.(name) ?? []).flatMap((made) => {
    if (made.kind === 'routine' || made.kind === 'trigger') return [];
    if (made.kind === 'table') return NOTHING;
    if (made.query !== undefined) return reading.madeView(made.query);
    reading.findings.touchesAnything = true;
    return UNKNOWN_COLUMNS;
  });
}

/**
 * Undefined where it is no relation of the system's own; `harmless` names the columns without data of users where
 * others hold some.
 */
function systemRelation(
  schema: string,
  name: string,
  relations: readonly CatalogRelation[],
): { readonly harmless: readonly string[] | undefined } | undefined {
  if (holdsSamples(name) && (schema === '' || schema === 'pg_catalog')) return { harmless: HARMLESS_COLUMNS };
  const own =
    SYSTEM_SCHEMAS.has(schema) ||
    (relations.length === 0
      ? schema === '' && name.startsWith('pg_')
      : relations.every((relation) => SYSTEM_SCHEMAS.has(relation.schema)));
  if (!own) return undefined;
  return { harmless: schema === 'pg_toast' ? HARMLESS_COLUMNS : undefined };
}

function columnsOf(reading: Reading, relation: CatalogRelation): readonly OutputColumn[] {
  reading.findings.touched.add(relation.oid);
  // Conditions of row security run with it.
  for (const oid of relation.readRoutines) {
    const routine = reading.catalog.routine(oid);
    if (routine !== undefined) reading.routine(routine);
  }
  const isView = relation.kind === 'view' || relation.kind === 'materialized-view';
  const behind = isView ? reading.view(relation) : reading.generated(relation);
  const documents = reading.viewDocuments(relation);
  return relation.columns.map((column, index) => {
    const own = columnAt(relation.oid, column.attribute);
    const value = behind === undefined ? own : behind[index];
    const json = documents[index];
    return {
      name: column.name,
      value: value === undefined || value === own ? own : withPlace(own, value),
      ...(json === undefined ? {} : { json }),
      ...(column.typeOid === JSONB ? { isJsonb: true as const } : {}),
    };
  });
}

/** A view's column is its own place and all that is behind it. */
function withPlace(own: Derivation, behind: Derivation): Derivation {
  const both = either([own, behind]);
  const { strict: _, ...place } = both;
  return { ...place, plain: behind.plain, ...(behind.strict === true ? { strict: true } : {}) };
}

function mergedByName(columns: readonly OutputColumn[], made: readonly Derivation[]): readonly OutputColumn[] {
  const byName = new Map<string, Derivation[]>();
  for (const { name, value } of columns) byName.set(name, [...(byName.get(name) ?? []), value]);
  return [...byName].map(([name, values]) => ({ name, value: either([...values, ...made]) }));
}

export function oneSource(
  name: string,
  columns: readonly OutputColumn[],
  open: Derivation | undefined,
  ownNames = false,
): Item {
  return { sources: [{ name, columns, open, ...(ownNames ? { ownNames } : {}) }], columns, open };
}
