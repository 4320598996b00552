import type { CatalogRelation } from '../catalog/types.js';
import { textAt, type TreeNode } from '../facts/tree.js';
import { ANYTHING, columnAt, either, NOTHING, type Derivation } from './derivation.js';
import type { Reading } from './reading.js';
import { UNKNOWN_COLUMNS, type Item, type OutputColumn } from './scope.js';

/** Schemas of the server's own. */
const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

/** Views and tables of the system that hold samples of what stands in tables, or rows of them. */
const SAMPLES = new Set([
  'pg_stats',
  'pg_statistic',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_statistic_ext_data',
  'pg_largeobject',
]);

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
  const system = isSystem(textAt(node, 'schemaname'), called, relations);
  if (system !== undefined) {
    if (system.anything) reading.findings.touchesAnything = true;
    return oneSource(alias, [], system);
  }
  const made = madeBySession(reading, called);
  const [only] = items;
  if (only !== undefined && items.length === 1 && made.length === 0)
    return oneSource(alias, renamed(only, names), undefined);
  if (items.length === 0 && made.length === 0) {
    reading.findings.touchesAnything = true;
    return oneSource(alias, [], UNKNOWN_COLUMNS);
  }
  // Several candidates: each name is any of them, and nobody can tell what stands where.
  const columns = items.flat().map((column) => column.value);
  return oneSource(alias, mergedByName(items.flat()), either([...columns, ...made]));
}

function madeBySession(reading: Reading, name: string): readonly Derivation[] {
  return (reading.names.made?.(name) ?? []).map((made) => {
    if (made.kind === 'table') return NOTHING;
    if (made.query !== undefined) return reading.madeView(made.query);
    reading.findings.touchesAnything = true;
    return UNKNOWN_COLUMNS;
  });
}

/** Undefined where it is no relation of the system's own. */
function isSystem(schema: string, name: string, relations: readonly CatalogRelation[]): Derivation | undefined {
  const own =
    SYSTEM_SCHEMAS.has(schema) ||
    (relations.length === 0
      ? schema === '' && name.startsWith('pg_')
      : relations.every((relation) => SYSTEM_SCHEMAS.has(relation.schema)));
  if (!own) return undefined;
  return SAMPLES.has(name) || schema === 'pg_toast' ? ANYTHING : NOTHING;
}

function columnsOf(reading: Reading, relation: CatalogRelation): readonly OutputColumn[] {
  reading.findings.touched.add(relation.oid);
  const behind = reading.view(relation.oid);
  return relation.columns.map((column, index) => {
    const own = columnAt(relation.oid, column.attribute);
    const value = behind === undefined ? own : behind[index];
    return { name: column.name, value: value === undefined || value === own ? own : withPlace(own, value) };
  });
}

/** A view's column is its own place and all that is behind it. */
function withPlace(own: Derivation, behind: Derivation): Derivation {
  const both = either([own, behind]);
  return { ...both, plain: behind.plain };
}

function renamed(columns: readonly OutputColumn[], names: readonly string[]): readonly OutputColumn[] {
  return names.length === 0
    ? columns
    : columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
}

function mergedByName(columns: readonly OutputColumn[]): readonly OutputColumn[] {
  const byName = new Map<string, Derivation[]>();
  for (const { name, value } of columns) byName.set(name, [...(byName.get(name) ?? []), value]);
  return [...byName].map(([name, values]) => ({ name, value: either(values) }));
}

export function oneSource(name: string, columns: readonly OutputColumn[], open: Derivation | undefined): Item {
  return { sources: [{ name, columns, open }], columns, open };
}
