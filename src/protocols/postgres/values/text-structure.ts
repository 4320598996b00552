/**
 * How the text forms of arrays, composites, ranges, hstore and tsvector are cut into values and put together
 * again. A reader accepts what the server writes and nothing looser, and says undefined for the rest.
 */
import { concatBytes } from '../../../core/bytes.js';

/** One value in a structure. */
export interface Leaf {
  /** Where it stands in the structure's bytes, quotes included. */
  readonly from: number;
  readonly to: number;
  /** Without quotes and escapes. */
  readonly value: Uint8Array;
  /** Its place among the values of the structure, NULLs counted. */
  readonly index: number;
}

export interface TextStructure {
  readonly leaves: readonly Leaf[];
  /** The value as it may stand in the place of that leaf; undefined where nothing but NULL for the whole will do. */
  write(value: Uint8Array | null, leaf: Leaf): Uint8Array | undefined;
}

export const BACKSLASH = 0x5c;
export const QUOTE = 0x22;
export const COMMA = 0x2c;

const encoder = new TextEncoder();
export const MASKED = encoder.encode('[masked]');

export const latin = (text: string): Uint8Array => encoder.encode(text);

/**
 * The text between quotes that opens at `at`, unescaped, and where it ends behind the closing quote.
 *
 * @param doubled does a quote inside stand twice? A backslash takes the next byte as it is either way.
 */
export function readQuoted(
  bytes: Uint8Array,
  at: number,
  quote: number,
  doubled: boolean,
): { readonly value: Uint8Array; readonly end: number } | undefined {
  let escapes = 0;
  for (let index = at + 1; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === BACKSLASH || (byte === quote && doubled && bytes[index + 1] === quote)) {
      escapes += 1;
      index += 1;
    } else if (byte === quote) {
      return { value: unescaped(bytes.subarray(at + 1, index), quote, escapes), end: index + 1 };
    }
  }
  return undefined;
}

function unescaped(inside: Uint8Array, quote: number, escapes: number): Uint8Array {
  if (escapes === 0) return inside;
  const out = new Uint8Array(inside.length - escapes);
  let length = 0;
  for (let at = 0; at < inside.length; at += 1) {
    if (inside[at] === BACKSLASH || inside[at] === quote) at += 1;
    out[length++] = inside[at] as number;
  }
  return out;
}

/** The value between quotes; each quote and backslash inside behind the byte that `escapeOf` gives. */
export function quoted(value: Uint8Array, quote: number, escapeOfQuote: number): Uint8Array {
  const out = new Uint8Array(2 * value.length + 2);
  let length = 1;
  out[0] = quote;
  for (const byte of value) {
    if (byte === BACKSLASH) out[length++] = BACKSLASH;
    else if (byte === quote) out[length++] = escapeOfQuote;
    out[length++] = byte;
  }
  out[length++] = quote;
  return out.subarray(0, length);
}

/** The structure with some leaves replaced, in order of place. */
export function withReplaced(
  bytes: Uint8Array,
  replaced: readonly { readonly leaf: Leaf; readonly by: Uint8Array }[],
): Uint8Array {
  const parts: Uint8Array[] = [];
  let kept = 0;
  for (const { leaf, by } of replaced) {
    parts.push(bytes.subarray(kept, leaf.from), by);
    kept = leaf.to;
  }
  parts.push(bytes.subarray(kept));
  return concatBytes(parts);
}
