/**
 *     (a,"b ""c"" \\ d",,f)        an empty field is NULL
 *
 * @see https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
 */
import { BACKSLASH, COMMA, QUOTE, quoted, readQuoted, type Leaf, type TextStructure } from './text-structure.js';

const OPEN = 0x28;
const CLOSE = 0x29;
const NOTHING = new Uint8Array(0);

export function readRecordText(bytes: Uint8Array): TextStructure | undefined {
  const last = bytes.length - 1;
  if (last < 1 || bytes[0] !== OPEN || bytes[last] !== CLOSE) return undefined;
  const leaves: Leaf[] = [];
  let at = 1;
  for (let index = 0; ; index += 1) {
    const field = readField(bytes, at, last);
    if (field === undefined) return undefined;
    if (field.end > at) leaves.push({ from: at, to: field.end, value: field.value, index });
    if (field.end === last) return { leaves, write };
    at = field.end + 1;
  }
}

function write(value: Uint8Array | null): Uint8Array {
  return value === null ? NOTHING : quoted(value, QUOTE, QUOTE);
}

/** A field up to the next comma or the closing bracket at `last`. */
export function readField(
  bytes: Uint8Array,
  from: number,
  last: number,
): { readonly value: Uint8Array; readonly end: number } | undefined {
  if (bytes[from] === QUOTE) {
    const field = readQuoted(bytes, from, QUOTE, true);
    return field !== undefined && (field.end === last || (field.end < last && bytes[field.end] === COMMA))
      ? field
      : undefined;
  }
  for (let at = from; at <= last; at += 1) {
    const byte = bytes[at] as number;
    if (at === last || byte === COMMA) return { value: bytes.subarray(from, at), end: at };
    // The server puts quotes around a field with any of these.
    if (byte === QUOTE || byte === BACKSLASH || byte === OPEN || byte === CLOSE) return undefined;
  }
  return undefined;
}
