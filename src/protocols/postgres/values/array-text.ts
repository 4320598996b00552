/**
 *     {a,"b \"c\"",NULL,{…}}       [0:1]={…}
 *
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
import { BACKSLASH, COMMA, latin, QUOTE, quoted, readQuoted, type Leaf, type TextStructure } from './text-structure.js';

const OPEN = 0x7b;
const CLOSE = 0x7d;
const NULL = latin('NULL');
const BOUNDS = /^(\[-?\d{1,10}:-?\d{1,10}\]){1,6}=$/;

/** @param delimiter `;` for arrays of box, `,` for all others */
export function readArrayText(bytes: Uint8Array, delimiter: number = COMMA): TextStructure | undefined {
  let at = afterBounds(bytes);
  if (at < 0 || bytes[at] !== OPEN) return undefined;
  const leaves: Leaf[] = [];
  let depth = 0;
  let index = 0;
  /** May a value or an opening brace stand here? */
  let wanted = true;
  for (; at < bytes.length;) {
    const byte = bytes[at] as number;
    if (byte === OPEN) {
      if (!wanted) return undefined;
      depth += 1;
      at += 1;
    } else if (byte === CLOSE) {
      // `{}` is an array, `{a,}` is none.
      if (wanted && bytes[at - 1] !== OPEN) return undefined;
      depth -= 1;
      at += 1;
      wanted = false;
      if (depth === 0) return at === bytes.length ? { leaves, write } : undefined;
    } else if (byte === delimiter) {
      if (wanted) return undefined;
      wanted = true;
      at += 1;
    } else {
      if (!wanted) return undefined;
      const leaf = byte === QUOTE ? readQuoted(bytes, at, QUOTE, false) : readBare(bytes, at, delimiter);
      if (leaf === undefined) return undefined;
      if (byte === QUOTE || !isNull(leaf.value)) leaves.push({ from: at, to: leaf.end, value: leaf.value, index });
      index += 1;
      at = leaf.end;
      wanted = false;
    }
  }
  return undefined;
}

function write(value: Uint8Array | null): Uint8Array {
  return value === null ? NULL : quoted(value, QUOTE, BACKSLASH);
}

function afterBounds(bytes: Uint8Array): number {
  if (bytes[0] !== 0x5b) return 0;
  const equals = bytes.subarray(0, 160).indexOf(0x3d);
  return equals > 0 && BOUNDS.test(String.fromCharCode(...bytes.subarray(0, equals + 1))) ? equals + 1 : -1;
}

/** An element without quotes: the server writes none that holds braces, quotes or backslashes. */
function readBare(bytes: Uint8Array, from: number, delimiter: number): { value: Uint8Array; end: number } | undefined {
  let at = from;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === delimiter || byte === CLOSE) return { value: bytes.subarray(from, at), end: at };
    if (byte === OPEN || byte === QUOTE || byte === BACKSLASH) return undefined;
  }
  return undefined;
}

function isNull(value: Uint8Array): boolean {
  return value.length === 4 && value.every((byte, index) => (byte & 0xdf) === NULL[index]);
}
