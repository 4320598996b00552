/** `credit-card.ts`, `us-ssn.ts`, `br-cpf.ts` and `iban.ts` of `src/masking/entities`, in place. */
import {
  byteAt,
  closesNumber,
  closesWord,
  gapLength,
  hyphenLength,
  isDigit,
  isHexDigit,
  isLetter,
  opensNumber,
  opensWord,
  spaceLength,
} from './bytes';
import { IBAN_DIGITS, IBAN_LENGTHS, ISSUER_LENGTHS } from './layout';
import { found } from './span';

const MIN_CARD: u32 = 13;
const MAX_CARD: u32 = 19;

export function findCard(at: usize): bool {
  if (!opensNumber(at)) return false;
  const to = longestCard(at);
  if (to == 0 || standsInUuid(at)) return false;
  return found(at, to);
}

function longestCard(at: usize): usize {
  let count: u32 = 0;
  let group: u32 = 0;
  let prefix: u32 = 0;
  let allowed: u32 = 0;
  let best: usize = 0;
  let evenDoubled: u32 = 0;
  let oddDoubled: u32 = 0;
  let index = at;
  while (count < MAX_CARD) {
    const digit = <u32>byteAt(index) - 0x30;
    if (digit > 9) {
      const gap = gapLength(index);
      if (gap == 0 || !isDigit(byteAt(index + gap))) break;
      if (count < 4 || group < 2) break;
      index += gap;
      group = 0;
      continue;
    }
    if (count < 4) prefix = prefix * 10 + digit;
    const doubled = digit < 5 ? digit * 2 : digit * 2 - 9;
    evenDoubled += (count & 1) == 0 ? doubled : digit;
    oddDoubled += (count & 1) == 0 ? digit : doubled;
    count += 1;
    group += 1;
    index += 1;
    if (count == 4) {
      allowed = load<u32>(ISSUER_LENGTHS + <usize>prefix * 4);
      if (allowed == 0) return 0;
    }
    if (count < MIN_CARD || ((allowed >> count) & 1) == 0) continue;
    if (((count & 1) == 0 ? evenDoubled : oddDoubled) % 10 != 0) continue;
    if (closesNumber(index)) best = index;
  }
  return best;
}

function standsInUuid(at: usize): bool {
  return isUuid(at) || isUuid(at - 9) || isUuid(at - 14) || isUuid(at - 19) || isUuid(at - 24);
}

function isUuid(from: usize): bool {
  // Almost nothing gets beyond its hyphens.
  if (byteAt(from + 8) != 0x2d || byteAt(from + 13) != 0x2d) return false;
  if (isHexDigit(byteAt(from - 1))) return false;
  for (let index: usize = 0; index < 36; index += 1) {
    const byte = byteAt(from + index);
    if (index == 8 || index == 13 || index == 18 || index == 23 ? byte != 0x2d : !isHexDigit(byte)) return false;
  }
  return !isHexDigit(byteAt(from + 36));
}

export function findSsn(at: usize): bool {
  if (!opensNumber(at)) return false;
  const to = ssnEnd(at);
  return to != 0 && closesNumber(to) ? found(at, to) : false;
}

function ssnEnd(at: usize): usize {
  const area = digitsAt(at, 3);
  if (area <= 0 || area == 666 || area >= 900) return 0;
  let separator = hyphenLength(at + 3);
  const hyphens = separator > 0;
  if (!hyphens) separator = spaceLength(at + 3);
  if (separator == 0) return 0;
  const group = at + 3 + separator;
  if (digitsAt(group, 2) <= 0) return 0;
  separator = hyphens ? hyphenLength(group + 2) : spaceLength(group + 2);
  if (separator == 0) return 0;
  const serial = group + 2 + separator;
  return digitsAt(serial, 4) <= 0 ? 0 : serial + 4;
}

function digitsAt(at: usize, count: usize): i32 {
  let value: i32 = 0;
  for (let index = at; index < at + count; index += 1) {
    const byte = byteAt(index);
    if (!isDigit(byte)) return -1;
    value = value * 10 + <i32>byte - 0x30;
  }
  return value;
}

export function findCpf(at: usize): bool {
  if (!opensNumber(at)) return false;
  const to = cpfEnd(at);
  return to != 0 && closesNumber(to) ? found(at, to) : false;
}

function cpfEnd(at: usize): usize {
  let index = at;
  let first: u32 = 0;
  let second: u32 = 0;
  let tenth: u32 = 10;
  let same = true;
  const dotted = byteAt(at + 3) == 0x2e;
  for (let count: u32 = 0; count < 11; count += 1) {
    if (dotted && (count == 3 || count == 6 || count == 9)) {
      if (byteAt(index) != (count == 9 ? 0x2d : 0x2e)) return 0;
      index += 1;
    }
    const byte = byteAt(index);
    if (!isDigit(byte)) return 0;
    const digit = <u32>byte - 0x30;
    if (count < 9) first += digit * (10 - count);
    if (count < 10) second += digit * (11 - count);
    if (count == 9) tenth = digit;
    if (count == 10 && digit != ((second * 10) % 11) % 10) return 0;
    same = same && byte == byteAt(at);
    index += 1;
  }
  return same || tenth != ((first * 10) % 11) % 10 ? 0 : index;
}

/** @param at the first check digit; the country stands before it */
export function findIban(at: usize): bool {
  if (!isLetter(byteAt(at - 1)) || !isLetter(byteAt(at - 2)) || !isDigit(byteAt(at + 1))) return false;
  if (!opensWord(at - 2)) return false;
  const to = ibanEnd(at);
  return to != 0 && closesWord(to) ? found(at - 2, to) : false;
}

function ibanEnd(at: usize): usize {
  const country = (<usize>(byteAt(at - 2) | 0x20) - 0x61) * 26 + <usize>(byteAt(at - 1) | 0x20) - 0x61;
  const length = <u32>load<u8>(IBAN_LENGTHS + country);
  const numeric: u32 = 4 + <u32>load<u8>(IBAN_DIGITS + country);
  if (length == 0) return 0;
  let remainder: u32 = 0;
  let index = at + 2;
  for (let count: u32 = 4; count < length; count += 1) {
    if ((count & 3) == 0) index += spaceLength(index);
    const byte = byteAt(index);
    if (!(isDigit(byte) || (count >= numeric && isLetter(byte)))) return 0;
    remainder = shifted(remainder, byte);
    index += 1;
  }
  for (let head = at - 2; head < at + 2; head += 1) remainder = shifted(remainder, byteAt(head));
  return remainder == 1 ? index : 0;
}

function shifted(remainder: u32, byte: u8): u32 {
  if (isDigit(byte)) return (remainder * 10 + <u32>byte - 0x30) % 97;
  return (remainder * 100 + <u32>(byte | 0x20) - 0x61 + 10) % 97;
}
