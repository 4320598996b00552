import { awaitsSpace, closesWord, isDigit, isLetter, opensWord, spaceLength } from '../finding/byte-classes.js';
import { byteProbe, codes, DIGITS, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';

/** Country, length, and how many digits follow the check digits at least: from the IBAN registry of SWIFT. @see https://www.swift.com/standards/data-standards/iban-international-bank-account-number */
const COUNTRIES =
  'AD24/8 AE23/19 AL28 AT20/16 AZ28 BA20/16 BE16/12 BG22 BH22 BI27 BR29 BY28 CH21 CR22/18 CY28 CZ24/20 DE22/18 ' +
  'DJ27/23 DK18/14 DO28 EE20/16 EG29/25 ES24/20 FI18/14 FK18 FO18/14 FR27 GB22 GE22 GI23 GL18/14 GR27 GT28 HN28 ' +
  'HR21/17 HU28/24 IE22 IL23/19 IQ23 IS26/22 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20/16 LU20 LV21 LY25/21 MC27 ' +
  'MD24 ME22/18 MK19 MN20/16 MR27/23 MT31 MU30 NI28 NL18 NO15/11 OM23 PK24 PL28/24 PS29 PT25/21 QA29 RO24 ' +
  'RS22/18 RU33 SA24 SC31 SD18/14 SE24/20 SI19/15 SK24/20 SM27 SO23/19 ST25/21 SV28 TL23/19 TN24/20 TR26 UA29 ' +
  'VA22/18 VG24 XK20/16 YE30';

export const COUNTRY_LENGTH = new Uint8Array(26 * 26);
/** Keeps hex identifiers that begin with `de` or `be` from being taken for numbers of Germany or Belgium. */
export const COUNTRY_DIGITS = new Uint8Array(26 * 26);
for (const entry of COUNTRIES.split(' ')) {
  const country = (entry.charCodeAt(0) - 65) * 26 + entry.charCodeAt(1) - 65;
  COUNTRY_LENGTH[country] = Number(entry.slice(2, 4));
  COUNTRY_DIGITS[country] = Number(entry.slice(5));
}

const LETTERS = codes('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');

/**
 * The end of the IBAN whose check digits begin at `at` and whose country stands before them, or -1: the
 * country's length, mod 97; in one run or in groups of four with single spaces. Hyphens would meet UUIDs.
 *
 * @see ISO 13616-1
 */
function ibanEnd(bytes: Uint8Array, at: number, end: number, span: Span): number {
  const country = countryAt(bytes, at - 2);
  const length = COUNTRY_LENGTH[country] as number;
  const numeric = 4 + (COUNTRY_DIGITS[country] as number);
  if (length === 0) return -1;
  let remainder = 0;
  let count = 4;
  let index = at + 2;
  for (; count < length; count += 1) {
    const gap = (count & 3) === 0 ? spaceLength(bytes, index, end) : 0;
    index += gap;
    if (index >= end || ((count & 3) === 0 && gap === 0 && awaitsSpace(bytes, index, end))) {
      span.open = true;
      return -1;
    }
    if (!(isDigit(bytes[index] as number) || (count >= numeric && isLetter(bytes[index] as number)))) return -1;
    remainder = shifted(remainder, bytes[index] as number);
    index += 1;
  }
  for (let head = at - 2; head < at + 2; head += 1) remainder = shifted(remainder, bytes[head] as number);
  if (remainder !== 1) return -1;
  span.open = index >= end;
  return index;
}

function countryAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) | 0x20) - 0x61) * 26 + ((bytes[at + 1] as number) | 0x20) - 0x61;
}

function shifted(remainder: number, byte: number): number {
  if (isDigit(byte)) return (remainder * 10 + byte - 0x30) % 97;
  return (remainder * 100 + (byte | 0x20) - 0x61 + 10) % 97;
}

/** Do two letters stand before the digit at `at`, and another digit behind it? */
function hasHead(bytes: Uint8Array, at: number, start: number, end: number, span: Span): boolean {
  if (at - 2 < start || !isLetter(bytes[at - 1] as number) || !isLetter(bytes[at - 2] as number)) return false;
  span.open = at + 1 >= end;
  return at + 1 < end && isDigit(bytes[at + 1] as number);
}

/** International bank account numbers. */
export const iban: EntityDetector = {
  name: 'iban',
  partial: 'last4',
  pseudonym: 'iban',
  triggers: DIGITS,
  probes: [
    byteProbe(
      DIGITS,
      LETTERS,
      (bytes, at, start, end) => hasHead(bytes, at, start, end, UNREAD) && ibanEnd(bytes, at, end, UNREAD) >= 0,
    ),
  ],
  find(bytes, at, start, end, span) {
    if (!opensWord(bytes, at - 2, start)) return false;
    span.from = at - 2;
    if (!hasHead(bytes, at, start, end, span)) return false;
    span.to = ibanEnd(bytes, at, end, span);
    return span.to >= 0 && closesWord(bytes, span.to, end);
  },
  lead(bytes, start, end) {
    if (end <= start || !isLetter(bytes[end - 1] as number)) return end;
    if (opensWord(bytes, end - 1, start)) return end - 1;
    const country = end - 2 >= start && isLetter(bytes[end - 2] as number) && opensWord(bytes, end - 2, start);
    return country && COUNTRY_LENGTH[countryAt(bytes, end - 2)] !== 0 ? end - 2 : end;
  },
};
