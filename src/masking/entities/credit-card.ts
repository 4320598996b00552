import {
  awaitsGap,
  awaitsNumberEnd,
  closesNumber,
  GAP_BYTES,
  gapLength,
  isDigit,
  isHexDigit,
  opensNumber,
} from '../finding/byte-classes.js';
import { DIGITS, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

const MIN_DIGITS = 13;
const MAX_DIGITS = 19;

function lengths(...digits: number[]): number {
  return digits.reduce((bits, count) => bits | (1 << count), 0);
}
const VISA = lengths(13, 16, 18, 19);
const SIXTEEN = lengths(16);
const AMEX = lengths(15);
const DINERS = lengths(14, 15, 16, 17, 18, 19);
const TO_NINETEEN = lengths(16, 17, 18, 19);
const MAESTRO = lengths(13, 14, 15, 16, 17, 18, 19);
const MAESTRO_PREFIXES = new Set([5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763]);

/**
 * The lengths that the issuer of these first four digits gives out, as a set of bits; 0 where there is no such issuer.
 *
 * @see https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)
 */
function issuerLengths(prefix: number): number {
  const two = Math.floor(prefix / 100);
  if (prefix >= 4000 && prefix < 5000) return VISA;
  if (MAESTRO_PREFIXES.has(prefix)) return MAESTRO;
  if (two >= 51 && two <= 55) return SIXTEEN;
  if ((prefix >= 2221 && prefix <= 2720) || (prefix >= 2200 && prefix <= 2204)) return SIXTEEN;
  if (two === 34 || two === 37) return AMEX;
  if (two === 36 || two === 38 || two === 39 || (prefix >= 3000 && prefix <= 3059) || prefix === 3095) return DINERS;
  if (prefix >= 3528 && prefix <= 3589) return TO_NINETEEN;
  if (two === 50 || (two >= 56 && two <= 58) || two === 60 || two === 62 || two === 63 || two === 65 || two === 67)
    return TO_NINETEEN;
  if (prefix >= 6440 && prefix <= 6499) return TO_NINETEEN;
  return two === 81 || two === 82 || prefix === 9792 ? SIXTEEN : 0;
}

export const ISSUER_LENGTHS = Uint32Array.from({ length: 10_000 }, (_, prefix) => issuerLengths(prefix));

/**
 * The end of the longest card number that begins with the digit at `at`, or -1: issuer's prefix and length, Luhn.
 *
 * @param whole also demands what only an exact look can: that groups are as people write them and that the number ends there
 */
function longestCard(bytes: Uint8Array, at: number, end: number, whole: boolean, span: Span): number {
  let count = 0;
  let group = 0;
  let prefix = 0;
  let allowed = 0;
  let best = -1;
  // Luhn counts from the right: both parities are kept until the length is known.
  let evenDoubled = 0;
  let oddDoubled = 0;
  let index = at;
  while (index < end && count < MAX_DIGITS) {
    const digit = (bytes[index] as number) - 0x30;
    if (digit < 0 || digit > 9) {
      const gap = gapLength(bytes, index, end);
      if (gap === 0 || index + gap >= end || !isDigit(bytes[index + gap] as number)) break;
      if (whole && (count < 4 || group < 2)) break;
      index += gap;
      group = 0;
      continue;
    }
    if (count < 4) prefix = prefix * 10 + digit;
    const doubled = digit < 5 ? digit * 2 : digit * 2 - 9;
    evenDoubled += (count & 1) === 0 ? doubled : digit;
    oddDoubled += (count & 1) === 0 ? digit : doubled;
    count += 1;
    group += 1;
    index += 1;
    if (count === 4 && (allowed = ISSUER_LENGTHS[prefix] as number) === 0) return -1;
    if (count < MIN_DIGITS || ((allowed >> count) & 1) === 0) continue;
    if (((count & 1) === 0 ? evenDoubled : oddDoubled) % 10 !== 0) continue;
    if (!whole || closesNumber(bytes, index, end)) best = index;
  }
  const longer = count < 4 || allowed >>> (count + 1) !== 0;
  span.open =
    index >= end ||
    (longer && count >= 4 && group >= 2 && count < MAX_DIGITS && awaitsGap(bytes, index, end)) ||
    (count >= MIN_DIGITS && awaitsNumberEnd(bytes, index, end));
  return best;
}

/** Payment cards: 13 to 19 digits in one run or in groups with spaces or hyphens, issuer's prefix, Luhn. */
export const creditCard: EntityDetector = {
  name: 'credit-card',
  partial: 'last4',
  pseudonym: 'card',
  triggers: DIGITS,
  probes: [
    {
      kind: 'digits',
      minBytes: MIN_DIGITS,
      minDigits: MIN_DIGITS,
      signs: GAP_BYTES,
      mayStandAt: (bytes, at, _start, end) => longestCard(bytes, at, end, false, UNREAD) >= 0,
    },
  ],
  find(bytes, at, start, end, span) {
    if (!opensNumber(bytes, at, start)) return false;
    span.from = at;
    span.to = longestCard(bytes, at, end, true, span);
    return span.to >= 0 && !standsInUuid(bytes, at, start, end, span);
  },
};

const UUID_GROUPS = [8, 4, 4, 4, 12];

/** Groups of a UUID can be all digits: is the group that begins at `at` one of a UUID's? */
function standsInUuid(bytes: Uint8Array, at: number, start: number, end: number, span: Span): boolean {
  return [0, 9, 14, 19, 24].some((offset) => at - offset >= start && isUuid(bytes, at - offset, start, end, span));
}

function isUuid(bytes: Uint8Array, from: number, start: number, end: number, span: Span): boolean {
  let at = from;
  if (from > start && isHexDigit(bytes[from - 1] as number)) return false;
  for (const [index, length] of UUID_GROUPS.entries()) {
    if (at >= end) return awaits(span);
    if (index > 0 && bytes[at++] !== 0x2d) return false;
    for (const stop = at + length; at < stop; at += 1) {
      if (at >= end) return awaits(span);
      if (!isHexDigit(bytes[at] as number)) return false;
    }
  }
  if (at >= end) span.open = true;
  return at >= end || !isHexDigit(bytes[at] as number);
}

function awaits(span: Span): boolean {
  span.open = true;
  return false;
}

/** Is the whole value one card number? */
export function isCard(bytes: Uint8Array): boolean {
  return (
    bytes.length > 0 &&
    isDigit(bytes[0] as number) &&
    longestCard(bytes, 0, bytes.length, true, UNREAD) === bytes.length
  );
}
