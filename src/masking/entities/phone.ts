import {
  awaitsGap,
  awaitsNumberEnd,
  closesNumber,
  GAP_BYTES,
  gapLength,
  isDigit,
  isLetter,
  opensNumber,
  opensWord,
  spaceLength,
} from '../finding/byte-classes.js';
import { byteProbe, DIGITS, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

const PLUS = 0x2b;
const OPEN = 0x28;
const CLOSE = 0x29;
const DOT = 0x2e;
const SLASH = 0x2f;
const MIN_DIGITS = 7;
/** ITU-T E.164: fifteen at most. */
const MAX_DIGITS = 15;

/**
 * The end of the international number whose `+` stands at `at`, or -1: 7 to 15 digits, the first not 0, in
 * groups with spaces, hyphens, dots, brackets, and slashes after the fourth digit.
 *
 * @param whole also demands that the number ends there
 * @see https://www.itu.int/rec/T-REC-E.164
 */
function internationalEnd(bytes: Uint8Array, at: number, end: number, whole: boolean, span: Span): number {
  let index = at + 1 < end && bytes[at + 1] === OPEN ? at + 2 : at + 1;
  span.open = index >= end;
  if (index >= end || !isDigit(bytes[index] as number) || bytes[index] === 0x30) return -1;
  let count = 0;
  let groups = 1;
  let best = -1;
  while (index < end && count <= MAX_DIGITS) {
    if (isDigit(bytes[index] as number)) {
      count += 1;
      index += 1;
      if (count < MIN_DIGITS || count > MAX_DIGITS) continue;
      if (!whole) return index;
      if (index >= end || !(isDigit(bytes[index] as number) || isLetter(bytes[index] as number))) best = index;
      continue;
    }
    const gap = phoneGap(bytes, index, end, count, span);
    if (gap === 0) return best;
    // `+1234567.89` is a decimal number; `+1.2025550123` and `+33.1.23.45.67.89` are not.
    if (groups === 1 && gap === 1 && bytes[index] === DOT && count > 3) return -1;
    index += gap;
    groups += 1;
  }
  span.open = index >= end;
  return best;
}

/** Length of what stands between two digits of an international number; 0 where no digit follows. */
function phoneGap(bytes: Uint8Array, at: number, end: number, count: number, span: Span): number {
  let index = at;
  for (let signs = 0; signs < 4 && index < end; signs += 1) {
    const byte = bytes[index] as number;
    if (isDigit(byte)) return index - at;
    if (byte === DOT || byte === OPEN || byte === CLOSE || (byte === SLASH && count >= 4)) index += 1;
    else {
      const gap = gapLength(bytes, index, end);
      span.open = awaitsGap(bytes, index, end);
      if (gap === 0) return 0;
      index += gap;
    }
  }
  span.open ||= index >= end;
  return index < end && isDigit(bytes[index] as number) ? index - at : 0;
}

/** Length of the separator at `at` between two groups of a US number. */
function usGap(bytes: Uint8Array, at: number, end: number): number {
  return at < end && bytes[at] === DOT ? 1 : gapLength(bytes, at, end);
}

/**
 * The end of the US number whose area code begins at `at`, or -1: ten digits with separators, area and
 * exchange beginning with 2 to 9. `(415) 555-0132` may leave out the separators that the bracket makes needless.
 *
 * @see https://www.nanpa.com
 */
function usEnd(bytes: Uint8Array, at: number, end: number, span: Span): number {
  if (!isGroup(bytes, at, 3, end, span)) return -1;
  let index = at + 3;
  const bracket = index < end && bytes[index] === CLOSE;
  if (bracket) index += 1;
  const first = usGap(bytes, index, end);
  span.open = awaitsUsGap(bytes, index, end);
  if (first === 0 && !bracket) return -1;
  index += first;
  if (!isGroup(bytes, index, 3, end, span)) return -1;
  index += 3;
  const second = usGap(bytes, index, end);
  span.open = awaitsUsGap(bytes, index, end);
  if (second === 0 && !bracket) return -1;
  index += second;
  for (const stop = index + 4; index < stop; index += 1) {
    span.open ||= index >= end;
    if (index >= end || !isDigit(bytes[index] as number)) return -1;
  }
  span.open = awaitsNumberEnd(bytes, index, end);
  return index;
}

function awaitsUsGap(bytes: Uint8Array, at: number, end: number): boolean {
  return at < end && bytes[at] === DOT ? at + 1 >= end : awaitsGap(bytes, at, end);
}

function isGroup(bytes: Uint8Array, at: number, count: number, end: number, span: Span): boolean {
  for (let index = at; index < at + count; index += 1) {
    span.open ||= index >= end;
    if (index >= end || (bytes[index] as number) < (index === at ? 0x32 : 0x30) || (bytes[index] as number) > 0x39)
      return false;
  }
  return true;
}

/** Where a US number begins: its bracket and the country code 1 in front of the area code belong to it. -1: not here. */
function usStart(bytes: Uint8Array, at: number, start: number): number {
  let from = at;
  if (at > start && bytes[at - 1] === OPEN) from -= 1;
  const opens = from < at || opensNumber(bytes, at, start) ? from : -1;
  let before = from - 1;
  if (before > start && (bytes[before] === 0x2d || bytes[before] === DOT || spaceLength(bytes, before, from) === 1))
    before -= 1;
  const country = before >= start && bytes[before] === 0x31 && opensNumber(bytes, before, start);
  return country && before < from - 1 ? before : opens;
}

/** Phone numbers: international with +, and US numbers of ten digits with separators. */
export const phone: EntityDetector = {
  name: 'phone',
  partial: 'last4',
  pseudonym: 'digits',
  triggers: [PLUS, ...DIGITS],
  probes: [
    byteProbe([PLUS], 'any', (bytes, at, _start, end) => internationalEnd(bytes, at, end, false, UNREAD) >= 0),
    {
      kind: 'digits',
      minBytes: 11,
      minDigits: 10,
      signs: [DOT, OPEN, CLOSE, ...GAP_BYTES],
      mayStandAt: (bytes, at, _start, end) => usEnd(bytes, at, end, UNREAD) >= 0,
    },
  ],
  find(bytes, at, start, end, span) {
    if (bytes[at] === PLUS) {
      if (!opensWord(bytes, at, start)) return false;
      span.from = at;
      span.to = internationalEnd(bytes, at, end, true, span);
      return span.to >= 0;
    }
    span.to = usEnd(bytes, at, end, span);
    if (span.to < 0 && !span.open) return false;
    span.from = usStart(bytes, at, start);
    const bracket = at + 3 < end && bytes[at + 3] === CLOSE && (at === start || bytes[at - 1] !== OPEN);
    if (span.from < 0 || bracket) span.open = false;
    return span.from >= 0 && !bracket && span.to >= 0 && closesNumber(bytes, span.to, end);
  },
  lead: leadOfUs,
};

/** `1 (`, `1-`, `(`: what may stand in front of an area code. */
function leadOfUs(bytes: Uint8Array, start: number, end: number): number {
  let from = end > start && bytes[end - 1] === OPEN ? end - 1 : end;
  const opened = from;
  if (from - 1 > start && (bytes[from - 1] === 0x2d || bytes[from - 1] === DOT || bytes[from - 1] === 0x20)) from -= 1;
  return from > start && bytes[from - 1] === 0x31 && opensNumber(bytes, from - 1, start) ? from - 1 : opened;
}

/** Is the whole value one phone number? */
export function isPhone(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  if (bytes[0] === PLUS) return internationalEnd(bytes, 0, bytes.length, true, UNREAD) === bytes.length;
  return usEnd(bytes, bytes[0] === OPEN ? 1 : 0, bytes.length, UNREAD) === bytes.length;
}
