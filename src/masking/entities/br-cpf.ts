import { awaitsNumberEnd, closesNumber, isDigit, opensNumber } from '../finding/byte-classes.js';
import { codes, DIGITS, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

const DIGIT_COUNT = 11;

/** The end of the number at `at`, `DDD.DDD.DDD-CC` or eleven digits in one run, with both check digits right; or -1. */
function cpfEnd(bytes: Uint8Array, at: number, end: number, span: Span): number {
  let index = at;
  let first = 0;
  let second = 0;
  let tenth = -1;
  let same = true;
  const dotted = at + 3 < end && bytes[at + 3] === 0x2e;
  for (let count = 0; count < DIGIT_COUNT; count += 1) {
    if (index >= end) {
      span.open = true;
      return -1;
    }
    if (dotted && (count === 3 || count === 6 || count === 9)) {
      if (bytes[index] !== (count === 9 ? 0x2d : 0x2e)) return -1;
      index += 1;
    }
    if (index >= end || !isDigit(bytes[index] as number)) {
      span.open = index >= end;
      return -1;
    }
    const digit = (bytes[index] as number) - 0x30;
    if (count < 9) first += digit * (10 - count);
    if (count < 10) second += digit * (11 - count);
    if (count === 9) tenth = digit;
    if (count === 10 && digit !== ((second * 10) % 11) % 10) return -1;
    same &&= bytes[index] === bytes[at];
    index += 1;
  }
  if (same || tenth !== ((first * 10) % 11) % 10) return -1;
  span.open = awaitsNumberEnd(bytes, index, end);
  return index;
}

/** Brazilian tax numbers of people. */
export const brCpf: EntityDetector = {
  name: 'br-cpf',
  partial: 'third',
  pseudonym: 'digits',
  triggers: DIGITS,
  probes: [
    {
      kind: 'digits',
      minBytes: DIGIT_COUNT,
      minDigits: DIGIT_COUNT,
      signs: codes('.-'),
      mayStandAt: (bytes, at, _start, end) => cpfEnd(bytes, at, end, UNREAD) >= 0,
    },
  ],
  find(bytes, at, start, end, span) {
    if (!opensNumber(bytes, at, start)) return false;
    span.from = at;
    span.to = cpfEnd(bytes, at, end, span);
    return span.to >= 0 && closesNumber(bytes, span.to, end);
  },
};
