/** Check digits of identity and account numbers, over values from 0 to 35 (letters from 10 on). */
import type { Values } from './number-kind.js';

/** Luhn's sum over values[from,to). @see ISO/IEC 7812-1, annex B */
export function luhn(values: Values, from: number, to: number, plus = 0): boolean {
  let sum = plus;
  for (let at = to - 1, place = 0; at >= from; at -= 1, place += 1) {
    const doubled = (values[at] as number) * (place % 2 === 0 ? 1 : 2);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Sum of the first values by these weights. */
export function weighted(values: Values, weights: readonly number[], from = 0): number {
  return weights.reduce((sum, weight, index) => sum + weight * (values[from + index] as number), 0);
}

/** The decimal number in values[from,to), modulo a small number. */
export function modulo(values: Values, from: number, to: number, divisor: number, begun = 0): number {
  let remainder = begun;
  for (let at = from; at < to; at += 1) remainder = (remainder * 10 + (values[at] as number)) % divisor;
  return remainder;
}

/** The number in values[from,to). */
export function numberAt(values: Values, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) number = number * 10 + (values[at] as number);
  return number;
}

/** ISO/IEC 7064, mod 11,10, over the first `count` values. */
export function mod11And10(values: Values, count: number): boolean {
  let product = 10;
  for (let at = 0; at < count - 1; at += 1) {
    const sum = (product + (values[at] as number)) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (product + (values[count - 1] as number)) % 10 === 1;
}

const MULTIPLIED = ['0123456789', '1234067895', '2340178956', '3401289567', '4012395678'].concat(
  ...['5987604321', '6598710432', '7659821043', '8765932104', '9876543210'],
);
const PERMUTED = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901'].concat(
  ...['2793806415', '7046913258'],
);

/** Verhoeff's check over the dihedral group D5. @see https://en.wikipedia.org/wiki/Verhoeff_algorithm */
export function verhoeff(values: Values, count: number): boolean {
  let state = 0;
  for (let at = count - 1, place = 0; at >= 0; at -= 1, place += 1) {
    const permuted = Number((PERMUTED[place % 8] as string)[values[at] as number]);
    state = Number((MULTIPLIED[state] as string)[permuted]);
  }
  return state === 0;
}

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Is there such a day in some year? */
export function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= (MONTH_DAYS[month - 1] as number);
}

/** Are the first `count` values all the same? */
export function isOneDigit(values: Values, count: number): boolean {
  for (let at = 1; at < count; at += 1) if (values[at] !== values[0]) return false;
  return true;
}

/** The place of a value, 10 for A, in a row of check letters or digits. */
export function isSign(value: number | undefined, signs: string, place: number): boolean {
  return value !== undefined && value.toString(36).toUpperCase() === signs[place];
}
