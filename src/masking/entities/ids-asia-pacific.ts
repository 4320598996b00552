import { isDay, isOneDigit, isSign, luhn, mod11And10, numberAt, verhoeff, weighted } from './number-checks.js';
import type { NumberKind, Values } from './number-kind.js';

const at = (values: Values, index: number): number => values[index] as number;
const isDate = (values: Values, from: number): boolean =>
  isDay(numberAt(values, from + 2, from + 4), numberAt(values, from + 4, from + 6));

const PAN_HOLDERS = 'abcfghjlpt';
const BASE_36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

function isPan(values: Values, from: number): boolean {
  return PAN_HOLDERS.includes(at(values, from + 3).toString(36)) && numberAt(values, from + 5, from + 9) > 0;
}

/** State, PAN, entity, Z and a check sign modulo 36. */
function isGstin(values: Values): boolean {
  const state = numberAt(values, 0, 2);
  if (state < 1 || (state > 38 && state < 96) || !isPan(values, 2)) return false;
  let sum = 0;
  for (let index = 0; index < 14; index += 1) {
    const product = at(values, index) * (index % 2 === 0 ? 1 : 2);
    sum += Math.floor(product / 36) + (product % 36);
  }
  return isSign(values[14], BASE_36, (36 - (sum % 36)) % 36);
}

/** The check digit is 11 less the remainder, from 2 on. */
function isMyNumber(values: Values): boolean {
  const remainder = weighted(values, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
  return (remainder <= 1 ? 0 : 11 - remainder) === at(values, 11) && !isOneDigit(values, 12);
}

function isRrn(values: Values): boolean {
  const check = (11 - (weighted(values, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10;
  return isDate(values, 0) && check === at(values, 12);
}

const RIC_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** @see GB 11643-1999 */
function isResidentId(values: Values): boolean {
  const century = numberAt(values, 6, 8);
  if ((century !== 19 && century !== 20) || !isDate(values, 8) || at(values, 0) === 0) return false;
  return isSign(values[17], '10X98765432', weighted(values, RIC_WEIGHTS) % 11);
}

function isTckn(values: Values): boolean {
  const tenth = (7 * weighted(values, [1, 0, 1, 0, 1, 0, 1, 0, 1]) - weighted(values, [0, 1, 0, 1, 0, 1, 0, 1])) % 10;
  const last = weighted(values, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) % 10;
  return at(values, 0) > 0 && (tenth + 10) % 10 === at(values, 9) && last === at(values, 10);
}

const NRIC_SIGNS: Readonly<Record<string, string>> = {
  s: 'JZIHGFEDCBA',
  t: 'GFEDCBAJZIH',
  f: 'XWUTRQPNMLK',
  g: 'RQPNMLKXWUT',
};

/** @see https://en.wikipedia.org/wiki/National_Registration_Identity_Card */
function isNric(values: Values): boolean {
  const kind = at(values, 0).toString(36);
  const signs = NRIC_SIGNS[kind];
  return signs !== undefined && isSign(values[8], signs, weighted(values, [2, 7, 6, 5, 4, 3, 2], 1) % 11);
}

const TW_AREAS = 'abcdefghjklmnpqrstuvxywzio';

/** The first digit is 1 or 2 for citizens, 8 or 9 for residents from 2021 on. */
function isTaiwanId(values: Values): boolean {
  const area = TW_AREAS.indexOf(at(values, 0).toString(36)) + 10;
  const sex = at(values, 1);
  if (area < 10 || ![1, 2, 8, 9].includes(sex)) return false;
  const sum = Math.floor(area / 10) + 9 * (area % 10) + weighted(values, [8, 7, 6, 5, 4, 3, 2, 1, 1], 1);
  return sum % 10 === 0;
}

/** A check sign of 10 is an A. */
function isHkid(values: Values): boolean {
  const sum = 36 * 9 + weighted(values, [8, 7, 6, 5, 4, 3, 2]);
  return at(values, 7) <= 10 && (sum + at(values, 7)) % 11 === 0;
}

function isTfn(values: Values): boolean {
  return weighted(values, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && !isOneDigit(values, 9);
}

function isAbn(values: Values): boolean {
  return at(values, 0) > 0 && (weighted(values, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0;
}

/** Citizen or resident is digit 11. */
function isSouthAfrican(values: Values): boolean {
  return isDate(values, 0) && at(values, 10) <= 2 && luhn(values, 0, 13);
}

/** Numbers of people and taxpayers of Asia, the Pacific and Africa. */
export const ASIA_PACIFIC: readonly NumberKind[] = [
  {
    name: 'in-aadhaar',
    near: ['9999 9999 9999', '9999-9999-9999', '999999999999'],
    words: ['aadhaar', 'aadhar', 'adhaar', 'uidai', 'uid', 'आधार'],
    check: (values) => at(values, 0) > 1 && verhoeff(values, 12),
  },
  {
    name: 'in-pan',
    near: ['AAAAA9999A'],
    words: ['pan', 'permanent account', 'pan no', 'income tax'],
    check: (values) => isPan(values, 0),
  },
  { name: 'in-gstin', sure: ['99AAAAA9999AXzX'], check: isGstin },
  { name: 'au-tfn', near: ['999 999 999', '999999999', '999-999-999'], words: ['tfn', 'tax file'], check: isTfn },
  {
    name: 'au-abn',
    near: ['99 999 999 999', '99999999999'],
    words: ['abn', 'australian business'],
    check: isAbn,
  },
  {
    name: 'za-id',
    near: ['9999999999999', '999999 9999 999'],
    words: ['id', 'said', 'identity', 'idnumber', 'id_number'],
    check: isSouthAfrican,
  },
  {
    name: 'kr-rrn',
    sure: ['999999-9999999'],
    near: ['9999999999999'],
    words: ['rrn', '주민등록번호', '주민번호'],
    check: isRrn,
  },
  {
    name: 'jp-my-number',
    near: ['999999999999', '9999 9999 9999', '9999-9999-9999'],
    words: ['my number', 'mynumber', 'individual number', 'マイナンバー', '個人番号'],
    check: isMyNumber,
  },
  { name: 'cn-resident-id', sure: ['999999999999999999', '99999999999999999x'], check: isResidentId },
  {
    name: 'tr-kimlik',
    near: ['99999999999'],
    words: ['kimlik', 'tckn', 'tckimlik', 'tc', 't.c.'],
    check: isTckn,
  },
  {
    name: 'il-id',
    near: ['999999999', '99999999-9'],
    words: ['teudat zehut', 'zehut', 'israeli id', 'תעודת זהות', 'ת.ז', 'ת"ז'],
    check: (values) => luhn(values, 0, 9) && !isOneDigit(values, 9),
  },
  { name: 'sg-nric', sure: ['A9999999A'], check: isNric },
  {
    name: 'th-id',
    sure: ['9-9999-99999-99-9'],
    near: ['9999999999999'],
    words: ['thai id', 'national id', 'citizen id', 'บัตรประชาชน', 'เลขประจำตัวประชาชน'],
    check: (values) =>
      at(values, 0) > 0 &&
      (11 - (weighted(values, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === at(values, 12),
  },
  {
    name: 'tw-id',
    near: ['A999999999'],
    words: ['national id', 'tw id', '身分證', '身分證字號', '身份證'],
    check: isTaiwanId,
  },
  {
    name: 'hk-hkid',
    sure: ['A999999(X)'],
    near: ['A999999X'],
    words: ['hkid', '身份證', 'identity card'],
    check: isHkid,
  },
];

/** Numbers of companies whose check is the same as people's elsewhere. */
export const COMPANIES: readonly NumberKind[] = [
  {
    name: 'au-acn',
    near: ['999 999 999', '999999999'],
    words: ['acn', 'australian company'],
    check: (values) => (10 - (weighted(values, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === at(values, 8),
  },
  {
    name: 'de-vat',
    sure: ['de999999999'],
    check: (values) => at(values, 2) > 0 && mod11And10(values.subarray(2), 9),
  },
];
