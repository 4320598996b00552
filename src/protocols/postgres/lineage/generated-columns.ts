import type { CatalogRelation } from '../catalog/types.js';
import { parseSql } from '../facts/grammar.js';
import { inside, isNode, listAt } from '../facts/tree.js';
import { ANYTHING, columnAt, either, isNothing, type Derivation } from './derivation.js';
import type { Reading } from './reading.js';
import { levelOf, type Level } from './scope.js';

/**
 * What is behind each column of a table: itself, and what it is generated from.
 *
 * @param reading one of its own, whose uses nobody looks at
 */
export function generatedColumns(reading: Reading, relation: CatalogRelation): readonly Derivation[] {
  const columns = relation.columns.map(({ attribute, name }) => ({ name, value: columnAt(relation.oid, attribute) }));
  const level = levelOf(
    [{ sources: [{ name: relation.name, columns, open: undefined }], columns, open: undefined }],
    undefined,
    undefined,
  );
  return relation.columns.map(({ attribute, expression }) => {
    const own = columnAt(relation.oid, attribute);
    if (expression === undefined) return own;
    const from = valueOfText(reading, expression, level);
    return isNothing(from) ? own : { ...either([own, from]), plain: false };
  });
}

function valueOfText(reading: Reading, expression: string, level: Level): Derivation {
  const parsed = parseSql(`SELECT ${expression}`);
  const first = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts')[0] : undefined;
  const select = isNode(first) ? inside(first['stmt'], 'SelectStmt') : undefined;
  const target = inside(listAt(select ?? {}, 'targetList')[0], 'ResTarget');
  return target === undefined ? ANYTHING : reading.value(target['val'], level);
}
