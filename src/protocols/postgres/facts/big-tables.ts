import type { ObjectName } from '../../../policy/types.js';
import { BIG_TABLE_ROWS, FIRST_USER_OID } from '../catalog/queries.js';
import type { Catalog, CatalogRelation, NameLookup } from '../catalog/types.js';
import { QUALIFIED, relationsFor } from './resolve.js';
import { viewCode } from './stored-code.js';

/** Views upon views; the server itself allows no circles. */
const MAX_DEPTH = 32;

/** Does reading this whole read a table of `BIG_TABLE_ROWS` rows or more, as the planner last counted? */
export function isBig(catalog: Catalog, name: ObjectName, lookup: NameLookup): boolean {
  return relationsFor(catalog, name, lookup).some((relation) => rowsRead(catalog, relation, 0) >= BIG_TABLE_ROWS);
}

function rowsRead(catalog: Catalog, relation: CatalogRelation, depth: number): number {
  if (depth > MAX_DEPTH) return 0;
  if (relation.kind === 'view' && relation.oid >= FIRST_USER_OID) {
    const scans = viewCode(relation).findings.uses.toUses().scans;
    const behind = scans.flatMap((name) => relationsFor(catalog, name, QUALIFIED));
    return Math.max(0, ...behind.map((table) => rowsRead(catalog, table, depth + 1)));
  }
  // A partitioned table has counted what lies in its partitions, if it was ever counted.
  const own = relation.kind === 'partitioned-table' ? 0 : Math.max(0, relation.estimatedRows);
  return relation.children.reduce((sum, oid) => {
    const child = catalog.relation(oid);
    return child === undefined ? sum : sum + rowsRead(catalog, child, depth + 1);
  }, own);
}
