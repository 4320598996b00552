/** `src/masking/entities/phone.ts`, in place. */
import { byteAt, closesNumber, gapLength, isDigit, isLetter, opensNumber, opensWord, spaceLength } from './bytes';
import { found } from './span';

const PLUS: u8 = 0x2b;
const OPEN: u8 = 0x28;
const CLOSE: u8 = 0x29;
const DOT: u8 = 0x2e;
const SLASH: u8 = 0x2f;
const MIN_DIGITS: u32 = 7;
const MAX_DIGITS: u32 = 15;

/** @param at a plus sign, or the first digit of a run */
export function findPhone(at: usize): bool {
  if (byteAt(at) == PLUS) {
    if (!opensWord(at)) return false;
    const international = internationalEnd(at);
    return international != 0 ? found(at, international) : false;
  }
  const to = usEnd(at);
  if (to == 0 || !closesNumber(to)) return false;
  const from = usStart(at);
  if (from == 0 || (byteAt(at + 3) == CLOSE && byteAt(at - 1) != OPEN)) return false;
  return found(from, to);
}

function internationalEnd(at: usize): usize {
  let index = byteAt(at + 1) == OPEN ? at + 2 : at + 1;
  if (!isDigit(byteAt(index)) || byteAt(index) == 0x30) return 0;
  let count: u32 = 0;
  let groups = 1;
  let best: usize = 0;
  while (count <= MAX_DIGITS) {
    if (isDigit(byteAt(index))) {
      count += 1;
      index += 1;
      if (count < MIN_DIGITS || count > MAX_DIGITS) continue;
      const next = byteAt(index);
      if (!(isDigit(next) || isLetter(next))) best = index;
      continue;
    }
    const gap = phoneGap(index, count);
    if (gap == 0) break;
    if (groups == 1 && gap == 1 && byteAt(index) == DOT && count > 3) return 0;
    index += gap;
    groups += 1;
  }
  return best;
}

function phoneGap(at: usize, count: u32): usize {
  let index = at;
  for (let signs = 0; signs < 4; signs += 1) {
    const byte = byteAt(index);
    if (isDigit(byte)) return index - at;
    if (byte == DOT || byte == OPEN || byte == CLOSE || (byte == SLASH && count >= 4)) index += 1;
    else {
      const gap = gapLength(index);
      if (gap == 0) return 0;
      index += gap;
    }
  }
  return isDigit(byteAt(index)) ? index - at : 0;
}

function usGap(at: usize): usize {
  return byteAt(at) == DOT ? 1 : gapLength(at);
}

function usEnd(at: usize): usize {
  if (!isGroup(at)) return 0;
  let index = at + 3;
  const bracket = byteAt(index) == CLOSE;
  if (bracket) index += 1;
  const first = usGap(index);
  if (first == 0 && !bracket) return 0;
  index += first;
  if (!isGroup(index)) return 0;
  index += 3;
  const second = usGap(index);
  if (second == 0 && !bracket) return 0;
  index += second;
  for (const stop = index + 4; index < stop; index += 1) if (!isDigit(byteAt(index))) return 0;
  return index;
}

function isGroup(at: usize): bool {
  const first = byteAt(at);
  return first >= 0x32 && first <= 0x39 && isDigit(byteAt(at + 1)) && isDigit(byteAt(at + 2));
}

/** Where the number begins, bracket and country code included; 0: not here. */
function usStart(at: usize): usize {
  const from = byteAt(at - 1) == OPEN ? at - 1 : at;
  const opens = from < at || opensNumber(at) ? from : 0;
  let before = from - 1;
  const sign = byteAt(before);
  if (sign == 0x2d || sign == DOT || spaceLength(before) == 1) before -= 1;
  const country = byteAt(before) == 0x31 && opensNumber(before);
  return country && before < from - 1 ? before : opens;
}
