/** More digits before or behind the point than any number that is asked for has. */
const MOST_DIGITS = 64;
/** Longer tokens are no such number. */
export const MAX_NUMBER_BYTES = 2 * MOST_DIGITS;
const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * The digits of a whole number that JSON has with a point or exponent: `4111111111111111.0`, `4.111111111111111e15`.
 *
 * @param token a number of JSON
 * @returns undefined for one that is written as a whole number already, or is none
 */
export function wholeNumber(token: string): string | undefined {
  if (token.length > MAX_NUMBER_BYTES || !/[.eE]/.test(token)) return undefined;
  const [, whole = '', behind = '', exponent = '0'] = NUMBER.exec(token) ?? [];
  const digits = whole + behind;
  const point = whole.length + Number(exponent);
  if (digits === '' || point <= 0 || point > MOST_DIGITS || /[1-9]/.test(digits.slice(point))) return undefined;
  return digits
    .slice(0, point)
    .padEnd(point, '0')
    .replace(/^0+(?=\d)/, '');
}
