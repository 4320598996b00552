/**
 * Pseudonyms of whole values that are no text, in their text form: a whole number stays one that its column
 * can hold, a UUID a UUID, a date a date. Different values have different pseudonyms, so that keys stay keys.
 */
import type { KeyedHash } from '../../core/mask.js';
import { KeyedPermutation } from './keyed-permutation.js';

export type TypedKind = 'integer' | 'uuid' | 'date';

const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(1900, 0, 1);
const DAYS = BigInt((Date.UTC(2100, 0, 1) - FIRST_DAY_MS) / DAY_MS);

/**
 * Sizes of int2, int4 and int8: a number stays among those of its size, whatever the type of the column, so
 * that an int4 and an int8 that are equal have equal pseudonyms, and each fits its column.
 */
const SIZES: readonly bigint[] = [0n, 1n << 15n, 1n << 31n, 1n << 63n];

/**
 * @param text as PostgreSQL writes it: `-12.50` (of decimals the digits change, the point stays), a UUID, `2024-02-29`
 * @returns undefined for what has none: longer numbers, dates outside of 1900 to 2099, and text that is no such value
 */
export function typedPseudonym(kind: TypedKind, text: string, hash: KeyedHash, reversible = false): string | undefined {
  return mapped(kind, text, hash, (permutation, value) => permutation.of(value), reversible);
}

/** The value behind a reversible pseudonym; any value of the kind is one. */
export function revealTyped(kind: TypedKind, pseudonym: string, hash: KeyedHash): string | undefined {
  return mapped(kind, pseudonym, hash, (permutation, value) => permutation.inverse(value), true);
}

type Map = (permutation: KeyedPermutation, value: bigint) => bigint;

function mapped(kind: TypedKind, text: string, hash: KeyedHash, map: Map, reversible: boolean): string | undefined {
  const use = reversible ? 'reversible' : 'one-way';
  switch (kind) {
    case 'integer':
      return mappedNumber(text, use, hash, map);
    case 'uuid':
      return mappedUuid(text, use, hash, map);
    case 'date':
      return mappedDate(text, use, hash, map);
  }
}

function mappedNumber(text: string, use: string, hash: KeyedHash, map: Map): string | undefined {
  const parts = /^(-?)(\d{1,19})(?:\.(\d{1,19}))?$/.exec(text);
  if (parts === null) return undefined;
  const negative = parts[1] === '-';
  const scale = parts[3]?.length ?? 0;
  // int8 reaches one further below zero than above.
  const value = BigInt(`${parts[2] as string}${parts[3] ?? ''}`) - (negative ? 1n : 0n);
  const size = SIZES.findIndex((bound) => value < bound);
  if (size < 1) return undefined;
  const from = SIZES[size - 1] as bigint;
  const domain = `${use}/integer${negative ? '/negative' : ''}/${String(size)}`;
  const permutation = new KeyedPermutation(domain, (SIZES[size] as bigint) - from, hash);
  const digits = (from + map(permutation, value - from) + (negative ? 1n : 0n)).toString().padStart(scale + 1, '0');
  const sign = negative ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function mappedUuid(text: string, use: string, hash: KeyedHash, map: Map): string | undefined {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const value = BigInt(`0x${text.replaceAll('-', '')}`);
  const permutation = new KeyedPermutation(`${use}/uuid`, 1n << 128n, hash);
  const hex = map(permutation, value).toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function mappedDate(text: string, use: string, hash: KeyedHash, map: Map): string | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  const day = (ms - FIRST_DAY_MS) / DAY_MS;
  if (!Number.isInteger(day) || day < 0 || BigInt(day) >= DAYS) return undefined;
  // A thirtieth of February is read as a day of March.
  if (dayText(ms) !== text) return undefined;
  const mappedDay = map(new KeyedPermutation(`${use}/date`, DAYS, hash), BigInt(day));
  return dayText(FIRST_DAY_MS + Number(mappedDay) * DAY_MS);
}

function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
