/**
 * What single bytes mean: `src/masking/finding/byte-classes.ts` for text between NULs, so that no end has to be checked.
 * Offsets are addresses in memory.
 */
import { CLASSES } from './layout';

const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const HEX: u8 = 4;
export const LOCAL: u8 = 8;
export const LEADING: u8 = 16;
export const ENDS_AUTHORITY: u8 = 32;
/** First bytes of text that may have a structure: JSON, XML, an array, a record. */
export const STRUCTURE: u8 = 64;

/** Bytes read; counted only where the module is built with COUNT_STEPS, for the test of linear work. */
export let steps: u64 = 0;

export function byteAt(at: usize): u8 {
  if (COUNT_STEPS) steps += 1;
  return load<u8>(at);
}

export function hasClass(byte: u8, bits: u8): bool {
  return (load<u8>(CLASSES + <usize>byte) & bits) != 0;
}

export function isDigit(byte: u8): bool {
  return <u8>(byte - 0x30) < 10;
}

export function isLetter(byte: u8): bool {
  return hasClass(byte, LETTER);
}

export function isAlphanumeric(byte: u8): bool {
  return hasClass(byte, LETTER | DIGIT);
}

export function isHexDigit(byte: u8): bool {
  return hasClass(byte, HEX);
}

export function isTokenByte(byte: u8): bool {
  return isAlphanumeric(byte) || byte == 0x2d || byte == 0x5f;
}

export function isEscapeLetter(byte: u8): bool {
  return byte == 0x6e || byte == 0x74 || byte == 0x72 || byte == 0x62 || byte == 0x66 || byte == 0x76;
}

export function opensWord(at: usize): bool {
  const before = byteAt(at - 1);
  if (!isAlphanumeric(before)) return true;
  return byteAt(at - 2) == 0x5c && isEscapeLetter(before);
}

export function opensNumber(at: usize): bool {
  if (byteAt(at - 1) == 0x2e && isDigit(byteAt(at - 2))) return false;
  return opensWord(at);
}

export function closesWord(at: usize): bool {
  return !isAlphanumeric(byteAt(at));
}

export function closesNumber(at: usize): bool {
  if (byteAt(at) == 0x2e && isDigit(byteAt(at + 1))) return false;
  return !isAlphanumeric(byteAt(at));
}

export function hyphenLength(at: usize): usize {
  const byte = byteAt(at);
  if (byte == 0x2d) return 1;
  if (byte != 0xe2) return 0;
  const second = byteAt(at + 1);
  const third = byteAt(at + 2);
  if (second == 0x80 && third >= 0x90 && third <= 0x95) return 3;
  return second == 0x88 && third == 0x92 ? 3 : 0;
}

export function spaceLength(at: usize): usize {
  const byte = byteAt(at);
  if (byte == 0x20) return 1;
  if (byte < 0xc2) return 0;
  const second = byteAt(at + 1);
  if (byte == 0xc2) return second == 0xa0 ? 2 : 0;
  const third = byteAt(at + 2);
  if (byte == 0xe2 && second == 0x80) return (third >= 0x80 && third <= 0x8a) || third == 0xaf ? 3 : 0;
  return byte == 0xe3 && second == 0x80 && third == 0x80 ? 3 : 0;
}

export function gapLength(at: usize): usize {
  const hyphen = hyphenLength(at);
  if (hyphen > 0) return hyphen;
  const space = spaceLength(at);
  if (space == 0) return 0;
  const dash = hyphenLength(at + space);
  if (dash == 0) return space;
  const after = spaceLength(at + space + dash);
  return after == 0 ? space : space + dash + after;
}

export function wideLetterLength(at: usize): usize {
  const lead = byteAt(at);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length: usize = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let index: usize = 1; index < length; index += 1) {
    if ((byteAt(at + index) & 0xc0) != 0x80) return 0;
  }
  return isWidePunctuation(lead, byteAt(at + 1), byteAt(at + 2)) ? 0 : length;
}

export function wideLetterLengthBefore(at: usize): usize {
  let from = at - 1;
  while (at - from < 4 && (byteAt(from) & 0xc0) == 0x80) from -= 1;
  return wideLetterLength(from) == at - from ? at - from : 0;
}

function isWidePunctuation(lead: u8, second: u8, third: u8): bool {
  if (lead == 0xc2) return second != 0xaa && second != 0xb5 && second != 0xba;
  if (lead == 0xe2) return second < 0xb0;
  if (lead == 0xe3) return second == 0x80;
  if (lead != 0xef) return false;
  if (second == 0xbb || second == 0xbf) return third == 0xbf || second == 0xbf;
  return second == 0xbc && (third <= 0x8f || (third >= 0x9a && third <= 0xa0) || third >= 0xbb);
}
