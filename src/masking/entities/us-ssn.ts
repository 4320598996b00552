import { closesNumber, GAP_BYTES, hyphenLength, isDigit, opensNumber, spaceLength } from '../byte-classes.js';
import { DIGITS } from '../entity.js';
import type { EntityDetector } from '../entity.js';

/**
 * The end of the number `AAA-GG-SSSS` that begins at `at`, or -1. Both separators are hyphens or both spaces.
 * Never assigned: area 000, 666, 900 to 999; group 00; serial 0000. Published samples count: they are real numbers.
 *
 * @see https://www.ssa.gov/employer/randomization.html
 */
function ssnEnd(bytes: Uint8Array, at: number, end: number): number {
  const area = digits(bytes, at, 3, end);
  if (area <= 0 || area === 666 || area >= 900) return -1;
  let separator = hyphenLength(bytes, at + 3, end);
  const hyphens = separator > 0;
  if (!hyphens) separator = spaceLength(bytes, at + 3, end);
  if (separator === 0) return -1;
  const group = at + 3 + separator;
  if (digits(bytes, group, 2, end) <= 0) return -1;
  separator = hyphens ? hyphenLength(bytes, group + 2, end) : spaceLength(bytes, group + 2, end);
  if (separator === 0) return -1;
  const serial = group + 2 + separator;
  return digits(bytes, serial, 4, end) <= 0 ? -1 : serial + 4;
}

/** The number of exactly `count` digits at `at`; -1 where they don't stand there. */
function digits(bytes: Uint8Array, at: number, count: number, end: number): number {
  if (at + count > end) return -1;
  let value = 0;
  for (let index = at; index < at + count; index += 1) {
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
      mayStandAt: (bytes, at, _start, end) => ssnEnd(bytes, at, end) >= 0,
    },
  ],
  find(bytes, at, start, end, span) {
    if (!opensNumber(bytes, at, start)) return false;
    const to = ssnEnd(bytes, at, end);
    if (to < 0 || !closesNumber(bytes, to, end)) return false;
    span.from = at;
    span.to = to;
    return true;
  },
};

/** Is the whole value one such number? */
export function isSsn(bytes: Uint8Array): boolean {
  return ssnEnd(bytes, 0, bytes.length) === bytes.length;
}
