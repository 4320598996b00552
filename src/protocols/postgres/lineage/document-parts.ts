/** What an argument becomes in a document: a row its columns, a document itself, anything else one value. */
import type { TreeNode } from '../facts/tree.js';
import { eitherShape, leaf, objectOf, type JsonShape } from './json-shape.js';
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
