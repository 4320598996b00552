/** What single bytes of UTF-8 text mean to detectors: letters, digits, separators, the edges of words. */

const DIGIT = 1;
const LETTER = 2;
const HEX = 4;

/** Bits by byte: 1 digit, 2 ASCII letter, 4 hex digit. */
export const CLASS = new Uint8Array(256);
for (let byte = 0; byte < 128; byte += 1) {
  const char = String.fromCharCode(byte);
  if (/[0-9]/.test(char)) CLASS[byte] = DIGIT | HEX;
  else if (/[a-f]/i.test(char)) CLASS[byte] = LETTER | HEX;
  else if (/[a-z]/i.test(char)) CLASS[byte] = LETTER;
}

/** What JSON takes for white space (RFC 8259, section 2). */
export function isJsonSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** ASCII letters only: other scripts are written without spaces, so a number may stand right beside them. */
export function isLetter(byte: number): boolean {
  return ((CLASS[byte] as number) & LETTER) !== 0;
}

export function isAlphanumeric(byte: number): boolean {
  return ((CLASS[byte] as number) & (LETTER | DIGIT)) !== 0;
}

export function isHexDigit(byte: number): boolean {
  return ((CLASS[byte] as number) & HEX) !== 0;
}

/** Base64url, the alphabet of tokens and keys. */
export function isTokenByte(byte: number): boolean {
  return isAlphanumeric(byte) || byte === 0x2d || byte === 0x5f;
}

/** The letter of an escape such as `\n`, where text still carries them. */
export function isEscapeLetter(byte: number): boolean {
  return byte === 0x6e || byte === 0x74 || byte === 0x72 || byte === 0x62 || byte === 0x66 || byte === 0x76;
}

/** May a word begin at `at`? Not after a letter or digit, unless that letter is the end of an escape like `\n`. */
export function opensWord(bytes: Uint8Array, at: number, start: number): boolean {
  if (at <= start) return true;
  const before = bytes[at - 1] as number;
  if (!isAlphanumeric(before)) return true;
  return at - 2 >= start && bytes[at - 2] === 0x5c && isEscapeLetter(before);
}

export function closesWord(bytes: Uint8Array, at: number, end: number): boolean {
  return at >= end || !isAlphanumeric(bytes[at] as number);
}

/** May a number begin at `at`? Not inside a word and not after a decimal point. */
export function opensNumber(bytes: Uint8Array, at: number, start: number): boolean {
  if (at <= start) return true;
  if (bytes[at - 1] === 0x2e && at - 2 >= start && isDigit(bytes[at - 2] as number)) return false;
  return opensWord(bytes, at, start);
}

/** May a number end before `at`? Not before a letter, a digit, or a decimal point with digits. */
export function closesNumber(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return true;
  if (bytes[at] === 0x2e && at + 1 < end && isDigit(bytes[at + 1] as number)) return false;
  return !isAlphanumeric(bytes[at] as number);
}

/** Length in bytes of one hyphen, dash or minus sign at `at`; 0 where there is none. */
export function hyphenLength(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  const byte = bytes[at] as number;
  if (byte === 0x2d) return 1;
  if (byte !== 0xe2 || at + 2 >= end) return 0;
  const second = bytes[at + 1] as number;
  const third = bytes[at + 2] as number;
  // U+2010 to U+2015, U+2212
  if (second === 0x80 && third >= 0x90 && third <= 0x95) return 3;
  return second === 0x88 && third === 0x92 ? 3 : 0;
}

/** Length in bytes of one space at `at`, also a no-break, thin or wide one; 0 where there is none. */
export function spaceLength(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  const byte = bytes[at] as number;
  if (byte === 0x20) return 1;
  if (byte < 0xc2) return 0;
  if (byte === 0xc2) return at + 1 < end && bytes[at + 1] === 0xa0 ? 2 : 0;
  if (at + 2 >= end) return 0;
  const second = bytes[at + 1] as number;
  const third = bytes[at + 2] as number;
  // U+2000 to U+200A, U+202F
  if (byte === 0xe2 && second === 0x80) return (third >= 0x80 && third <= 0x8a) || third === 0xaf ? 3 : 0;
  return byte === 0xe3 && second === 0x80 && third === 0x80 ? 3 : 0;
}

/** Length in bytes of what may stand between two groups of digits: a space, a hyphen, or ` - `. */
export function gapLength(bytes: Uint8Array, at: number, end: number): number {
  const hyphen = hyphenLength(bytes, at, end);
  if (hyphen > 0) return hyphen;
  const space = spaceLength(bytes, at, end);
  if (space === 0) return 0;
  const dash = hyphenLength(bytes, at + space, end);
  if (dash === 0) return space;
  const after = spaceLength(bytes, at + space + dash, end);
  return after === 0 ? space : space + dash + after;
}

/** Do bytes that have not come yet decide whether a number ends before `at`? */
export function awaitsNumberEnd(bytes: Uint8Array, at: number, end: number): boolean {
  return at >= end || (bytes[at] === 0x2e && at + 1 >= end);
}

/** May a hyphen stand at `at` of which bytes have not come yet? */
export function awaitsHyphen(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return true;
  if (bytes[at] !== 0xe2) return false;
  return at + 1 >= end || (at + 2 >= end && (bytes[at + 1] === 0x80 || bytes[at + 1] === 0x88));
}

/** The same for a space. */
export function awaitsSpace(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return true;
  const byte = bytes[at] as number;
  if (byte === 0xc2) return at + 1 >= end;
  if (byte !== 0xe2 && byte !== 0xe3) return false;
  return at + 1 >= end || (at + 2 >= end && bytes[at + 1] === 0x80);
}

/** The same for a gap with a digit behind it. */
export function awaitsGap(bytes: Uint8Array, at: number, end: number): boolean {
  const hyphen = hyphenLength(bytes, at, end);
  if (hyphen > 0) return at + hyphen >= end;
  const space = spaceLength(bytes, at, end);
  if (space === 0) return awaitsHyphen(bytes, at, end) || awaitsSpace(bytes, at, end);
  const dash = hyphenLength(bytes, at + space, end);
  if (dash === 0) return awaitsHyphen(bytes, at + space, end);
  const after = spaceLength(bytes, at + space + dash, end);
  return after === 0 ? awaitsSpace(bytes, at + space + dash, end) : at + space + dash + after >= end;
}

/** Length of the beginning of one character of several bytes right before `end` of which bytes have not come yet; 0 for none. */
export function brokenCharLength(bytes: Uint8Array, start: number, end: number): number {
  for (let length = 1; length <= 3 && end - length >= start; length += 1) {
    const byte = bytes[end - length] as number;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    return length < (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) ? length : 0;
  }
  return 0;
}

/** Every byte of the spaces, hyphens and dashes above. */
export const GAP_BYTES: readonly number[] = [
  ...[0x20, 0x2d, 0xa0, 0xaf, 0xc2, 0xe2, 0xe3],
  ...Array.from({ length: 0x16 }, (_, index) => 0x80 + index),
];

/** Length in bytes of the non-ASCII letter at `at`; 0 where an ASCII byte, punctuation or nothing stands. */
export function wideLetterLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  if (at >= end || lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  for (let index = 1; index < length; index += 1) {
    if (((bytes[at + index] as number) & 0xc0) !== 0x80) return 0;
  }
  return isWidePunctuation(lead, bytes[at + 1] as number, bytes[at + 2] as number) ? 0 : length;
}

/** Length in bytes of the non-ASCII letter that ends before `at`; 0 where there is none. */
export function wideLetterLengthBefore(bytes: Uint8Array, at: number, start: number): number {
  let from = at - 1;
  while (from > start && at - from < 4 && ((bytes[from] as number) & 0xc0) === 0x80) from -= 1;
  if (from < start) return 0;
  return wideLetterLength(bytes, from, at) === at - from ? at - from : 0;
}

/** Latin-1 signs, general punctuation and symbols, CJK punctuation, full-width punctuation, the byte order mark. */
function isWidePunctuation(lead: number, second: number, third: number): boolean {
  if (lead === 0xc2) return second !== 0xaa && second !== 0xb5 && second !== 0xba;
  if (lead === 0xe2) return second < 0xb0;
  if (lead === 0xe3) return second === 0x80;
  if (lead !== 0xef) return false;
  if (second === 0xbb || second === 0xbf) return third === 0xbf || second === 0xbf;
  return second === 0xbc && (third <= 0x8f || (third >= 0x9a && third <= 0xa0) || third >= 0xbb);
}
