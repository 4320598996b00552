import type { ColumnPattern, MaskRule, Strategy } from '../../../core/mask.js';
import type { ObjectName } from '../../../policy/types.js';
import { FIRST_USER_OID } from '../../../protocols/postgres/catalog/queries.js';
import type { Catalog, CatalogRelation } from '../../../protocols/postgres/catalog/types.js';
import type { ResultColumn } from '../../../protocols/postgres/columns.js';

/** Finds the columns that masks name in what is known of the catalogue. */

const STRENGTH: Readonly<Record<Strategy, number>> = { null: 5, redact: 4, replace: 3, hash: 2, partial: 1 };

/**
 * Finds the strongest rule for a result column: by its origin where the wire tells one, else by its name.
 *
 * @param catalog undefined where none was read: then names decide
 */
export function columnRule(
  rules: readonly MaskRule[],
  catalog: Catalog | undefined,
  column: ResultColumn,
): MaskRule | undefined {
  const relation = column.tableOid === 0 ? undefined : catalog?.relation(column.tableOid);
  const known = relation?.columns.find(({ attribute }) => attribute === column.attribute);
  // Columns that every table has, like `ctid`, have no positive number and hold nobody's data.
  const isKnown =
    column.tableOid !== 0 &&
    (column.attribute <= 0 || known !== undefined || (column.tableOid < FIRST_USER_OID && relation === undefined));
  return strongest(
    rules.filter((rule) =>
      rule.columns.some((pattern) => {
        if (relation !== undefined && known !== undefined) return meets(pattern, relation, known.name);
        // A table or column that was made after the catalogue was read, or no table at all: the name has to do.
        return !isKnown && meetsName(pattern, column.name, column.tableOid !== 0);
      }),
    ),
  );
}

/** May one of these tables hold a masked column? Names without a schema could be any schema's. */
export function touchesColumns(
  rules: readonly MaskRule[],
  catalog: Catalog | undefined,
  tables: readonly ObjectName[],
): boolean {
  const patterns = rules.flatMap((rule) => rule.columns);
  return tables.some((table) =>
    (catalog?.relationsNamed(table.name) ?? [])
      .filter((relation) => table.schema === '' || table.schema === relation.schema)
      .some((relation) =>
        relation.columns.some((column) => patterns.some((pattern) => meets(pattern, relation, column.name))),
      ),
  );
}

function strongest(rules: readonly MaskRule[]): MaskRule | undefined {
  return rules.reduce<MaskRule | undefined>(
    (best, rule) => (best === undefined || STRENGTH[rule.strategy] > STRENGTH[best.strategy] ? rule : best),
    undefined,
  );
}

function meets(pattern: ColumnPattern, relation: CatalogRelation, column: string): boolean {
  return part(pattern.schema, relation.schema) && part(pattern.table, relation.name) && part(pattern.column, column);
}

/** `*.NAME` meets a result column of that name, ignoring case; a table made since may be any that a pattern names. */
function meetsName(pattern: ColumnPattern, name: string, unknownTable: boolean): boolean {
  if (pattern.column === '*') return unknownTable;
  if (pattern.column.toLowerCase() !== name.toLowerCase()) return false;
  return unknownTable || pattern.table === '*';
}

function part(pattern: string, value: string): boolean {
  return pattern === '*' || pattern === value;
}
