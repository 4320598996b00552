import { decodeUtf8 } from '../../../core/bytes.js';
import { constantEnd } from './constant-end.js';

const QUOTE = 0x27;
const MINUS = 0x2d;
/** Blanks and comments. */
const GAP = /^(?:\s|--[^\n\r]*|\/\*[\s\S]*?\*\/)*/;
/** Characters behind a constant that are looked at; a longer gap may hold anything. */
const MAX_GAP = 1_000;

/**
 * A constant that says what is written, without a parser: `'…'` with doubled quotes, which does not go on behind a line
 * break, or a number in digits.
 *
 * @param text of which the parser said that a constant begins at `location`, in bytes
 */
export function plainConstant(
  text: Uint8Array,
  location: number,
): { readonly value: string; readonly end: number } | undefined {
  const first = text[location];
  const end = constantEnd(text, location);
  if (first === undefined || end === undefined) return undefined;
  const written = decodeUtf8(text.subarray(location, end));
  if (first !== QUOTE) return first === MINUS || (first >= 0x30 && first <= 0x39) ? { value: written, end } : undefined;
  // With a backslash it depends on a setting what it says.
  if (written.includes('\\') || goesOn(text, end)) return undefined;
  return { value: written.slice(1, -1).replaceAll("''", "'"), end };
}

/** `'a'`, a line break, `'b'` is one constant. */
function goesOn(text: Uint8Array, end: number): boolean {
  const behind = decodeUtf8(text.subarray(end, end + MAX_GAP));
  const gap = GAP.exec(behind)?.[0].length ?? 0;
  return gap >= MAX_GAP - 4 || behind[gap] === "'";
}
