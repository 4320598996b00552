import {
  awaitsHyphen,
  awaitsNumberEnd,
  awaitsSpace,
  closesNumber,
  GAP_BYTES,
  hyphenLength,
  isDigit,
  opensNumber,
  spaceLength,
} from '../finding/byte-classes.js';
import { DIGITS, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';
import { numberAt } from './number-checks.js';
import type { NumberKind } from './number-kind.js';

/**
 * The end of the number `AAA-GG-SSSS` that begins at `at`, or -1. Both separators are hyphens or both spaces.
 * Never assigned: area 000, 666, 900 to 999; group 00; serial 0000. Published samples count: they are real numbers.
 *
 * @see https://www.ssa.gov/employer/randomization.html
 */
function ssnEnd(bytes: Uint8Array, at: number, end: number, span: Span): number {
  const area = digits(bytes, at, 3, end, span);
  if (area <= 0 || area === 666 || area >= 900) return -1;
  let separator = hyphenLength(bytes, at + 3, end);
  const hyphens = separator > 0;
  if (!hyphens) separator = spaceLength(bytes, at + 3, end);
  if (separator === 0) {
    span.open = awaitsHyphen(bytes, at + 3, end) || awaitsSpace(bytes, at + 3, end);
    return -1;
  }
  const group = at + 3 + separator;
  if (digits(bytes, group, 2, end, span) <= 0) return -1;
  separator = hyphens ? hyphenLength(bytes, group + 2, end) : spaceLength(bytes, group + 2, end);
  if (separator === 0) {
    span.open = hyphens ? awaitsHyphen(bytes, group + 2, end) : awaitsSpace(bytes, group + 2, end);
    return -1;
  }
  const serial = group + 2 + separator;
  if (digits(bytes, serial, 4, end, span) <= 0) return -1;
  span.open = awaitsNumberEnd(bytes, serial + 4, end);
  return serial + 4;
}

/** The number of exactly `count` digits at `at`; -1 where they don't stand there. */
function digits(bytes: Uint8Array, at: number, count: number, end: number, span: Span): number {
  let value = 0;
  for (let index = at; index < at + count; index += 1) {
    if (index >= end) {
      span.open = true;
      return -1;
    }
    if (!isDigit(bytes[index] as number)) return -1;
    value = value * 10 + (bytes[index] as number) - 0x30;
  }
  return value;
}

/** US social security numbers with separators. */
export const usSsn: EntityDetector = {
  name: 'us-ssn',
  partial: 'last4',
  pseudonym: 'ssn',
  triggers: DIGITS,
  probes: [
    {
      kind: 'digits',
      minBytes: 11,
      minDigits: 9,
      signs: GAP_BYTES,
      mayStandAt: (bytes, at, _start, end) => ssnEnd(bytes, at, end, UNREAD) >= 0,
    },
  ],
  find(bytes, at, start, end, span) {
    if (!opensNumber(bytes, at, start)) return false;
    span.from = at;
    span.to = ssnEnd(bytes, at, end, span);
    return span.to >= 0 && closesNumber(bytes, span.to, end);
  },
};

/** Is the whole value one such number? */
export function isSsn(bytes: Uint8Array): boolean {
  return ssnEnd(bytes, 0, bytes.length, UNREAD) === bytes.length;
}

/** The same in a column that is called so, where it may stand without separators. */
export const US_SSN_BY_NAME: NumberKind = {
  name: usSsn.name,
  near: ['999-99-9999', '999 99 9999', '999999999'],
  words: ['ssn', 'social security', 'socialsecurity', 'social security number', 'soc sec'],
  check: (values) => {
    const area = numberAt(values, 0, 3);
    return area > 0 && area !== 666 && area < 900 && numberAt(values, 3, 5) > 0 && numberAt(values, 5, 9) > 0;
  },
};
