/** What an argument becomes in a document: a row its columns, a document itself, anything else one value. */
import type { TreeNode } from '../facts/tree.js';
import { derived, type Derivation } from './derivation.js';
import { eitherShape, leaf, objectOf, telling, type JsonShape } from './json-shape.js';
import type { Reading } from './reading.js';
import { rowMeant, type Level, type Source } from './scope.js';

export function partShape(reading: Reading, value: unknown, level: Level): JsonShape {
  return reading.shape(value, level) ?? leaf(reading.value(value, level));
}

/** Of a row by its name in FROM, `t` or `t.*`; undefined for another column, and where nobody can tell. */
export function namedRow(column: TreeNode, level: Level): JsonShape | undefined {
  const row = rowMeant(column, level);
  return row === undefined ? undefined : rowShape(row);
}

function rowShape({ columns, open, ownNames }: Source): JsonShape | undefined {
  if (open !== undefined || ownNames !== true || columns.some(({ guessed }) => guessed === true)) return undefined;
  return membersShape(columns.map(({ name, json, value }) => [name, json ?? leaf(value)]));
}

/**
 * @param rest members whose names nobody knows
 * @returns undefined where two have one name: of them nobody could tell which is which
 */
export function membersShape(
  members: readonly (readonly [string, JsonShape])[],
  rest: readonly JsonShape[] = [],
): JsonShape | undefined {
  const byName = new Map(members);
  if (byName.size < members.length) return undefined;
  const [first, ...more] = rest;
  return objectOf(byName, first === undefined ? undefined : more.reduce(eitherShape, first));
}

/**
 * An object of keys and values. A key that is not written shows what it is made of.
 *
 * @param pairs `key` a name, or what is behind one that nobody knows
 */
export function pairsShape(
  pairs: readonly { readonly key: string | Derivation; readonly value: JsonShape }[],
): JsonShape | undefined {
  const named = pairs.flatMap(({ key, value }) => (typeof key === 'string' ? [[key, value] as const] : []));
  const others = pairs.flatMap(({ key, value }) => (typeof key === 'string' ? [] : [{ key, value }]));
  const shape = membersShape(
    named,
    others.map(({ value }) => value),
  );
  return shape === undefined ? undefined : telling(shape, derived(others.map(({ key }) => key)));
}
