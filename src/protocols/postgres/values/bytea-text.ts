/**
 *     \x616e6e         hex, the default           ann\\ \303\251      escape
 *
 * @see https://www.postgresql.org/docs/current/datatype-binary.html
 */
import { BACKSLASH } from './text-structure.js';

const DIGITS = new Uint8Array(Array.from('0123456789abcdef', (char) => char.charCodeAt(0)));

/** The bytes that the text form of a bytea spells: `\x` and pairs of hex digits; undefined for anything else. */
export function decodeHex(row: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (end - start < 2 || row[start] !== BACKSLASH || row[start + 1] !== 0x78 || (end - start) % 2 !== 0)
    return undefined;
  const bytes = new Uint8Array((end - start - 2) / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    const value = hexDigit(row[start + 2 + 2 * index] as number) * 16 + hexDigit(row[start + 3 + 2 * index] as number);
    if (Number.isNaN(value)) return undefined;
    bytes[index] = value;
  }
  return bytes;
}

export function encodeHex(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 + 2 * bytes.length);
  out[0] = BACKSLASH;
  out[1] = 0x78;
  bytes.forEach((byte, index) => {
    out[2 + 2 * index] = DIGITS[byte >> 4] as number;
    out[3 + 2 * index] = DIGITS[byte & 15] as number;
  });
  return out;
}

/** The bytes behind the escape form; undefined where a backslash is followed by anything but itself or three octal digits. */
export function decodeEscaped(text: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] as number;
    if (byte !== BACKSLASH) out[length++] = byte;
    else if (text[at + 1] === BACKSLASH) {
      out[length++] = BACKSLASH;
      at += 1;
    } else {
      const octal = String.fromCharCode(...text.subarray(at + 1, at + 4));
      if (!/^[0-3][0-7]{2}$/.test(octal)) return undefined;
      out[length++] = parseInt(octal, 8);
      at += 3;
    }
  }
  return out.subarray(0, length);
}

export function hexDigit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}
