/** Check digits of cards and accounts. */

/**
 * The digit that makes `payload` and itself pass Luhn.
 *
 * @see ISO/IEC 7812-1, annex B
 */
export function luhnDigit(payload: readonly number[]): number {
  let sum = 0;
  payload.forEach((digit, index) => {
    const doubled = (payload.length - index) % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  });
  return (10 - (sum % 10)) % 10;
}

/**
 * The two check digits of an account in that country, from 02 to 98.
 *
 * @param country two letters
 * @param account letters and digits
 * @see ISO 13616-1
 */
export function ibanCheckDigits(country: string, account: string): number {
  let remainder = 0;
  for (const char of `${account}${country}00`) {
    const value = parseInt(char, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return 98 - remainder;
}

const TWO_DIGITS = new Set(
  '20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'.split(
    ' ',
  ),
);

/**
 * How many of the digits of an international telephone number are its country's code.
 *
 * @see https://www.itu.int/rec/T-REC-E.164
 */
export function countryCodeLength(digits: string): number {
  if (digits.startsWith('1') || digits.startsWith('7')) return 1;
  return TWO_DIGITS.has(digits.slice(0, 2)) ? 2 : 3;
}
