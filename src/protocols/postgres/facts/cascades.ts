import type { RowEvent } from '../../../policy/types.js';
import type { Catalog, CatalogCascade, CatalogRelation } from '../catalog/types.js';
import { ancestorsOf } from './resolve.js';

/** Which of the foreign keys' actions each event sets off. */
export const CASCADES: Readonly<Partial<Record<RowEvent, CatalogCascade['on']>>> = {
  update: 'update',
  delete: 'delete',
  'truncate-cascade': 'truncate',
};

/** Is it set by the statement itself, or by a trigger that names the column? */
export function mayBeSet(
  catalog: Catalog,
  relation: CatalogRelation,
  column: string,
  sets: readonly string[] | undefined,
): boolean {
  if (sets === undefined || sets.includes(column)) return true;
  const name = column.toLowerCase();
  return relation.triggers.some(
    ({ events, routine }) =>
      events.includes('update') && catalog.routine(routine)?.source.toLowerCase().includes(name) === true,
  );
}

/** Do foreign keys refer to it, or to what it is a partition of? They are dropped where a partition leaves. */
export function isReferredTo(catalog: Catalog, relation: CatalogRelation): boolean {
  return [relation, ...ancestorsOf(catalog, relation)].some(({ cascades }) => cascades.length > 0);
}
