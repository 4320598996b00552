/** Escapes that other text may carry: JSON's, XML's, bytea's. Read without any grammar, for text that has none. */
import { hexDigit } from './bytea-text.js';
import { dereferenced } from './xml-text.js';
import { BACKSLASH } from './text-structure.js';

const AMPERSAND = 0x26;
const HASH = 0x23;
/** Shorter runs of hex spell nothing that an entity would need. */
const MIN_HEX_BYTES = 4;

/** Could an escape in bytes[start,end) hide a value from a scan of the bytes as they stand? */
export function mayHide(bytes: Uint8Array, start: number, end: number): boolean {
  const range = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  return range.indexOf(BACKSLASH) !== -1 || holdsReference(bytes, start, end);
}

/** Does bytes[start,end) hold what may be a numeric reference of XML? */
export function holdsReference(bytes: Uint8Array, start: number, end: number): boolean {
  const range = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  for (let at = range.indexOf(AMPERSAND); at !== -1; at = range.indexOf(AMPERSAND, at + 1))
    if (range[at + 1] === HASH) return true;
  return false;
}

/** The text with every `\uXXXX`, `&#…;`, and `\x…` of at least four bytes as what it spells; itself where there is none. */
export function loosened(text: Uint8Array): Uint8Array {
  if (!mayHide(text, 0, text.length)) return text;
  const out = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length;) {
    const byte = text[at] as number;
    const spelled =
      byte === BACKSLASH ? behindBackslash(text, at) : byte === AMPERSAND ? reference(text, at) : undefined;
    if (spelled === undefined) {
      out[length++] = byte;
      at += 1;
    } else {
      out.set(spelled.bytes, length);
      length += spelled.bytes.length;
      at = spelled.end;
    }
  }
  return length === text.length ? text : out.subarray(0, length);
}

interface Spelled {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** However often the backslash was doubled on the way. */
function behindBackslash(text: Uint8Array, from: number): Spelled | undefined {
  let at = from;
  while (text[at] === BACKSLASH) at += 1;
  if (text[at] === 0x75) {
    const unit = hexUnit(text, at + 1);
    if (Number.isNaN(unit)) return undefined;
    return { bytes: new TextEncoder().encode(String.fromCharCode(unit)), end: at + 5 };
  }
  if (text[at] !== 0x78) return undefined;
  const bytes: number[] = [];
  for (at += 1; ; at += 2) {
    const value = hexDigit(text[at] ?? 0) * 16 + hexDigit(text[at + 1] ?? 0);
    if (Number.isNaN(value)) break;
    bytes.push(value);
  }
  return bytes.length < MIN_HEX_BYTES ? undefined : { bytes: Uint8Array.from(bytes), end: at };
}

function hexUnit(text: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 4; index += 1) value = value * 16 + hexDigit(text[index] ?? 0);
  return value;
}

function reference(text: Uint8Array, at: number): Spelled | undefined {
  const end = text.subarray(at, at + 16).indexOf(0x3b);
  if (end === -1) return undefined;
  const bytes = dereferenced(text.subarray(at, at + end + 1));
  return bytes === undefined ? undefined : { bytes, end: at + end + 1 };
}
