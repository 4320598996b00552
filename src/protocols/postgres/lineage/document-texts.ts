/** Documents that leave as text: PostgREST's `coalesce(json_agg(t), '[]')::character varying`. */
import { EMPTY, listAt, namesIn, nodeAt, tagged, type TreeNode } from '../facts/tree.js';
import { functionName, isServersOwn } from './calls.js';
import { constantShape, isJsonb, isJsonType } from './document-types.js';
import { isDocument, type JsonShape } from './json-shape.js';
import type { Reading } from './reading.js';
import { columnNamed, type Level } from './scope.js';

/** The shape of the document that a text holds, whole; undefined for another text. */
export function writtenDocument(reading: Reading, value: unknown, level: Level): JsonShape | undefined {
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'TypeCast': {
      if (!isWholeText(reading, node) || !givesJson(reading, node['arg'], level)) return undefined;
      const shape = reading.shape(node['arg'], level);
      return isDocument(shape) ? shape : undefined;
    }
    case 'CoalesceExpr': {
      const [only, ...others] = listAt(node, 'args').filter((item) => constantShape(item) === undefined);
      return others.length === 0 ? writtenDocument(reading, only, level) : undefined;
    }
    case 'ColumnRef': {
      const fields = listAt(node, 'fields');
      const names = namesIn(fields);
      return names.length === fields.length ? columnNamed(names, level)?.jsonText : undefined;
    }
    default:
      return undefined;
  }
}

/** A cast to text, or to varchar without a length that would cut it. */
function isWholeText(reading: Reading, cast: TreeNode): boolean {
  const to = nodeAt(cast, 'typeName') ?? EMPTY;
  const names = namesIn(listAt(to, 'names'));
  const name = names.at(-1) ?? '';
  return (
    (name === 'text' || name === 'varchar') &&
    (names.length === 1 || names[0] === 'pg_catalog') &&
    listAt(to, 'arrayBounds').length + listAt(to, 'typmods').length === 0 &&
    reading.catalog.castRoutines(name).length === 0
  );
}

/** Is it of type json or jsonb, for certain? A row or an array has a shape as well, and is written otherwise as text. */
function givesJson(reading: Reading, value: unknown, level: Level): boolean {
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'FuncCall':
      return GIVE_JSON.test(functionName(node).name) && isServersOwn(reading, node);
    case 'TypeCast':
      return isJsonType(reading, node, 'json') || isJsonType(reading, node, 'jsonb');
    // All of them are of one type.
    case 'CoalesceExpr':
      return listAt(node, 'args').some((item) => givesJson(reading, item, level));
    case 'A_Expr':
      return namesIn(listAt(node, 'name')).join('.') === '->' && givesJson(reading, node['lexpr'], level);
    default:
      return isJsonb(reading, value, level);
  }
}

const GIVE_JSON = /^(?:to_jsonb?|row_to_json|jsonb?_(?:build_object|build_array|agg|object_agg))$/;
