import { codes } from '../finding/entity.js';

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const LETTER_U = 0x75;

/** By the letter behind the backslash: the byte it stands for; 0 for none. */
export const PLAIN_ESCAPES = new Uint8Array(256);
for (const [letter, byte] of [
  [0x6e, 0x0a],
  [0x74, 0x09],
  [0x72, 0x0d],
  [0x62, 0x08],
  [0x66, 0x0c],
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [0x2f, 0x2f],
] as const)
  PLAIN_ESCAPES[letter] = byte;

/** Length of the escape at `at`, a pair of surrogates as one; 0 where bytes are missing to say, -1 where it is none. */
export function escapeLength(bytes: Uint8Array, at: number, end: number, over: boolean): number {
  if (at + 1 >= end) return over ? -1 : 0;
  const letter = bytes[at + 1] as number;
  if (PLAIN_ESCAPES[letter] !== 0) return 2;
  if (letter !== LETTER_U) return -1;
  const unit = hexUnit(bytes, at + 2, end);
  if (unit < 0) return at + 6 > end && !over ? 0 : -1;
  if (unit < 0xd800 || unit >= 0xdc00) return 6;
  if (at + 7 >= end) return over || (at + 6 < end && bytes[at + 6] !== BACKSLASH) ? 6 : 0;
  if (bytes[at + 6] !== BACKSLASH || bytes[at + 7] !== LETTER_U) return 6;
  const low = hexUnit(bytes, at + 8, end);
  if (low < 0) return at + 12 > end && !over ? 0 : 6;
  return low >= 0xdc00 && low < 0xe000 ? 12 : 6;
}

/** Writes the character of the escape at `at`. @returns its length in bytes. Lone surrogates become U+FFFD */
export function unescapeInto(bytes: Uint8Array, at: number, length: number, out: Uint8Array, to: number): number {
  if (length === 2) {
    out[to] = PLAIN_ESCAPES[bytes[at + 1] as number] as number;
    return 1;
  }
  const units = [hexUnit(bytes, at + 2, at + 6)];
  if (length === 12) units.push(hexUnit(bytes, at + 8, at + 12));
  return new TextEncoder().encodeInto(String.fromCharCode(...units), out.subarray(to)).written;
}

/** The four hex digits at `at`; -1 where they don't stand there. */
function hexUnit(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let value = 0;
  for (let index = at; index < at + 4; index += 1) {
    const digit = parseInt(String.fromCharCode(bytes[index] as number), 16);
    if (Number.isNaN(digit)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The inside of a JSON string of UTF-8 text. */
export function escaped(text: Uint8Array): Uint8Array {
  if (!text.some((byte) => byte < 0x20 || byte === QUOTE || byte === BACKSLASH)) return text;
  const out: number[] = [];
  for (const byte of text) {
    if (byte === QUOTE || byte === BACKSLASH) out.push(BACKSLASH, byte);
    else if (byte < 0x20) out.push(...codes(`\\u${byte.toString(16).padStart(4, '0')}`));
    else out.push(byte);
  }
  return new Uint8Array(out);
}
