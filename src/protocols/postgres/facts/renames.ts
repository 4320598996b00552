import type { ObjectName, SqlRename } from '../../../policy/types.js';
import type { Catalog, NameLookup } from '../catalog/types.js';
import { SETTINGS_VIEW } from './dangerous-functions.js';
import { EMPTY, inside, itemsOf, listAt, namesIn, nodeAt, objectName, textAt } from './tree.js';
import type { TreeNode } from './tree.js';
import type { Handler } from './walk.js';

/** ALTER … RENAME and ALTER … SET SCHEMA, and what they leave to be known until the catalogue shows it. */
export const RENAME_HANDLERS: Readonly<Record<string, Handler>> = {
  RenameStmt: (walk, node, place) => {
    walk.effect(place, 'alter');
    const kind = textAt(node, 'renameType');
    const name = textAt(node, 'newname');
    const relation = nodeAt(node, 'relation');
    if (relation !== undefined) walk.writes(relation, place);
    if (name === SETTINGS_VIEW) walk.findings.opaque('a relation called pg_settings');
    if (kind === 'OBJECT_ROLE') walk.effect(place, 'role-admin');
    const old = textAt(node, 'subname');
    if (kind === 'OBJECT_SCHEMA')
      walk.findings.uses.rename({ from: { schema: old, name: '' }, to: { schema: name, name: '' } });
    else if (!NAMED_WITHIN.has(kind)) walk.findings.uses.rename({ from: altered(node), to: { schema: '', name } });
    walk.below(node, place, ['relation']);
  },
  AlterObjectSchemaStmt: (walk, node, place) => {
    walk.effect(place, 'alter');
    const relation = nodeAt(node, 'relation');
    if (relation !== undefined) walk.writes(relation, place);
    const from = altered(node);
    walk.findings.uses.rename({ from, to: { schema: textAt(node, 'newschema'), name: from.name } });
    walk.below(node, place, ['relation']);
  },
};

/** What has its name inside of something else, or outside of any schema. */
const NAMED_WITHIN: ReadonlySet<string> = new Set([
  ...['OBJECT_COLUMN', 'OBJECT_ATTRIBUTE', 'OBJECT_TABCONSTRAINT', 'OBJECT_DOMCONSTRAINT', 'OBJECT_TRIGGER'],
  ...['OBJECT_RULE', 'OBJECT_POLICY', 'OBJECT_ROLE', 'OBJECT_DATABASE', 'OBJECT_TABLESPACE', 'OBJECT_EVENT_TRIGGER'],
  ...['OBJECT_LANGUAGE', 'OBJECT_FDW', 'OBJECT_FOREIGN_SERVER', 'OBJECT_PUBLICATION', 'OBJECT_SUBSCRIPTION'],
]);

/** The relation, routine or type that an ALTER names. */
function altered(node: TreeNode): ObjectName {
  const relation = nodeAt(node, 'relation');
  if (relation !== undefined) return objectName(relation);
  const object = node['object'];
  const names = namesIn(listAt(inside(object, 'ObjectWithArgs') ?? EMPTY, 'objname'));
  const parts = names.length > 0 ? names : namesIn(itemsOf(object));
  return { schema: parts.at(-2) ?? '', name: parts.at(-1) ?? '' };
}

/** More renamed by one transaction is not followed. */
export const MAX_RENAMES = 500;

/** Both lists, nothing twice; the same object as `known` where `more` adds nothing. */
export function joinedRenames(known: readonly SqlRename[], more: Iterable<SqlRename>): readonly SqlRename[] {
  const all = new Map(known.map((rename) => [keyOf(rename), rename]));
  for (const rename of more) if (!all.has(keyOf(rename))) all.set(keyOf(rename), rename);
  return all.size === known.length ? known : [...all.values()];
}

/**
 * The rename with the schemas that its old name may have been in, as names are looked up now: later they may be looked
 * up otherwise. One that no relation or routine has, such as one that was renamed before, may be in any.
 */
export function resolvedRenames(catalog: Catalog, rename: SqlRename, { searchPath }: NameLookup): readonly SqlRename[] {
  const { schema, name } = rename.from;
  if (schema !== '' || name === '' || searchPath === undefined) return [rename];
  const named = [...catalog.relationsNamed(name), ...catalog.routinesNamed(name)];
  const schemas = searchPath.filter((one) => named.some((object) => object.schema === one));
  return schemas.length === 0 ? [rename] : schemas.map((one) => ({ ...rename, from: { schema: one, name } }));
}

function keyOf({ from, to }: SqlRename): string {
  return JSON.stringify([from.schema, from.name, to.schema, to.name]);
}
