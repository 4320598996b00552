import type { KeyedHash } from '../core/mask.js';
import { isAlphanumeric, isDigit, isLetter } from './byte-classes.js';
import { codes } from './entity.js';
import type { PseudonymShape } from './entity.js';

const HEX = codes('0123456789abcdef');
const COLON = 0x3a;

/**
 * A keyed pseudonym of the same kind: the same input always gives the same one, whatever separators or
 * capitals it was written with. None of them can be a real value of its kind:
 *
 * | shape | example | why it is nobody's |
 * | --- | --- | --- |
 * | email | `u_3f2a90bc11de@masked.invalid` | RFC 2606 reserves `.invalid` |
 * | card | `9007 3321 …`, length and separators kept | no issuer has 90 |
 * | ssn | `973-12-8841` | areas from 900, groups below 50: neither SSN nor ITIN |
 * | digits | `+0 …`, `(083) …` | begins with 0 |
 * | iban | country kept, check digits `00` | check digits go from 02 to 98 |
 * | ip | `240.x.x.x`, `100::x:x:x` | RFC 1112 reserves, RFC 6666 discards |
 * | token | `jwt_5c1e…`, 16 hex digits | |
 */
export function pseudonymOf(bytes: Uint8Array, shape: PseudonymShape, label: string, hash: KeyedHash): Uint8Array {
  const digest = digestOf(bytes, shape, label, hash);
  switch (shape) {
    case 'email':
      return new Uint8Array([...codes('u_'), ...hexOf(digest, 6), ...codes('@masked.invalid')]);
    case 'card':
      return digitsOf(bytes, digest, [9, 0]);
    case 'ssn':
      return digitsOf(bytes, digest, [9, undefined, undefined, (digest[31] as number) % 5]);
    case 'digits':
      return digitsOf(bytes, digest, [0]);
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

function ibanOf(bytes: Uint8Array, digest: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => {
    if (index < 2 || !isAlphanumeric(byte)) return byte;
    if (index < 4) return 0x30;
    const value = digest[index % digest.length] as number;
    return isDigit(byte) ? 0x30 + (value % 10) : 0x41 + (value % 26);
  });
}

function sixOf(digest: Uint8Array): Uint8Array {
  const hex = String.fromCharCode(...hexOf(digest, 6));
  return new Uint8Array(codes(`100::${hex.slice(0, 4)}:${hex.slice(4, 8)}:${hex.slice(8)}`));
}
