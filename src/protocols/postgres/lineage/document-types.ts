/** What is surely of type jsonb, and constants that are. */
import { EMPTY, inside, listAt, namesIn, nodeAt, tagged, textAt, type TreeNode } from '../facts/tree.js';
import { functionName, isServersOwn } from './calls.js';
import { NOTHING } from './derivation.js';
import { arrayOf, leaf, objectOf, type JsonShape } from './json-shape.js';
import type { Reading } from './reading.js';
import { columnNamed, type Level } from './scope.js';

/** Is it of type jsonb, for certain? */
export function isJsonb(reading: Reading, value: unknown, level: Level): boolean {
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'FuncCall':
      return GIVE_JSONB.test(functionName(node).name) && isServersOwn(reading, node);
    case 'TypeCast':
      return isJsonType(reading, node, 'jsonb');
    // All of them are of one type.
    case 'CoalesceExpr':
      return listAt(node, 'args').some((item) => isJsonb(reading, item, level));
    case 'CaseExpr':
      return listAt(node, 'args').some((item) => isJsonb(reading, inside(item, 'CaseWhen')?.['result'], level));
    case 'A_Expr':
      // Other operators that make documents know no other type.
      return (
        reading.shape(value, level) !== undefined &&
        (!TAKING.has(namesIn(listAt(node, 'name')).at(-1) ?? '') || isJsonb(reading, node['lexpr'], level))
      );
    case 'ColumnRef': {
      const fields = listAt(node, 'fields');
      const names = namesIn(fields);
      return names.length === fields.length && columnNamed(names, level)?.isJsonb === true;
    }
    case 'SubLink':
      reading.value(value, level);
      return reading.findings.documents.get(node)?.isJsonb === true;
    default:
      return false;
  }
}

const TAKING: ReadonlySet<string> = new Set(['->', '#>']);
const GIVE_JSONB = /^(?:to_jsonb|jsonb_(?:build_object|build_array|agg|object_agg|set|insert|strip_nulls))$/;

export function isJsonType(reading: Reading, cast: TreeNode, type: 'json' | 'jsonb'): boolean {
  const to = nodeAt(cast, 'typeName') ?? EMPTY;
  const names = namesIn(listAt(to, 'names'));
  return (
    names.at(-1) === type &&
    (names.length === 1 || names[0] === 'pg_catalog') &&
    listAt(to, 'arrayBounds').length === 0 &&
    reading.catalog.castRoutines(type).length === 0
  );
}

/** What a constant says where it stands for JSON: `'[]'`. */
export function constantShape(value: unknown): JsonShape | undefined {
  const text = nodeAt(inside(value, 'A_Const') ?? EMPTY, 'sval');
  if (text === undefined) return undefined;
  try {
    return writtenShape(JSON.parse(textAt(text, 'sval')));
  } catch {
    return undefined;
  }
}

function writtenShape(value: unknown): JsonShape {
  if (Array.isArray(value)) return arrayOf(value.map(writtenShape));
  if (typeof value !== 'object' || value === null) return leaf(NOTHING);
  return objectOf(new Map(Object.entries(value).map(([name, member]) => [name, writtenShape(member)])));
}
