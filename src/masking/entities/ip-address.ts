import {
  awaitsNumberEnd,
  closesNumber,
  closesWord,
  isDigit,
  isEscapeLetter,
  isHexDigit,
  opensNumber,
  opensWord,
} from '../finding/byte-classes.js';
import { byteProbe, DIGITS, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

const COLON = 0x3a;
const DOT = 0x2e;
const BACKSLASH = 0x5c;

/**
 * The end of the dotted quad at `at`, or -1: four numbers of one to three digits, each at most 255.
 *
 * @param whole false: digits that are not the value's may follow, so the last number is not judged
 */
function v4End(bytes: Uint8Array, at: number, end: number, whole: boolean, span: Span): number {
  let index = at;
  for (let part = 0; part < 4; part += 1) {
    span.open ||= index >= end;
    if (part > 0 && (index >= end || bytes[index++] !== DOT)) return -1;
    let count = 0;
    let value = 0;
    while (count < 3 && index < end && isDigit(bytes[index] as number)) {
      value = value * 10 + (bytes[index] as number) - 0x30;
      count += 1;
      index += 1;
    }
    if (value > 255 && (whole || part < 3)) return -1;
    span.open ||= index >= end;
    if (count === 0) return -1;
  }
  return index;
}

/**
 * The end of the IPv6 address at `at`, or -1: eight groups, or fewer around one `::`, the last two perhaps a
 * dotted quad. One with `::` must hold a digit, so that `std::vector` and `a::b` are none.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4291#section-2.2
 */
function v6End(bytes: Uint8Array, at: number, end: number, whole: boolean, span: Span): number {
  let index = at;
  let groups = 0;
  let digit = false;
  let best = -1;
  let compressed = false;
  if (bytes[at] === COLON) {
    span.open = at + 1 >= end;
    if (bytes[at + 1] !== COLON || at + 1 >= end) return -1;
    compressed = true;
    index = at + 2;
  }
  while (groups < 8) {
    const quad = groups === 6 || compressed ? v4End(bytes, index, end, whole, span) : -1;
    if (quad >= 0) return quad;
    const first = index;
    while (index < end && index - first < 4 && isHexDigit(bytes[index] as number))
      digit = isDigit(bytes[index++] as number) || digit;
    span.open ||= index >= end;
    if (index === first) break;
    groups += 1;
    if ((groups === 8 && !compressed) || (compressed && digit && groups < 8)) best = index;
    if (index >= end || bytes[index] !== COLON) break;
    span.open ||= index + 1 >= end;
    if (bytes[index + 1] === COLON && index + 1 < end) {
      if (compressed) break;
      compressed = true;
      index += 2;
      if (digit && groups < 8) best = index;
    } else index += 1;
  }
  return best;
}

/** Where the address begins whose first colon may stand at `at`; -1 where an earlier colon is the first. */
function v6Start(bytes: Uint8Array, at: number, start: number): number {
  let from = at;
  while (from > start && at - from < 4 && isHexDigit(bytes[from - 1] as number)) from -= 1;
  // The letter of \b or \f is a hex digit too.
  if (from < at && from > start && bytes[from - 1] === BACKSLASH && isEscapeLetter(bytes[from] as number))
    return from + 1;
  return (from > start && bytes[from - 1] === COLON) || !opensWord(bytes, from, start) ? -1 : from;
}

/** IPv4 and IPv6 addresses; a prefix length behind one stays. */
export const ipAddress: EntityDetector = {
  name: 'ip-address',
  partial: 'quad',
  pseudonym: 'ip',
  triggers: [COLON, ...DIGITS],
  probes: [
    byteProbe([COLON], 'any', (bytes, at, start, end) => {
      // What stands before may be a length and not the address: every start within reach is tried.
      for (let from = at; from >= start && at - from <= 4; from -= 1)
        if (v6End(bytes, from, end, false, UNREAD) >= 0) return true;
      return false;
    }),
    {
      kind: 'digits',
      minBytes: 7,
      minDigits: 4,
      signs: [DOT],
      mayStandAt: (bytes, at, _start, end) => v4End(bytes, at, end, false, UNREAD) >= 0,
    },
  ],
  find(bytes, at, start, end, span) {
    const six = bytes[at] === COLON;
    const from = six ? v6Start(bytes, at, start) : at;
    if (from < 0 || (!six && !opensNumber(bytes, at, start))) return false;
    span.from = from;
    const to = six ? v6End(bytes, from, end, true, span) : v4End(bytes, at, end, true, span);
    span.to = to;
    if (to < 0) return false;
    span.open ||= six ? to >= end : awaitsNumberEnd(bytes, to, end);
    return six ? closesWord(bytes, to, end) && (bytes[to] !== COLON || to >= end) : closesNumber(bytes, to, end);
  },
  lead(bytes, start, end) {
    const from = v6Start(bytes, end, start);
    return from < 0 ? end : from;
  },
};
