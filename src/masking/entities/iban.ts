import { closesWord, gapLength, isAlphanumeric, isDigit, isLetter, opensWord } from '../byte-classes.js';
import { byteProbe, DIGITS } from '../entity.js';
import type { EntityDetector } from '../entity.js';

/** Length by country, from the IBAN registry of SWIFT. @see https://www.swift.com/standards/data-standards/iban-international-bank-account-number */
const LENGTHS =
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 ' +
  'GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 ' +
  'MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 ' +
  'TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30';

const COUNTRY_LENGTH = new Uint8Array(26 * 26);
for (const entry of LENGTHS.split(' ')) {
  COUNTRY_LENGTH[(entry.charCodeAt(0) - 65) * 26 + entry.charCodeAt(1) - 65] = Number(entry.slice(2));
}

/**
 * The end of the IBAN whose check digits begin at `at` and whose country stands before them, or -1: the
 * country's length, mod 97; in one run or in groups with single spaces or hyphens.
 *
 * @see ISO 13616-1
 */
function ibanEnd(bytes: Uint8Array, at: number, end: number): number {
  const first = ((bytes[at - 2] as number) | 0x20) - 0x61;
  const second = ((bytes[at - 1] as number) | 0x20) - 0x61;
  const length = COUNTRY_LENGTH[first * 26 + second] as number;
  if (length === 0) return -1;
  let remainder = 0;
  let count = 4;
  let index = at + 2;
  for (; count < length; count += 1) {
    // Groups have four characters when they are written apart.
    const gap = (count & 3) === 0 ? gapLength(bytes, index, end) : 0;
    index += gap === 1 || gap === 2 || gap === 3 ? gap : 0;
    if (index >= end || !isAlphanumeric(bytes[index] as number)) return -1;
    remainder = shifted(remainder, bytes[index] as number);
    index += 1;
  }
  for (let head = at - 2; head < at + 2; head += 1) remainder = shifted(remainder, bytes[head] as number);
  return remainder === 1 ? index : -1;
}

function shifted(remainder: number, byte: number): number {
  if (isDigit(byte)) return (remainder * 10 + byte - 0x30) % 97;
  return (remainder * 100 + (byte | 0x20) - 0x61 + 10) % 97;
}

function hasHead(bytes: Uint8Array, at: number, start: number, end: number): boolean {
  if (at - 2 < start || at + 1 >= end) return false;
  return isLetter(bytes[at - 1] as number) && isLetter(bytes[at - 2] as number) && isDigit(bytes[at + 1] as number);
}

/** International bank account numbers. */
export const iban: EntityDetector = {
  name: 'iban',
  partial: 'last4',
  pseudonym: 'iban',
  triggers: DIGITS,
  probes: [
    byteProbe(DIGITS, (bytes, at, start, end) => hasHead(bytes, at, start, end) && ibanEnd(bytes, at, end) >= 0),
  ],
  find(bytes, at, start, end, span) {
    if (!hasHead(bytes, at, start, end) || !opensWord(bytes, at - 2, start)) return false;
    const to = ibanEnd(bytes, at, end);
    if (to < 0 || !closesWord(bytes, to, end)) return false;
    span.from = at - 2;
    span.to = to;
    return true;
  },
};
