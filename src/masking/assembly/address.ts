/** Dotted quads of `src/masking/entities/ip-address.ts`, in place; IPv6 only as a maybe. */
import { byteAt, closesNumber, isDigit, isHexDigit, opensNumber } from './bytes';
import { found } from './span';

const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;
/** Least colons of an address without `::`: six before a dotted quad. */
const COLONS: u32 = 6;
const MAX_ADDRESS: usize = 45;

/** @param at the first digit of a run */
export function findQuad(at: usize): bool {
  if (!opensNumber(at)) return false;
  let index = at;
  for (let part = 0; part < 4; part += 1) {
    if (part > 0) {
      if (byteAt(index) != DOT) return false;
      index += 1;
    }
    let count = 0;
    let value: u32 = 0;
    while (count < 3 && isDigit(byteAt(index))) {
      value = value * 10 + <u32>byteAt(index) - 0x30;
      count += 1;
      index += 1;
    }
    if (count == 0 || value > 255) return false;
  }
  return closesNumber(index) ? found(at, index) : false;
}

/** May the colon at `at` be the first one of an IPv6 address? */
export function maybeSix(at: usize): bool {
  let colons: u32 = 0;
  let digits: u32 = 0;
  let double = false;
  for (let index = at - 4; index < at; index += 1) if (isDigit(byteAt(index))) digits += 1;
  for (let index = at; index < at + MAX_ADDRESS; index += 1) {
    const byte = byteAt(index);
    if (byte == COLON) {
      colons += 1;
      double = double || byteAt(index + 1) == COLON;
    } else if (isDigit(byte)) digits += 1;
    else if (byte != DOT && !isHexDigit(byte)) break;
  }
  return double ? digits > 0 : colons >= COLONS;
}
