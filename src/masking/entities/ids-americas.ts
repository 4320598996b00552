import { isDay, isOneDigit, isSign, luhn, modulo, numberAt, weighted } from './number-checks.js';
import type { NumberKind, Values } from './number-kind.js';

const at = (values: Values, index: number): number => values[index] as number;

/** Area 9, groups that the IRS gives out. @see https://www.irs.gov/irm/part3/irm_03-021-263r */
function isItin(values: Values): boolean {
  const group = numberAt(values, 3, 5);
  return at(values, 0) === 9 && group >= 50 && group !== 66 && group !== 69 && group !== 89 && group !== 93;
}

const EIN_PREFIXES = new Set(
  (
    '01 02 03 04 05 06 10 11 12 13 14 15 16 20 21 22 23 24 25 26 27 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 ' +
    '46 47 48 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 71 72 73 74 75 76 77 80 81 82 83 84 85 86 87 ' +
    '88 90 91 92 93 94 95 98 99'
  )
    .split(' ')
    .map(Number),
);

function isCnpj(values: Values): boolean {
  const first = (weighted(values, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11;
  const second = (weighted(values, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11;
  return first % 10 === at(values, 12) && second % 10 === at(values, 13) && !isOneDigit(values, 14);
}

const CURP_STATES =
  'AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE'.split(' ');
const CURP_SIGNS = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ';

/** @see https://www.gob.mx/segob/renapo */
function isCurp(values: Values): boolean {
  const text = Array.from(values.subarray(0, 18), (value) => value.toString(36).toUpperCase()).join('');
  if (!isDay(numberAt(values, 6, 8), numberAt(values, 8, 10))) return false;
  if (!/[HMX]/.test(text[10] as string) || !CURP_STATES.includes(text.slice(11, 13))) return false;
  let sum = 0;
  for (let index = 0; index < 17; index += 1) sum += CURP_SIGNS.indexOf(text[index] as string) * (18 - index);
  return (10 - (sum % 10)) % 10 === at(values, 17);
}

const RUT_SIGNS = '0123456789K';

function isRut(values: Values, count: number): boolean {
  let sum = 0;
  for (let index = count - 2, place = 0; index >= 0; index -= 1, place += 1)
    sum += at(values, index) * (2 + (place % 6));
  return isSign(values[count - 1], RUT_SIGNS, (11 - (sum % 11)) % 11);
}

const CUIT_TYPES = new Set([20, 23, 24, 25, 26, 27, 30, 33, 34, 50, 51, 55]);

function isCuit(values: Values): boolean {
  const check = 11 - (weighted(values, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11);
  return CUIT_TYPES.has(numberAt(values, 0, 2)) && (check === 11 ? 0 : check === 10 ? 9 : check) === at(values, 10);
}

/** Numbers of people and taxpayers of the Americas; SSN and CPF have files of their own. */
export const AMERICAS: readonly NumberKind[] = [
  {
    name: 'us-itin',
    sure: ['999-99-9999'],
    near: ['999999999', '999 99 9999'],
    words: ['itin', 'tin', 'taxpayer', 'tax id'],
    check: isItin,
    partial: 'last4',
  },
  {
    name: 'us-ein',
    near: ['99-9999999'],
    words: ['ein', 'fein', 'employer identification', 'tax id', 'irs no', 'tin'],
    check: (values) => EIN_PREFIXES.has(numberAt(values, 0, 2)),
  },
  {
    name: 'ca-sin',
    near: ['999-999-999', '999 999 999', '999999999'],
    words: ['sin', 'social insurance', 'nas', 'assurance sociale'],
    check: (values) => at(values, 0) > 0 && at(values, 0) !== 8 && luhn(values, 0, 9),
  },
  { name: 'br-cnpj', sure: ['99.999.999/9999-99'], near: ['99999999999999'], words: ['cnpj'], check: isCnpj },
  { name: 'mx-curp', sure: ['AAAA999999AAAAAAX9'], check: isCurp },
  {
    name: 'cl-rut',
    sure: ['99.999.999-9', '99.999.999-k', '9.999.999-9', '9.999.999-k'],
    near: ['99999999-9', '99999999-k', '9999999-9', '9999999-k'],
    words: ['rut', 'run', 'r.u.t.'],
    check: isRut,
  },
  { name: 'ar-cuit', sure: ['99-99999999-9'], near: ['99999999999'], words: ['cuit', 'cuil'], check: isCuit },
];

const CLABE_WEIGHTS = [3, 7, 1];

/** Of a value from 10 on, its capital letter. */
const LETTER = 0x41 - 10;
const SMALL_A = 0x61;

/** @see https://www.iso.org/iso-3166-country-codes.html and, for XK, the BIC directory */
const COUNTRIES: ReadonlySet<string> = new Set(
  (
    'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG ' +
    'CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL ' +
    'GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA ' +
    'LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP ' +
    'NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV ' +
    'SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW'
  ).split(' '),
);

/** Numbers of banks and of their accounts that no IBAN names. */
export const BANKING: readonly NumberKind[] = [
  {
    name: 'us-aba-routing',
    near: ['999999999', '9999-9999-9'],
    words: ['routing', 'aba', 'rtn', 'routing number', 'transit'],
    check: (values) => {
      const prefix = numberAt(values, 0, 2);
      const given = prefix <= 12 || (prefix >= 21 && prefix <= 32) || (prefix >= 61 && prefix <= 72) || prefix === 80;
      return given && !isOneDigit(values, 9) && weighted(values, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0;
    },
  },
  {
    name: 'mx-clabe',
    near: ['999999999999999999'],
    words: ['clabe', 'interbancaria'],
    check: (values) => {
      let sum = 0;
      for (let index = 0; index < 17; index += 1)
        sum += (at(values, index) * (CLABE_WEIGHTS[index % 3] as number)) % 10;
      return (10 - (sum % 10)) % 10 === at(values, 17) && modulo(values, 0, 3, 1_000) > 0;
    },
  },
  {
    name: 'bic',
    near: ['AAAAAAXX', 'AAAAAAXXXXX'],
    words: ['bic', 'swift', 'bic/swift', 'swift/bic', 'swift code', 'bic code'],
    check: (values) => COUNTRIES.has(String.fromCharCode(at(values, 4) + LETTER, at(values, 5) + LETTER)),
    // Words that follow `swift` are not written in capitals.
    exact: (bytes, from, to) => bytes.subarray(from, to).every((byte) => byte < SMALL_A),
  },
];
