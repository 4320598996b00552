/**
 * How many values one statement compares columns with. Equality with a value shows no more than the caller knew, but with
 * fifty thousand at once it narrows an unknown value down to one of them: so their number is bounded.
 */
import { leftOutBy } from '../facts/outline.js';
import { EMPTY, inside, isNode, itemsOf, listAt, literalIn, tagged } from '../facts/tree.js';
import type { BoundValues } from '../statements/bound-values.js';
import { formatAt } from '../wire/client-messages.js';
import { functionName } from './calls.js';
import type { Comparison, ManyValued } from './comparison.js';
import { isNothing, type Derivation } from './derivation.js';
import { readsSetting } from './given-side.js';
import type { StatementReading } from './reading.js';

/**
 * Values that one statement may compare masked columns with, all together. Programs look rows up by some hundreds of keys at
 * once; whoever tries all nine million e-mail addresses of a list, or all numbers of a range, needs thousands of statements,
 * which the record shows.
 */
export const MAX_COMPARED_VALUES = 1_000;

/** Rows of VALUES. */
export function rowsOf(lists: readonly unknown[]): number {
  return sum(lists, (row) => 1 + leftOutBelow(row));
}

/** @param isArray it is an array each of whose elements is compared */
export function comparisonWith(side: unknown, column: Derivation, isArray: boolean): Comparison {
  const parameters: ManyValued[] = [];
  return { column, count: countOf(side, isArray, parameters), parameters };
}

function countOf(side: unknown, isArray: boolean, parameters: ManyValued[]): number {
  const { type, node } = tagged(side) ?? { type: '', node: EMPTY };
  if (type === 'List') return sum(itemsOf(side), (item) => countOf(item, isArray, parameters));
  if (!isArray) return 1 + leftOutBelow(side);
  switch (type) {
    case 'A_ArrayExpr':
      return sum(listAt(node, 'elements'), (item) =>
        countOf(item, inside(item, 'A_ArrayExpr') !== undefined, parameters),
      );
    case 'TypeCast':
      return countOf(node['arg'], true, parameters);
    case 'A_Const':
      return elementsInText(String(literalIn(side)?.value ?? '')) + leftOutBelow(side);
    case 'ParamRef':
      parameters.push({ number: Number(node['number']), separator: undefined });
      return 0;
    default:
      return madeArray(side, parameters);
  }
}

/** Of an array that is made of others' parts: no more elements than characters went in. */
function madeArray(side: unknown, parameters: ManyValued[]): number {
  const call = inside(side, 'FuncCall');
  const [text, by] = call === undefined ? [] : listAt(call, 'args');
  const known = functionName(call ?? EMPTY).name === 'string_to_array' ? literalIn(by)?.value : undefined;
  const separator = typeof known === 'string' ? known : '';
  let count = 0;
  const pending: unknown[] = separator === '' ? [side] : [text];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    const constant = isNode(value) ? literalIn(value) : undefined;
    const number = isNode(value) ? inside(value, 'ParamRef')?.['number'] : undefined;
    // Of a setting nobody knows how much it holds.
    if (isNode(value) && readsSetting(value)) return MAX_COMPARED_VALUES + 1;
    if (constant !== undefined) count += partsOf(String(constant.value), separator) + leftOutBelow(value);
    else if (typeof number === 'number') parameters.push({ number, separator });
    else pending.push(...(Object.values(value) as unknown[]));
  }
  return count;
}

function partsOf(text: string, separator: string): number {
  return separator === '' ? text.length + 1 : text.split(separator).length;
}

/** The most that any constant in it stands for. */
function leftOutBelow(value: unknown): number {
  let most = 0;
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const one = pending.pop();
    if (typeof one !== 'object' || one === null) continue;
    const constant = isNode(one) ? inside(one, 'A_Const') : undefined;
    if (constant !== undefined) most = Math.max(most, leftOutBy(constant).count);
    else pending.push(...(Object.values(one) as unknown[]));
  }
  return most;
}

function sum(items: readonly unknown[], of: (item: unknown) => number): number {
  return items.reduce((total: number, item) => total + of(item), 0);
}

/** Elements of an array in text form; of one that is not well formed the server takes none. */
function elementsInText(text: string): number {
  let count = 1;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '\\') at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (letter === ',' && !quoted) count += 1;
  }
  return count;
}

const COMMA = 0x2c;
/** dimensions i32, flags i32, element type u32, then for each dimension its length i32 and lower bound i32 */
const DIMENSIONS_FROM = 12;
const DIMENSION_BYTES = 8;
const MAX_DIMENSIONS = 6;

/**
 * How many values a bound value stands for.
 *
 * @param format 0 text, 1 binary
 */
export function boundCount(value: Uint8Array, format: number, { separator }: ManyValued): number {
  if (separator !== undefined) return countParts(value, separator);
  if (format === 1) return elementsInBinary(value);
  return value.reduce((count, byte) => count + (byte === COMMA ? 1 : 0), 1);
}

function elementsInBinary(value: Uint8Array): number {
  if (value.length < DIMENSIONS_FROM) return 0;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const dimensions = Math.min(view.getInt32(0), MAX_DIMENSIONS);
  let count = 1;
  for (let index = 0; index < dimensions; index += 1) {
    const at = DIMENSIONS_FROM + index * DIMENSION_BYTES;
    if (at + 4 > value.length) return 0;
    count *= Math.max(0, view.getInt32(at));
  }
  return count;
}

function countParts(value: Uint8Array, separator: string): number {
  const first = separator.charCodeAt(0);
  // Another byte than ASCII may be spelled otherwise in the session's encoding.
  if (separator === '' || first >= 0x80) return value.length + 1;
  return value.reduce((count, byte) => count + (byte === first ? 1 : 0), 1);
}

/** The same of a parameter of a Bind message; none where nothing is bound yet. */
export function countBound(sent: BoundValues['sent'] | undefined, parameter: ManyValued): number {
  const value = sent?.values[parameter.number - 1] ?? undefined;
  return value === undefined ? 0 : boundCount(value, formatAt(sent?.formats ?? [], parameter.number - 1), parameter);
}

/** The same of a parameter of a prepared statement: the most that an EXECUTE among these gives for it. */
export function countGiven(statements: readonly StatementReading[], { number, separator }: ManyValued): number {
  return statements.reduce((most, { runs }) => {
    const given = runs?.kind === 'prepared' ? runs.given?.[number - 1] : undefined;
    const text = separator === undefined ? undefined : literalIn(given)?.value;
    const count =
      typeof text === 'string' ? partsOf(text, separator ?? '') : countOf(given, separator === undefined, []);
    return Math.max(most, count);
  }, 0);
}

/** Those of one statement that may be too many; none where they surely are not. */
export function manyCompared(comparisons: readonly Comparison[]): readonly Comparison[] {
  const telling = comparisons.filter(({ column }) => !isNothing(column));
  const count = telling.reduce((total, one) => total + one.count, 0);
  return count > MAX_COMPARED_VALUES || telling.some(({ parameters }) => parameters.length > 0) ? telling : [];
}
