import type { ObjectName, OpenWrite, SqlCall, SqlRename } from '../../../policy/types.js';
import type { Catalog, CatalogRelation, CatalogRoutine, NameLookup } from '../catalog/types.js';
import { splitPath } from './search-path.js';

/** For names in texts that the server spelled: all qualified, but for what is in pg_catalog. */
export const QUALIFIED: NameLookup = { searchPath: ['pg_catalog'] };

/**
 * Which objects a name may stand for, as the server looks it up. A temporary relation hides all others of its
 * name, but whose it is can't be told: it is one more that the name may stand for.
 *
 * @see https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH
 */
export function relationsFor(catalog: Catalog, name: ObjectName, lookup: NameLookup): readonly CatalogRelation[] {
  const named = namedRelations(catalog, name, lookup);
  const before = namesBefore(name, lookup);
  if (before.length === 0) return named;
  return [...new Set([...named, ...before.flatMap((old) => namedRelations(catalog, old, ANYWHERE))])];
}

/**
 * Names that may have stood for it before the session's open transaction renamed it.
 *
 * @see SqlRename
 */
export function namesBefore({ schema, name }: ObjectName, lookup: NameLookup): readonly ObjectName[] {
  const found = new Map<string, ObjectName>();
  const follow = (to: ObjectName): void => {
    for (const rename of lookup.renames ?? []) {
      if (rename.to.name !== '' && rename.to.name !== to.name) continue;
      const newSchema = rename.to.schema === '' ? rename.from.schema : rename.to.schema;
      if (to.schema !== '' && newSchema !== '' && to.schema !== newSchema) continue;
      const old = { schema: rename.from.schema, name: rename.from.name === '' ? to.name : rename.from.name };
      const key = `${old.schema}\0${old.name}`;
      if (found.has(key)) continue;
      found.set(key, old);
      follow(old);
    }
  };
  follow({ schema, name });
  return [...found.values()];
}

const ANYWHERE: NameLookup = { searchPath: undefined };

function namedRelations(catalog: Catalog, name: ObjectName, { searchPath }: NameLookup): readonly CatalogRelation[] {
  const all = catalog.relationsNamed(name.name);
  if (name.schema === 'pg_temp') return all.filter(isTemporary);
  if (name.schema !== '') return all.filter((relation) => relation.schema === name.schema);
  if (searchPath === undefined || all.length === 0) return all;
  const temporary = all.filter(isTemporary);
  for (const schema of searchPath) {
    const first = all.find((relation) => relation.schema === schema);
    if (first !== undefined) return temporary.includes(first) ? temporary : [...temporary, first];
  }
  return temporary;
}

function isTemporary(relation: CatalogRelation): boolean {
  return /^pg_temp_\d+$/.test(relation.schema);
}

/**
 * User-defined routines that a call may reach: which of them is for the types of the arguments to say, so all of
 * that name and with that many arguments in the path are meant, also beside one of pg_catalog.
 */
export function routinesFor(catalog: Catalog, call: SqlCall, lookup: NameLookup): readonly CatalogRoutine[] {
  const named = namedRoutines(catalog, call, lookup);
  const before = namesBefore(call, lookup);
  if (before.length === 0) return named;
  const renamed = before.flatMap((old) => namedRoutines(catalog, { ...old, count: call.count }, ANYWHERE));
  return [...new Set([...named, ...renamed])];
}

function namedRoutines(catalog: Catalog, call: SqlCall, lookup: NameLookup): readonly CatalogRoutine[] {
  const { schema, name, count } = call;
  return catalog
    .routinesNamed(name)
    .filter((routine) => count === undefined || (routine.argumentsFrom <= count && count <= routine.argumentsTo))
    .filter((routine) => {
      if (schema === 'pg_temp') return routine.schema.startsWith('pg_temp_');
      if (schema !== '') return routine.schema === schema;
      return lookup.searchPath?.includes(routine.schema) ?? true;
    });
}

/** Does the WHERE of a write restrict something, as the columns are whose names it leaves open? In doubt it does not. */
export function restricts(write: OpenWrite, catalog: Catalog, lookup: NameLookup): boolean {
  if (lookup.unsettled === true) return false;
  let outer = 0;
  for (const [index, { name, relations }] of write.columns.entries()) {
    const known = relations.map((relation) => relationsFor(catalog, relation, lookup));
    const have = known.map((meanings) => meanings.map((one) => one.columns.some((column) => column.name === name)));
    // Of a name that stands for several, or for none, nobody can say.
    if (have.some((each) => each.length === 0 || each.some((one) => one !== each[0]))) return false;
    if (!have.some(([has]) => has === true)) outer |= 1 << index;
  }
  return write.restrictedBy.includes(outer);
}

const NO_RENAMES: readonly SqlRename[] = [];
const ownLookups = new WeakMap<readonly SqlRename[], WeakMap<CatalogRoutine, NameLookup>>();

/** A routine with a search path of its own looks names up by that. */
export function ownLookup(routine: CatalogRoutine, lookup: NameLookup): NameLookup {
  if (!routine.settings.some((text) => text.startsWith('search_path='))) return lookup;
  const renames = lookup.renames ?? NO_RENAMES;
  const known = ownLookups.get(renames) ?? new WeakMap<CatalogRoutine, NameLookup>();
  ownLookups.set(renames, known);
  const own = known.get(routine) ?? { ...lookupOf(routine), renames };
  known.set(routine, own);
  return own;
}

function lookupOf(routine: CatalogRoutine): NameLookup {
  const setting = routine.settings.find((text) => text.startsWith('search_path='));
  const path = splitPath((setting ?? '').slice('search_path='.length));
  if (path.includes('$user')) return { searchPath: undefined };
  return { searchPath: path.includes('pg_catalog') ? path : ['pg_catalog', ...path] };
}

export function nameOf(relation: CatalogRelation): ObjectName {
  return { schema: relation.schema, name: relation.name };
}

/** Relations whose rows include this one's. */
export function ancestorsOf(
  catalog: Catalog,
  relation: CatalogRelation,
  into = new Set<CatalogRelation>(),
): ReadonlySet<CatalogRelation> {
  for (const oid of relation.parents) {
    const parent = catalog.relation(oid);
    if (parent === undefined || into.has(parent)) continue;
    into.add(parent);
    ancestorsOf(catalog, parent, into);
  }
  return into;
}
