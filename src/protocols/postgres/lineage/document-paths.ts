/** Keys and paths that a text spells out: of others nobody knows where they lead. */
import { EMPTY, inside, listAt, namesIn, nodeAt, textAt } from '../facts/tree.js';
import { readArrayText } from '../values/array-text.js';
import type { Step } from './json-shape.js';
import type { Reading } from './reading.js';

/** A text as it is written. A cast to a type that cuts it, or fills it up, would give another. */
export function keyIn(reading: Reading, value: unknown): string | undefined {
  const cast = inside(value, 'TypeCast');
  if (cast !== undefined) return isCastTo(reading, cast, TEXTS, 0) ? keyIn(reading, cast['arg']) : undefined;
  const text = nodeAt(inside(value, 'A_Const') ?? EMPTY, 'sval');
  return text === undefined ? undefined : textAt(text, 'sval');
}

const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar']);

function isCastTo(
  reading: Reading,
  cast: Readonly<Record<string, unknown>>,
  to: ReadonlySet<string>,
  bounds: number,
): boolean {
  const type = nodeAt(cast, 'typeName') ?? EMPTY;
  const names = namesIn(listAt(type, 'names'));
  const name = names.at(-1) ?? '';
  return (
    (names.length === 1 || names[0] === 'pg_catalog') &&
    to.has(name) &&
    listAt(type, 'typmods').length === 0 &&
    listAt(type, 'arrayBounds').length === bounds &&
    reading.catalog.castRoutines(name).length === 0
  );
}

/** Behind `->` and `->>`: a name, or the number of an item. */
export function stepIn(reading: Reading, value: unknown): Step | undefined {
  const number = nodeAt(inside(value, 'A_Const') ?? EMPTY, 'ival');
  if (number !== undefined) return typeof number['ival'] === 'number' ? number['ival'] : 0;
  return keyIn(reading, value);
}

/** `'{a,b}'`, `ARRAY['a', 'b']`. */
export function pathIn(reading: Reading, value: unknown): readonly string[] | undefined {
  const cast = inside(value, 'TypeCast');
  if (cast !== undefined) return isCastTo(reading, cast, TEXTS, 1) ? pathIn(reading, cast['arg']) : undefined;
  const array = inside(value, 'A_ArrayExpr');
  if (array !== undefined) {
    const keys = listAt(array, 'elements').map((item) => keyIn(reading, item));
    return keys.every((key) => key !== undefined) ? keys : undefined;
  }
  const text = keyIn(reading, value);
  return text === undefined ? undefined : writtenPath(text);
}

/** A plain array of texts without quotes, NULLs or more than one dimension; other spellings are not read. */
function writtenPath(text: string): readonly string[] | undefined {
  if (!/^\{[\w$@-]+(?:,[\w$@-]+)*\}$/.test(text)) return undefined;
  const leaves = readArrayText(new TextEncoder().encode(text))?.leaves ?? [];
  const parts = text.slice(1, -1).split(',');
  return leaves.length === parts.length ? parts : undefined;
}
