/**
 * Other ways of writing a character that readers take for the same: references of HTML (`&#64;`, `&commat;`), escapes of
 * URLs and of scripts (`%40`, `\u0040`), full-width and other digits, and signs that are not seen (zero-width ones).
 *
 * @see https://html.spec.whatwg.org/multipage/parsing.html#character-reference-state
 * @see https://unicode.org/reports/tr15/ for the forms that are compatible with ASCII
 */

const AMPERSAND = 0x26;
const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const SPACE = 0x20;
const HYPHEN = 0x2d;
/** Digits of one reference; a longer one is none. */
const MAX_DIGITS = 256;
/** How often an escape may be escaped again: `&amp;amp;#64;`, `%252540`, `\\\\u0040`. */
const MAX_DEPTH = 8;

/** What is not known yet: bytes to come decide. */
const AWAITED = -1;
/** No other way of writing anything. */
const NONE = 0;

/** Names of references to what may stand in a value; to nothing: they are not seen. */
const NAMES: ReadonlyMap<string, number> = new Map(
  (
    [
      [' ', 'nbsp NonBreakingSpace ensp emsp emsp13 emsp14 thinsp ThinSpace hairsp numsp puncsp Tab NewLine'],
      ['-', 'hyphen dash ndash mdash horbar minus'],
      ['', 'shy zwj zwnj ZeroWidthSpace NoBreak lrm rlm'],
      ['@', 'commat'],
      ['.', 'period'],
      ['_', 'lowbar UnderBar'],
      ['+', 'plus'],
      ['#', 'num'],
      [':', 'colon'],
      [';', 'semi'],
      [',', 'comma'],
      ['/', 'sol'],
      ['\\', 'bsol'],
      ['%', 'percnt'],
      ['!', 'excl'],
      ['?', 'quest'],
      ['=', 'equals'],
      ['*', 'ast midast'],
      ['(', 'lpar'],
      [')', 'rpar'],
      ['$', 'dollar'],
      ['|', 'vert verbar'],
      ["'", 'apos'],
      ['"', 'quot QUOT'],
      ['<', 'lt LT'],
      ['>', 'gt GT'],
      ['&', 'amp AMP'],
    ] as const
  ).flatMap(([sign, names]) => names.split(' ').map((name) => [name, sign === '' ? 0 : sign.charCodeAt(0)] as const)),
);
const LONGEST_NAME = Math.max(...Array.from(NAMES.keys(), ({ length }) => length));
/** Readers take these without a semicolon too. */
const LEGACY = new Set(['nbsp', 'shy', 'quot', 'QUOT', 'lt', 'LT', 'gt', 'GT', 'amp', 'AMP']);

/** The zero of each row of ten digits, but for ASCII's and those of mathematics. */
const ZEROS: readonly number[] = [
  ...[0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20],
  ...[0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0],
  ...[0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10],
];

/** Not seen, or only above the sign before: from, to. */
const UNSEEN: readonly (readonly [number, number])[] = [
  [0xad, 0xad],
  [0x300, 0x36f],
  [0x61c, 0x61c],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x20d0, 0x20ff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xe0000, 0xe01ef],
];

/** Signs of ASCII in another form: the first of a row, what it is, how many follow. */
const ROWS: readonly (readonly [first: number, ascii: string])[] = [
  [0xb2, '23'],
  [0xb9, '1'],
  [0x2010, '--'],
  [0x2024, '.'],
  [0x2070, '0'],
  [0x2074, '456789+-'],
  [0x2080, '0123456789+-'],
  [0x2460, '123456789'],
  [0x24b6, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0'],
  [0xfe50, ',,.\0;:?!-(){}[]#&*+-<>=\0\\$%@'],
  ...ZEROS.map((zero) => [zero, '0123456789'] as const),
  [0xff01, Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join('')],
];

const ASCII_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Letters and digits of mathematics, alphabet by alphabet. */
const MATH_LETTERS = 0x1d400;
const MATH_DIGITS = 0x1d7ce;
const MATH_END = 0x1d7ff;

/** By code point below U+10000: the ASCII sign, 0 for one that is not seen; what is not in it is itself. */
const FORMS = new Map<number, number>([
  ...ROWS.flatMap(([first, ascii]) =>
    Array.from(ascii, (sign, index) => [first + index, sign.charCodeAt(0)] as const).filter(([, byte]) => byte !== 0),
  ),
  ...UNSEEN.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => [from + index, 0] as const)),
]);

/** 1 for the bytes that another way of writing may begin with. */
const LEADS = new Uint8Array(256);
for (const byte of [AMPERSAND, PERCENT, BACKSLASH]) LEADS[byte] = 1;
for (const point of [...FORMS.keys(), MATH_LETTERS])
  LEADS[new TextEncoder().encode(String.fromCodePoint(point))[0] ?? 0] = 1;

/** Where the next other way of writing begins, or may; `end` where there is none. */
export function nextSpelling(bytes: Uint8Array, from: number, end: number, over: boolean): number {
  for (let at = from; at < end; at += 1)
    if (LEADS[bytes[at] as number] === 1 && spellingAt(bytes, at, end, over) !== NONE) return at;
  return end;
}

/** Bytes that other ways of writing begin with. */
export const SPELLING_LEADS: readonly number[] = Array.from(LEADS.keys()).filter((byte) => LEADS[byte] === 1);

/**
 * What stands at `at` in another way of writing.
 *
 * @param over no bytes follow `end`
 * @returns its length and what it is, see `spellingLength` and `spellingByte`; 0 where nothing of the kind stands there,
 *   -1 where bytes to come decide
 */
export function spellingAt(bytes: Uint8Array, at: number, end: number, over: boolean): number {
  const found = spelledAt(bytes, at, end);
  return found === AWAITED && over ? NONE : found;
}

/** In bytes. */
export function spellingLength(spelling: number): number {
  return spelling >> 8;
}

/** The byte of ASCII that it is; 0 where it is not seen. */
export function spellingByte(spelling: number): number {
  return spelling & 0xff;
}

function spelledAt(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]) {
    case AMPERSAND:
      return referenceAt(bytes, at, end);
    case PERCENT:
      return percentAt(bytes, at, end);
    case BACKSLASH:
      return escapeAt(bytes, at, end);
    default:
      return wideAt(bytes, at, end);
  }
}

function spelled(length: number, byte: number): number {
  return (length << 8) | byte;
}

/** `&#64;`, `&#x40`, `&commat;`, also of an ampersand that is a reference itself. */
function referenceAt(bytes: Uint8Array, at: number, end: number): number {
  let from = at + 1;
  for (let depth = 0; depth < MAX_DEPTH && startsWith(bytes, from, end, 'amp;'); depth += 1) from += 4;
  if (from >= end) return AWAITED;
  return bytes[from] === 0x23 ? numberAt(bytes, at, from + 1, end) : nameAt(bytes, at, from, end);
}

function numberAt(bytes: Uint8Array, at: number, from: number, end: number): number {
  const hex = from < end && ((bytes[from] as number) | 0x20) === 0x78;
  const first = hex ? from + 1 : from;
  let to = first;
  let point = 0;
  for (; to < end && to - first < MAX_DIGITS; to += 1) {
    const digit = digitOf(bytes[to] as number, hex);
    if (digit < 0) break;
    point = Math.min(point * (hex ? 16 : 10) + digit, 0x110000);
  }
  if (to >= end) return AWAITED;
  if (to === first) return NONE;
  return pointSpelled(point, (bytes[to] === SEMICOLON ? to + 1 : to) - at);
}

function nameAt(bytes: Uint8Array, at: number, from: number, end: number): number {
  let to = from;
  while (to < end && to - from <= LONGEST_NAME && isNameByte(bytes[to] as number)) to += 1;
  const name = String.fromCharCode(...bytes.subarray(from, to));
  if (to < end && bytes[to] === SEMICOLON) {
    const byte = NAMES.get(name);
    if (byte !== undefined) return spelled(to + 1 - at, byte);
  }
  if (to >= end && isBeginning(name)) return AWAITED;
  for (const legacy of LEGACY)
    if (name.startsWith(legacy)) return spelled(from + legacy.length - at, NAMES.get(legacy) ?? 0);
  // `&amp;` itself, where what follows is no reference.
  return from > at + 1 ? spelled(5, AMPERSAND) : NONE;
}

function isBeginning(name: string): boolean {
  for (const known of NAMES.keys()) if (known.startsWith(name)) return true;
  return false;
}

/** `%40`, also of a percent sign that is escaped itself. */
function percentAt(bytes: Uint8Array, at: number, end: number): number {
  let from = at + 1;
  for (let depth = 0; depth < MAX_DEPTH && startsWith(bytes, from, end, '25'); depth += 1) from += 2;
  if (from + 1 >= end && (from >= end || digitOf(bytes[from] as number, true) >= 0)) return AWAITED;
  const high = digitOf(bytes[from] as number, true);
  const low = digitOf(bytes[from + 1] as number, true);
  if (high < 0 || low < 0) return NONE;
  const byte = high * 16 + low;
  return byte >= SPACE && byte < 0x7f ? spelled(from + 2 - at, byte) : NONE;
}

/** `\u0040`, `\u{40}`, `\x40`, also of backslashes that are escaped themselves. */
function escapeAt(bytes: Uint8Array, at: number, end: number): number {
  let from = at + 1;
  while (from < end && from - at < MAX_DEPTH && bytes[from] === BACKSLASH) from += 1;
  if (from >= end) return AWAITED;
  const letter = bytes[from];
  if (letter !== 0x75 && letter !== 0x78) return NONE;
  const braced = letter === 0x75 && from + 1 < end && bytes[from + 1] === 0x7b;
  const first = from + (braced ? 2 : 1);
  const size = braced ? 6 : letter === 0x75 ? 4 : 2;
  let to = first;
  let point = 0;
  for (; to < end && to - first < size; to += 1) {
    const digit = digitOf(bytes[to] as number, true);
    if (digit < 0) break;
    point = point * 16 + digit;
  }
  if (to >= end && (braced || to - first < size)) return AWAITED;
  if (braced) return bytes[to] === 0x7d && to > first ? pointSpelled(point, to + 1 - at) : NONE;
  return to - first === size ? pointSpelled(point, to - at) : NONE;
}

/** A character of several bytes. */
function wideAt(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return NONE;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  let point = lead & (0xff >> (length + 1));
  for (let index = 1; index < length; index += 1) {
    if (at + index >= end) return AWAITED;
    const byte = bytes[at + index] as number;
    if ((byte & 0xc0) !== 0x80) return NONE;
    point = (point << 6) | (byte & 0x3f);
  }
  const form = formOf(point);
  return form < 0 ? NONE : spelled(length, form);
}

function pointSpelled(point: number, length: number): number {
  if (point >= SPACE && point < 0x7f) return spelled(length, point);
  if (point === 0xa0 || (point >= 0x2000 && point <= 0x200a) || (point >= 0x09 && point <= 0x0d))
    return spelled(length, SPACE);
  if ((point >= 0x2012 && point <= 0x2015) || point === 0x2212) return spelled(length, HYPHEN);
  const form = formOf(point);
  return form < 0 ? NONE : spelled(length, form);
}

/** The ASCII sign, 0 for one that is not seen, -1 for one that is itself. */
function formOf(point: number): number {
  const form = FORMS.get(point);
  if (form !== undefined) return form;
  if (point < MATH_LETTERS || point > MATH_END) return -1;
  if (point >= MATH_DIGITS) return 0x30 + ((point - MATH_DIGITS) % 10);
  const letter = (point - MATH_LETTERS) % ASCII_LETTERS.length;
  return point < 0x1d6a4 ? ASCII_LETTERS.charCodeAt(letter) : -1;
}

function startsWith(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (at + text.length > end) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

function isNameByte(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
}

function digitOf(byte: number, hex: boolean): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return hex && letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
