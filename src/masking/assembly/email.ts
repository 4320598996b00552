/** `src/masking/entities/email.ts`, in place. */
import {
  byteAt,
  hasClass,
  isAlphanumeric,
  isDigit,
  isEscapeLetter,
  isHexDigit,
  LEADING,
  LOCAL,
  wideLetterLength,
  wideLetterLengthBefore,
} from './bytes';
import { found } from './span';

const AT: u8 = 0x40;
const QUOTE: u8 = 0x22;
const MAX_QUOTED: usize = 64;

export function findEmail(at: usize): bool {
  const to = domainEnd(at + 1);
  if (to == 0) return false;
  const from = byteAt(at - 1) == QUOTE ? quotedStart(at) : localStart(at);
  if (from >= at || isPseudonym(from, at, to)) return false;
  return found(from, to);
}

function localStart(at: usize): usize {
  let from = at;
  while (true) {
    const before = byteAt(from - 1);
    const length: usize = before < 0x80 ? (hasClass(before, LOCAL) ? 1 : 0) : wideLetterLengthBefore(from);
    if (length == 0) break;
    from -= length;
  }
  if (from < at && byteAt(from - 1) == 0x5c && isEscapeLetter(byteAt(from))) from += 1;
  while (from < at && hasClass(byteAt(from), LEADING)) from += 1;
  return from;
}

function quotedStart(at: usize): usize {
  for (let from = at - 2; from >= at - 2 - MAX_QUOTED; from -= 1) {
    const byte = byteAt(from);
    if (byte == QUOTE && byteAt(from - 1) != 0x5c) return from < at - 2 ? from : at;
    if (byte < 0x20) return at;
  }
  return at;
}

/** The end of the domain that begins at `from`, or 0. */
function domainEnd(from: usize): usize {
  let at = from;
  let label = from;
  let labels = 0;
  let best: usize = 0;
  while (true) {
    const byte = byteAt(at);
    const length: usize = byte < 0x80 ? (isAlphanumeric(byte) || byte == 0x2d ? 1 : 0) : wideLetterLength(at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at == label) break;
    labels += 1;
    let labelEnd = at;
    while (labelEnd > label && byteAt(labelEnd - 1) == 0x2d) labelEnd -= 1;
    const first = byteAt(label);
    if (labels > 1 && labelEnd >= label + 2 && !isDigit(first) && first != 0x2d) best = labelEnd;
    if (byte != 0x2e) break;
    at += 1;
    label = at;
  }
  return best != 0 && (isVersion(from, best) || isFileName(best)) ? 0 : best;
}

function isVersion(from: usize, end: usize): bool {
  let at = byteAt(from) == 0x76 ? from + 1 : from;
  for (let part = 0; part < 3; part += 1) {
    const first = at;
    while (at < end && isDigit(byteAt(at))) at += 1;
    if (at == first) return false;
    if (part < 2) {
      if (at >= end || byteAt(at) != 0x2e) return false;
      at += 1;
    }
  }
  return at < end && !isAlphanumeric(byteAt(at));
}

/** png, jpg, gif, svg, jpeg, webp behind a dot. */
function isFileName(end: usize): bool {
  const three = (<u32>byteAt(end - 3) << 16) | (<u32>byteAt(end - 2) << 8) | <u32>byteAt(end - 1);
  if (byteAt(end - 4) == 0x2e) return three == 0x706e67 || three == 0x6a7067 || three == 0x676966 || three == 0x737667;
  if (byteAt(end - 5) != 0x2e) return false;
  const first = byteAt(end - 4);
  return (first == 0x6a && three == 0x706567) || (first == 0x77 && three == 0x656270);
}

/** `u_`, twelve hex digits, `@masked.invalid`. */
function isPseudonym(from: usize, at: usize, to: usize): bool {
  if (at - from != 14 || to - at != 15 || byteAt(from) != 0x75 || byteAt(from + 1) != 0x5f) return false;
  for (let index = from + 2; index < at; index += 1) if (!isHexDigit(byteAt(index))) return false;
  // `@masked.` and `.invalid`, as numbers of eight bytes.
  return load<u64>(at) == 0x2e64656b73616d40 && load<u64>(at + 7) == 0x64696c61766e692e;
}
