import { flagAt, inside, listAt, type TreeNode } from '../facts/tree.js';
import { functionName, isServersOwn } from './calls.js';
import { derived, nullsAsColumns, NOTHING, type Derivation } from './derivation.js';
import { pairsShape, partShape } from './document-parts.js';
import { keyIn, pathIn } from './document-paths.js';
import {
  arrayOf,
  isDocument,
  listOf,
  objectOf,
  telling,
  valueIn,
  withoutNulls,
  withShapeAt,
  type JsonShape,
} from './json-shape.js';
import type { Reading } from './reading.js';
import type { Level } from './scope.js';

/** The arguments of one call. */
interface Given {
  readonly reading: Reading;
  readonly args: readonly unknown[];
  readonly part: (index: number) => JsonShape;
  readonly value: (index: number) => Derivation;
}

/** The document that a call of one of the server's functions makes; undefined for others. */
export function callShape(reading: Reading, call: TreeNode, level: Level): JsonShape | undefined {
  const make = MAKERS[functionName(call).name];
  if (make === undefined || !isServersOwn(reading, call)) return undefined;
  // DISTINCT sorts what it gathers: the order of what is shown, and its number, would tell of what is not.
  if (['func_variadic', 'agg_within_group', 'agg_distinct', 'agg_star'].some((flag) => flagAt(call, flag)))
    return undefined;
  const args = listAt(call, 'args');
  if (args.some((argument) => inside(argument, 'NamedArgExpr') !== undefined)) return undefined;
  return make({
    reading,
    args,
    part: (index) => partShape(reading, args[index], level),
    value: (index) => reading.value(args[index], level),
  });
}

type Make = (given: Given) => JsonShape | undefined;

const gathered: Make = ({ args, part }) => (args.length === 1 ? listOf(part(0)) : undefined);

const converted: Make = ({ args, part }) => (args.length > 0 ? part(0) : undefined);

const listed: Make = ({ args, part }) => arrayOf(args.map((_, index) => part(index)));

const stripped: Make = ({ args, part }) => {
  const shape = args.length === 1 ? part(0) : undefined;
  return isDocument(shape) ? withoutNulls(shape) : undefined;
};

const MAKERS: Readonly<Partial<Record<string, Make>>> = {
  json_build_object: built,
  jsonb_build_object: built,
  json_build_array: listed,
  jsonb_build_array: listed,
  json_agg: gathered,
  jsonb_agg: gathered,
  array_agg: gathered,
  json_object_agg: keyed,
  jsonb_object_agg: keyed,
  to_json: converted,
  to_jsonb: converted,
  row_to_json: converted,
  array_to_json: converted,
  json_strip_nulls: stripped,
  jsonb_strip_nulls: stripped,
  jsonb_set: changed,
  jsonb_insert: changed,
};

function built({ args, reading, part, value }: Given): JsonShape | undefined {
  if (args.length % 2 === 1) return undefined;
  const pairs = Array.from({ length: args.length / 2 }, (_, index) => ({
    key: keyIn(reading, args[2 * index]) ?? value(2 * index),
    value: part(2 * index + 1),
  }));
  return pairsShape(pairs);
}

function keyed({ args, part, value }: Given): JsonShape | undefined {
  return args.length === 2 ? telling(objectOf(new Map(), part(1)), value(0)) : undefined;
}

/** `jsonb_set(document, path, value, …)`: it is NULL where the value is. */
function changed({ args, part, value, reading }: Given): JsonShape | undefined {
  const path = args.length < 3 ? undefined : pathIn(reading, args[1]);
  const document = path === undefined ? undefined : part(0);
  if (path === undefined || path.length === 0 || !isDocument(document)) return undefined;
  const put = part(2);
  const isNull = isDocument(put) || nullsAsColumns(valueIn(put)) ? NOTHING : valueIn(put);
  const how = args.length > 3 ? value(3) : NOTHING;
  return telling(withShapeAt(document, path, put), derived([isNull, how]));
}
