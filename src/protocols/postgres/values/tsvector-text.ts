/**
 *     'lexeme':1A,2 'with '' and \\':3 'without':
 *
 * @see https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSVECTOR
 */
import { MASKED, quoted, readQuoted, type Leaf, type TextStructure } from './text-structure.js';

const APOSTROPHE = 0x27;
const SPACE = 0x20;
const COLON = 0x3a;
const POSITIONS = /^[0-9]+[A-D]?$/;

export function readTsvectorText(bytes: Uint8Array): TextStructure | undefined {
  const leaves: Leaf[] = [];
  for (let at = 0; at < bytes.length;) {
    if (leaves.length > 0) {
      if (bytes[at] !== SPACE) return undefined;
      at += 1;
    }
    const lexeme = bytes[at] === APOSTROPHE ? readQuoted(bytes, at, APOSTROPHE, true) : undefined;
    if (lexeme === undefined) return undefined;
    leaves.push({ from: at, to: lexeme.end, value: lexeme.value, index: leaves.length });
    at = lexeme.end;
    if (bytes[at] !== COLON) continue;
    const space = bytes.indexOf(SPACE, at);
    const end = space === -1 ? bytes.length : space;
    const positions = String.fromCharCode(...bytes.subarray(at + 1, Math.min(end, at + 4_000))).split(',');
    if (end - at > 4_000 || !positions.every((position) => POSITIONS.test(position))) return undefined;
    at = end;
  }
  return { leaves, write: (value) => quoted(value ?? MASKED, APOSTROPHE, APOSTROPHE) };
}
