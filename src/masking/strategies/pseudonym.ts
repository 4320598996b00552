import type { KeyedHash } from '../../core/mask.js';
import { isAlphanumeric, isDigit, isLetter } from '../finding/byte-classes.js';
import { ibanCheckDigits, luhnDigit } from '../finding/check-digits.js';
import { codes } from '../finding/entity.js';
import type { PseudonymShape } from '../finding/entity.js';
import { keptDigits, reversiblePseudonym } from './pseudonym-reversible.js';
import { typedPseudonym } from './pseudonym-typed.js';

const HEX = codes('0123456789abcdef');
const COLON = 0x3a;

/** Check digits that the arithmetic allows and the standard does not give out, by those it does: 97, 98 and 02. */
const UNGIVEN_CHECKS: ReadonlyMap<number, string> = new Map([
  [97, '00'],
  [98, '01'],
  [2, '99'],
]);

/**
 * A keyed pseudonym of the same kind: the same input always gives the same one, whatever separators or
 * capitals it was written with. None of them can be a real value of its kind:
 *
 * | shape | example | why it is nobody's |
 * | --- | --- | --- |
 * | email | `u_3f2a90bc11de@masked.invalid` | RFC 2606 reserves `.invalid` |
 * | card | `9007 3321 …`, length and separators kept, passes Luhn | no issuer has 90 |
 * | ssn | `973-12-8841` | areas from 900, groups below 50: neither SSN nor ITIN |
 * | digits | `+49 0…`, `(083) …` | begins with 0, behind the country's code |
 * | iban | country kept, passes mod 97 | check digits `00`, `01`, `99`: they are given out from 02 to 98 |
 * | ip | `240.x.x.x`, `100::x:x:x` | RFC 1112 reserves, RFC 6666 discards |
 * | uuid | another one | any may be someone's, but is not likely to be |
 * | token | `jwt_5c1e…`, 16 hex digits | |
 *
 * Whoever sees pseudonyms learns which values are equal and how often each occurs, and what is kept of the shape.
 *
 * @param reversible the key's holder can turn it back: see `pseudonym-reversible`
 */
export function pseudonymOf(
  bytes: Uint8Array,
  shape: PseudonymShape,
  label: string,
  hash: KeyedHash,
  reversible = false,
): Uint8Array {
  if (reversible) return reversiblePseudonym(bytes, shape, label, hash);
  if (shape === 'uuid') return uuidOf(bytes, label, hash);
  const digest = digestOf(bytes, shape, label, hash);
  switch (shape) {
    case 'email':
      return new Uint8Array([...codes('u_'), ...hexOf(digest, 6), ...codes('@masked.invalid')]);
    case 'card':
      return cardOf(bytes, digest);
    case 'ssn':
      return digitsOf(bytes, digest, [9, undefined, undefined, (digest[31] as number) % 5]);
    case 'digits':
      return phoneOf(bytes, digest);
    case 'iban':
      return ibanOf(bytes, digest);
    case 'ip':
      return bytes.includes(COLON)
        ? sixOf(digest)
        : new Uint8Array(codes(`240.${digest[0]}.${digest[1]}.${digest[2]}`));
    case 'token':
      return new Uint8Array([...codes(`${label}_`), ...hexOf(digest, 8)]);
  }
}

/** HMAC over the kind and the value as its kind compares it; the kind is part of it, so that kinds can't be joined by accident. */
function digestOf(bytes: Uint8Array, shape: PseudonymShape, label: string, hash: KeyedHash): Uint8Array {
  const kind = shape === 'token' ? label : shape;
  const input = [...new TextEncoder().encode(kind), 0];
  for (const byte of bytes) {
    if (shape === 'token' || byte >= 0x80) input.push(byte);
    else if (shape === 'email' || shape === 'ip') input.push(isLetter(byte) ? byte | 0x20 : byte);
    else if (isAlphanumeric(byte)) input.push(isLetter(byte) ? byte | 0x20 : byte);
  }
  return hash(new Uint8Array(input));
}

function hexOf(digest: Uint8Array, count: number): number[] {
  const hex: number[] = [];
  for (const byte of digest.subarray(0, count)) hex.push(HEX[byte >> 4] as number, HEX[byte & 15] as number);
  return hex;
}

/** The value with other digits; `fixed` sets the first ones. */
function digitsOf(bytes: Uint8Array, digest: Uint8Array, fixed: readonly (number | undefined)[]): Uint8Array {
  let index = 0;
  return bytes.map((byte) => {
    if (!isDigit(byte)) return byte;
    const digit = fixed[index] ?? (digest[index % digest.length] as number) % 10;
    index += 1;
    return 0x30 + digit;
  });
}

function cardOf(bytes: Uint8Array, digest: Uint8Array): Uint8Array {
  const card = digitsOf(bytes, digest, [9, 0]);
  const last = card.findLastIndex(isDigit);
  const payload = Array.from(card.subarray(0, last).filter(isDigit), (byte) => byte - 0x30);
  if (last >= 0) card[last] = 0x30 + luhnDigit(payload);
  return card;
}

function phoneOf(bytes: Uint8Array, digest: Uint8Array): Uint8Array {
  const text = String.fromCharCode(...bytes.filter((byte) => byte < 0x80));
  const digits = text.replace(/\D/g, '');
  const kept = Array.from(digits.slice(0, keptDigits(text, digits)), Number);
  return digitsOf(bytes, digest, [...kept, 0]);
}

function ibanOf(bytes: Uint8Array, digest: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes);
  const places: number[] = [];
  for (let index = 0; index < bytes.length; index += 1) if (isAlphanumeric(bytes[index] as number)) places.push(index);
  const account = places.slice(4);
  for (const [index, place] of account.entries()) vary(out, place, digest[index % digest.length] as number);
  const country = String.fromCharCode(...out.subarray(0, 2));
  // Three in 97 accounts have check digits that can be written as ones that are not given out.
  for (let turn = 0; turn < 1_000; turn += 1) {
    const check = UNGIVEN_CHECKS.get(
      ibanCheckDigits(country, String.fromCharCode(...account.map((at) => out[at] as number))),
    );
    if (check !== undefined) {
      out.set(codes(check), 2);
      return out;
    }
    for (const place of account.toReversed()) if (next(out, place)) break;
  }
  out.set(codes('00'), 2);
  return out;
}

/** Another character of the same class: digit, capital or small letter. */
function vary(bytes: Uint8Array, at: number, by: number): void {
  const byte = bytes[at] as number;
  if (isDigit(byte)) bytes[at] = 0x30 + (by % 10);
  else bytes[at] = (byte & 0x20 ? 0x61 : 0x41) + (by % 26);
}

/** Counts the character up by one; false where that carries over to the one before. */
function next(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at] as number;
  const first = isDigit(byte) ? 0x30 : byte & 0x20 ? 0x61 : 0x41;
  const size = isDigit(byte) ? 10 : 26;
  const value = (byte - first + 1) % size;
  bytes[at] = first + value;
  return value > 0;
}

function sixOf(digest: Uint8Array): Uint8Array {
  const hex = String.fromCharCode(...hexOf(digest, 6));
  return new Uint8Array(codes(`100::${hex.slice(0, 4)}:${hex.slice(4, 8)}:${hex.slice(8)}`));
}

/** The one that the value has in a column of type uuid too. */
function uuidOf(bytes: Uint8Array, label: string, hash: KeyedHash): Uint8Array {
  const other = typedPseudonym('uuid', String.fromCharCode(...bytes), hash);
  return other === undefined ? pseudonymOf(bytes, 'token', label, hash) : new Uint8Array(codes(other));
}
