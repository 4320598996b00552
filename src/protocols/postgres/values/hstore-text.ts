/**
 *     "key"=>"value", "other \" key"=>NULL
 *
 * @see https://www.postgresql.org/docs/current/hstore.html#HSTORE-EXTERNAL-REP
 */
import {
  BACKSLASH,
  latin,
  MASKED,
  QUOTE,
  quoted,
  readQuoted,
  type Leaf,
  type TextStructure,
} from './text-structure.js';

const ARROW = latin('=>');
const NULL = latin('NULL');
const BETWEEN = latin(', ');

export function readHstoreText(bytes: Uint8Array): TextStructure | undefined {
  const leaves: Leaf[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index += 2) {
    if (index > 0) {
      if (!standsAt(bytes, at, BETWEEN)) return undefined;
      at += BETWEEN.length;
    }
    const key = bytes[at] === QUOTE ? readQuoted(bytes, at, QUOTE, false) : undefined;
    if (key === undefined || !standsAt(bytes, key.end, ARROW)) return undefined;
    leaves.push({ from: at, to: key.end, value: key.value, index });
    at = key.end + ARROW.length;
    if (standsAt(bytes, at, NULL)) {
      at += NULL.length;
      continue;
    }
    const value = bytes[at] === QUOTE ? readQuoted(bytes, at, QUOTE, false) : undefined;
    if (value === undefined) return undefined;
    leaves.push({ from: at, to: value.end, value: value.value, index: index + 1 });
    at = value.end;
  }
  return leaves.length === 0 ? undefined : { leaves, write };
}

/** A key can't be NULL. */
function write(value: Uint8Array | null, leaf: Leaf): Uint8Array {
  if (value === null && leaf.index % 2 === 1) return NULL;
  return quoted(value ?? MASKED, QUOTE, BACKSLASH);
}

function standsAt(bytes: Uint8Array, at: number, what: Uint8Array): boolean {
  return what.every((byte, index) => bytes[at + index] === byte);
}
