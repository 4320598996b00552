/** `src/masking/entities/email.ts`, in place. */
import {
  byteAt,
  hasClass,
  isAlphanumeric,
  isDigit,
  isEscapeLetter,
  isHexDigit,
  isLetter,
  LEADING,
  LOCAL,
  wideLetterLength,
  wideLetterLengthBefore,
} from './bytes';
import { domainSigns, localSigns } from './lanes';
import { found } from './span';

const AT: u8 = 0x40;
const QUOTE: u8 = 0x22;
const HYPHEN: u8 = 0x2d;
const DOT: u8 = 0x2e;
const MAX_QUOTED: usize = 64;

export function findEmail(at: usize): bool {
  const to = domainEnd(at + 1);
  if (to == 0) return false;
  const from = byteAt(at - 1) == QUOTE ? quotedStart(at) : localStart(at);
  if (from >= at || isPseudonym(from, at, to)) return false;
  return found(from, to);
}

function localStart(at: usize): usize {
  // Sixteen bytes at once; whatever else may stand in a local part goes on byte by byte.
  let from = at - <usize>clz(~((<u32>i8x16.bitmask(localSigns(v128.load(at - 16)))) << 16));
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
  const first = v128.load(from);
  const second = v128.load(from, 16);
  const signs = (<u32>i8x16.bitmask(domainSigns(first))) | ((<u32>i8x16.bitmask(domainSigns(second))) << 16);
  if (signs == 0xffffffff) return longDomainEnd(from);
  const length: u32 = ctz(~signs);
  const dot = i8x16.splat(DOT);
  const dots =
    ((<u32>i8x16.bitmask(i8x16.eq(first, dot))) | ((<u32>i8x16.bitmask(i8x16.eq(second, dot))) << 16)) &
    (((<u32>1) << length) - 1);
  if (byteAt(from + <usize>length) >= 0x80) return longDomainEnd(from);
  if (dots == 0) return 0;
  // A name as names are: no empty label, and the last one of two signs or more begins with a letter.
  const last: u32 = 32 - clz(dots);
  const isPlain =
    ((dots & 1) | (dots & (dots << 1))) == 0 &&
    length >= last + 2 &&
    isLetter(byteAt(from + <usize>last)) &&
    byteAt(from + <usize>length - 1) != HYPHEN;
  if (!isPlain) return longDomainEnd(from);
  return unlessOther(from, from + <usize>length);
}

/** No version of a package, no name of a file. */
function unlessOther(from: usize, end: usize): usize {
  return isVersion(from, end) || isFileName(end) ? 0 : end;
}

/** The same byte by byte. */
function longDomainEnd(from: usize): usize {
  let at = from;
  let label = from;
  let labels = 0;
  let best: usize = 0;
  while (true) {
    const byte = byteAt(at);
    const length: usize = byte < 0x80 ? (isAlphanumeric(byte) || byte == HYPHEN ? 1 : 0) : wideLetterLength(at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at == label) break;
    labels += 1;
    let labelEnd = at;
    while (labelEnd > label && byteAt(labelEnd - 1) == HYPHEN) labelEnd -= 1;
    const first = byteAt(label);
    if (labels > 1 && labelEnd >= label + 2 && !isDigit(first) && first != HYPHEN) best = labelEnd;
    if (byte != DOT) break;
    at += 1;
    label = at;
  }
  return best == 0 ? 0 : unlessOther(from, best);
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
  const three = ((<u32>byteAt(end - 3)) << 16) | ((<u32>byteAt(end - 2)) << 8) | (<u32>byteAt(end - 1));
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
