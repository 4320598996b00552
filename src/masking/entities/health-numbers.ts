import { isOneDigit, luhn, weighted } from './number-checks.js';
import type { NumberKind, Values } from './number-kind.js';

const at = (values: Values, index: number): number => values[index] as number;

/** What Luhn gives for `80840`, which stands in front of every NPI. */
const NPI_PREFIX_SUM = 24;

/** @see https://www.deadiversion.usdoj.gov */
function isDea(values: Values): boolean {
  if (!/[a-hj-npr-uxw]/.test(at(values, 0).toString(36))) return false;
  const sum = weighted(values, [1, 0, 1, 0, 1, 0], 2) + 2 * weighted(values, [0, 1, 0, 1, 0, 1], 2);
  return sum % 10 === at(values, 8) && !isOneDigit(values.subarray(2), 7);
}

const MBI_PLACES = 'cax9ax9aa99';
const MBI_LETTERS = /[ac-hj-kmnp-rt-y]/;

/** Each place has its kind of sign; S, L, O, I, B and Z are not used. @see https://www.cms.gov/medicare/new-medicare-card/understanding-new-medicare-beneficiary-identifier-mbi */
function isMbi(values: Values): boolean {
  return Array.from(MBI_PLACES).every((place, index) => {
    const value = at(values, index);
    const letter = value > 9 && MBI_LETTERS.test(value.toString(36));
    if (place === 'c') return value >= 1 && value <= 9;
    return place === '9' ? value <= 9 : place === 'a' ? letter : letter || value <= 9;
  });
}

/** Numbers of patients, prescribers and insured people. */
export const HEALTH: readonly NumberKind[] = [
  {
    name: 'us-npi',
    near: ['9999999999'],
    words: ['npi', 'national provider', 'provider id', 'provider'],
    check: (values) => (at(values, 0) === 1 || at(values, 0) === 2) && luhn(values, 0, 10, NPI_PREFIX_SUM),
  },
  { name: 'us-dea', near: ['AA9999999', 'A99999999'], words: ['dea', 'prescriber'], check: isDea },
  {
    name: 'us-mbi',
    sure: ['9AX9-AX9-AA99'],
    near: ['9AX9AX9AA99'],
    words: ['mbi', 'medicare', 'beneficiary'],
    check: isMbi,
  },
  {
    name: 'au-medicare',
    near: ['9999 99999 9', '9999999999'],
    words: ['medicare'],
    check: (values) =>
      at(values, 0) >= 2 && at(values, 0) <= 6 && weighted(values, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === at(values, 8),
  },
];
