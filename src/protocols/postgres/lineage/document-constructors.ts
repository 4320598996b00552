/**
 * Documents by the words of the SQL standard.
 *
 * @see https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-JSON-CREATION-TABLE
 */
import { EMPTY, flagAt, inside, listAt, namesIn, nodeAt, type TreeNode } from '../facts/tree.js';
import { pairsShape, partShape } from './document-parts.js';
import { keyIn } from './document-paths.js';
import { anyShape, arrayOf, listOf, objectOf, telling, withoutNulls, type JsonShape } from './json-shape.js';
import type { Reading } from './reading.js';
import type { Level } from './scope.js';

/** `JSON_OBJECT`, `JSON_ARRAY`, `JSON_OBJECTAGG`, `JSON_ARRAYAGG`; undefined for other types of nodes. */
export function constructorShape(reading: Reading, type: string, node: TreeNode, level: Level): JsonShape | undefined {
  const made = MAKERS[type]?.(reading, node, level);
  if (made === undefined || !givesJson(node)) return undefined;
  return flagAt(node, 'absent_on_null') ? withoutNulls(made) : made;
}

type Make = (reading: Reading, node: TreeNode, level: Level) => JsonShape | undefined;

const MAKERS: Readonly<Partial<Record<string, Make>>> = {
  JsonObjectConstructor: (reading, node, level) => {
    const pairs = listAt(node, 'exprs').map((item) => inside(item, 'JsonKeyValue') ?? EMPTY);
    return pairsShape(
      pairs.map((pair) => ({
        key: keyIn(reading, pair['key']) ?? reading.value(pair['key'], level),
        value: valueShape(reading, nodeAt(pair, 'value'), level),
      })),
    );
  },
  JsonArrayConstructor: (reading, node, level) => {
    const items = listAt(node, 'exprs').map((item) => valueShape(reading, inside(item, 'JsonValueExpr'), level));
    // Where NULLs are left out the next item takes their place.
    return flagAt(node, 'absent_on_null') ? listOf(anyShape(items)) : arrayOf(items);
  },
  JsonArrayAgg: (reading, node, level) => listOf(valueShape(reading, nodeAt(node, 'arg'), level)),
  JsonObjectAgg: (reading, node, level) => {
    const pair = nodeAt(node, 'arg') ?? EMPTY;
    const members = objectOf(new Map(), valueShape(reading, nodeAt(pair, 'value'), level));
    return telling(members, reading.value(pair['key'], level));
  },
};

function valueShape(reading: Reading, value: TreeNode | undefined, level: Level): JsonShape {
  return partShape(reading, value?.['raw_expr'], level);
}

/** RETURNING may say another type. */
function givesJson(node: TreeNode): boolean {
  const output = nodeAt(node, 'output') ?? nodeAt(nodeAt(node, 'constructor') ?? EMPTY, 'output');
  if (output === undefined) return true;
  const type = nodeAt(output, 'typeName') ?? EMPTY;
  const isArray = listAt(type, 'arrayBounds').length > 0;
  return !isArray && /^jsonb?$/.test(namesIn(listAt(type, 'names')).at(-1) ?? '');
}
