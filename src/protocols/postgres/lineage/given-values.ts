import {
  EMPTY,
  flagAt,
  inside,
  isNode,
  itemsOf,
  listAt,
  literalIn,
  namesIn,
  nodeAt,
  tagged,
  textAt,
  type TreeNode,
} from '../facts/tree.js';
import { leftOutBy } from '../facts/outline.js';
import type { Derivation } from './derivation.js';
import type { GivenColumn } from './scope.js';

/** Where the caller has written a value down, or will bind one. */
export type GivenPlace =
  /** A constant: where it begins in the text, in bytes of UTF-8, and what it says; undefined where only the text tells. */
  | { readonly kind: 'literal'; readonly location: number; readonly value: string | undefined }
  /** `$number` */
  | { readonly kind: 'parameter'; readonly number: number };

/** A value of the caller's that a column, as it stands, has to equal. */
export interface GivenValue {
  readonly place: GivenPlace;
  /** It is an array, each of whose elements may be the column's value. */
  readonly isArray: boolean;
  /** It is cast before it is compared: a parameter is of the type of the cast. */
  readonly isCast: boolean;
  readonly column: Derivation;
}

/** A column of brought rows that stands beside one of a table. */
export interface Brought {
  readonly given: GivenColumn;
  readonly column: Derivation;
  /** Its name where it is compared; undefined where it has none, as in `IN (VALUES …)`. */
  readonly ref: TreeNode | undefined;
}

/** Casts that leave a value as it was written, where they have no length. */
const PLAIN_TYPES = new Set(['text', 'varchar', 'bpchar', 'citext', 'int2', 'int4', 'int8', 'numeric', 'uuid', 'date']);

/** The values in one side of an equality. What is made of values by operators and calls is none. */
export function givenIn(side: unknown, column: Derivation, isArray: boolean): readonly GivenValue[] {
  const { type, node } = tagged(side) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'List':
      return itemsOf(side).flatMap((item) => givenIn(item, column, isArray));
    case 'A_ArrayExpr':
      return isArray ? listAt(node, 'elements').flatMap((item) => givenIn(item, column, false)) : [];
    case 'TypeCast':
      return isPlainCast(node['typeName'], isArray)
        ? givenIn(node['arg'], column, isArray).map((value) => ({ ...value, isCast: true }))
        : [];
    case 'ParamRef': {
      const number = node['number'];
      if (typeof number !== 'number') return [];
      return [{ place: { kind: 'parameter', number }, isArray, isCast: false, column }];
    }
    case 'A_Const': {
      const place = literalPlace(side, node['location']);
      // Of a large text's lists its outline holds some items and where the others stand.
      const others = leftOutBy(node).places.map((location) => ({
        kind: 'literal' as const,
        location,
        value: undefined,
      }));
      return [...(place === undefined ? [] : [place]), ...others].map((one) => ({
        place: one,
        isArray,
        isCast: false,
        column,
      }));
    }
    default:
      return [];
  }
}

function isPlainCast(typeName: unknown, isArray: boolean): boolean {
  const type = isNode(typeName) ? typeName : EMPTY;
  const names = namesIn(listAt(type, 'names'));
  if (names.length > 1 && names[0] !== 'pg_catalog') return false;
  const bounds = listAt(type, 'arrayBounds').length;
  return PLAIN_TYPES.has(names.at(-1) ?? '') && listAt(type, 'typmods').length === 0 && bounds === (isArray ? 1 : 0);
}

function literalPlace(constant: unknown, location: unknown): GivenPlace | undefined {
  const node = inside(constant, 'A_Const') ?? EMPTY;
  if (typeof location !== 'number' || location < 0) return undefined;
  const value = constantText(node, constant);
  return value === undefined ? undefined : { kind: 'literal', location, value };
}

/** What a constant says: a string's content, a number as it is written; undefined for others. */
function constantText(node: Readonly<Record<string, unknown>>, constant: unknown): string | undefined {
  if (flagAt(node, 'isnull') || nodeAt(node, 'boolval') !== undefined || nodeAt(node, 'bsval') !== undefined)
    return undefined;
  const float = nodeAt(node, 'fval');
  if (float !== undefined) return textAt(float, 'fval');
  const literal = literalIn(constant);
  return literal === undefined ? undefined : String(literal.value);
}

/** How often each parameter stands in a tree, by its number. Whether one is NULL is the same of a pseudonym. */
export function countParameters(tree: unknown): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const pending: unknown[] = [tree];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || testsParameter(value)) continue;
    const number = inside(value, 'ParamRef')?.['number'];
    if (typeof number === 'number') counts.set(number, (counts.get(number) ?? 0) + 1);
    for (const child of Object.values(value)) pending.push(child);
  }
  return counts;
}

/** `$1 IS NULL`, `$1::text IS NULL` */
function testsParameter(value: object): boolean {
  const tested = inside(value, 'NullTest')?.['arg'];
  return inside(inside(tested, 'TypeCast')?.['arg'] ?? tested, 'ParamRef') !== undefined;
}

const EXPLAINED = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

/** Statements of which nothing outlives the session and whose plan is not shown. */
const FLEETING = new Set([
  ...['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TransactionStmt', 'VariableSetStmt'],
  ...['PrepareStmt', 'ExecuteStmt', 'DeallocateStmt', 'DeclareCursorStmt', 'FetchStmt', 'ClosePortalStmt'],
]);

/**
 * The values that stand for a column's wherever they are used: each parameter in nothing but equalities. None in a
 * text that also makes what others can see, such as a view, or that shows a plan among other results.
 *
 * @param statements as the parser gives them
 */
export function replaceableValues(given: readonly GivenValue[], statements: readonly unknown[]): readonly GivenValue[] {
  if (given.length === 0) return given;
  const kinds = statements.map((item) => tagged(isNode(item) ? item['stmt'] : undefined));
  const [only] = kinds;
  // Of a plan by itself it is known what it may show.
  const explained = kinds.length === 1 && only?.type === 'ExplainStmt' ? tagged(only.node['query'])?.type : undefined;
  const fleeting = kinds.every((kind) => FLEETING.has(kind?.type ?? ''));
  return fleeting || EXPLAINED.has(explained ?? '') ? solelyCompared(given, statements) : [];
}

function solelyCompared(given: readonly GivenValue[], tree: unknown): readonly GivenValue[] {
  const uses = countParameters(tree);
  const compared = new Map<number, number>();
  for (const { place } of given)
    if (place.kind === 'parameter') compared.set(place.number, (compared.get(place.number) ?? 0) + 1);
  return given.filter(({ place }) => place.kind === 'literal' || compared.get(place.number) === uses.get(place.number));
}

/** What a PREPARE compares its parameters with and nothing else; EXECUTE gives them, and only as they are written. */
export function preparedParameters(given: readonly GivenValue[], prepare: TreeNode): readonly GivenValue[] {
  const types = listAt(prepare, 'argtypes');
  return solelyCompared(given, prepare['query']).filter(({ place, isArray }) => {
    if (place.kind !== 'parameter') return false;
    const type = types[place.number - 1];
    return type === undefined || isPlainCast(inside(type, 'TypeName'), isArray);
  });
}

/** The values in what EXECUTE gives for parameters of a prepared statement. */
export function executedValues(parameters: readonly GivenValue[], given: readonly unknown[]): readonly GivenValue[] {
  return parameters.flatMap(({ place, column, isArray }) =>
    place.kind === 'parameter' ? givenIn(given[place.number - 1], column, isArray) : [],
  );
}
