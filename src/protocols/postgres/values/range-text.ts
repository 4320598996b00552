/**
 *     [a,"b ""c""")      empty      {[a,b),(c,d]}
 *
 * A bound that was masked might stand on the wrong side of the other: a range is masked as a whole.
 *
 * @see https://www.postgresql.org/docs/current/rangetypes.html#RANGETYPES-IO
 */
import { readField } from './record-text.js';
import { COMMA, QUOTE, readQuoted, type Leaf, type TextStructure } from './text-structure.js';

const EMPTY = 'empty';

export function readRangeText(bytes: Uint8Array): TextStructure | undefined {
  const last = bytes.length - 1;
  if (bytes.length === EMPTY.length && String.fromCharCode(...bytes) === EMPTY) return { leaves: [], write: nothing };
  if (last < 2 || !opens(bytes[0]) || !closes(bytes[last])) return undefined;
  const lower = readField(bytes, 1, last);
  if (lower === undefined || lower.end >= last) return undefined;
  const upper = readField(bytes, lower.end + 1, last);
  if (upper?.end !== last) return undefined;
  const bounds: Leaf[] = [
    { from: 1, to: lower.end, value: lower.value, index: 0 },
    { from: lower.end + 1, to: upper.end, value: upper.value, index: 1 },
  ];
  return { leaves: bounds.filter(({ from, to }) => to > from), write: nothing };
}

/** Each range of it is one leaf. */
export function readMultirangeText(bytes: Uint8Array): TextStructure | undefined {
  const last = bytes.length - 1;
  if (last < 1 || bytes[0] !== 0x7b || bytes[last] !== 0x7d) return undefined;
  const leaves: Leaf[] = [];
  for (let at = 1; at < last;) {
    if (leaves.length > 0) {
      if (bytes[at] !== COMMA) return undefined;
      at += 1;
    }
    const end = opens(bytes[at]) ? rangeEnd(bytes, at, last) : -1;
    if (end < 0) return undefined;
    leaves.push({ from: at, to: end, value: bytes.subarray(at, end), index: leaves.length });
    at = end;
  }
  return { leaves, write: nothing };
}

function rangeEnd(bytes: Uint8Array, from: number, last: number): number {
  for (let at = from + 1; at < last; at += 1) {
    if (closes(bytes[at])) return at + 1;
    if (bytes[at] !== QUOTE) continue;
    const inside = readQuoted(bytes, at, QUOTE, true);
    if (inside === undefined) return -1;
    at = inside.end - 1;
  }
  return -1;
}

const opens = (byte: number | undefined): boolean => byte === 0x5b || byte === 0x28;
const closes = (byte: number | undefined): boolean => byte === 0x5d || byte === 0x29;
const nothing = (): undefined => undefined;
