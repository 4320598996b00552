/**
 * Pseudonyms that the key's holder can turn back: the same input always has the same one, and each stands for
 * one input, written exactly so (capitals and all; the separators of numbers stay where they are).
 *
 * | kind | pseudonym |
 * | --- | --- |
 * | email | `r_<sealed>@masked.invalid` |
 * | token, and what is of no shape below | `<label>_r<sealed>` |
 * | card | other digits, Luhn kept |
 * | ssn | another number that the SSA could give |
 * | digits | other digits behind the country's code |
 * | iban | another account of that country, mod 97 kept |
 * | ip, uuid, integer, date | another one |
 *
 * Numbers of the kinds without a seal may be real numbers of someone else: every one of them stands for
 * another, so `reveal` makes something of each.
 */
import type { KeyedHash } from '../../core/mask.js';
import { formatFour, formatSix, parseFour, parseSix } from '../finding/address-text.js';
import { countryCodeLength, ibanCheckDigits, luhnDigit } from '../finding/check-digits.js';
import type { PseudonymShape } from '../finding/entity.js';
import { KeyedPermutation } from './keyed-permutation.js';
import { revealTyped, typedPseudonym, type TypedKind } from './pseudonym-typed.js';
import { openText, sealText } from './sealed-text.js';

type Permuted = Exclude<PseudonymShape, 'email' | 'token'>;
type Direction = 'of' | 'inverse';

const EMAIL = /^r_([a-z2-7]+)@masked\.invalid$/;
const TOKEN = /^([\s\S]*)_r([a-z2-7]+)$/;

/** @param label what a token begins with */
export function reversiblePseudonym(
  bytes: Uint8Array,
  shape: PseudonymShape,
  label: string,
  hash: KeyedHash,
): Uint8Array {
  const encoder = new TextEncoder();
  if (shape === 'email') return encoder.encode(`r_${sealText('email', bytes, hash)}@masked.invalid`);
  const text = shape === 'token' ? undefined : textOf(bytes);
  const permuted = text === undefined ? undefined : permutedText(shape as Permuted, text, hash, 'of');
  return encoder.encode(permuted ?? `${label}_r${sealText(label, bytes, hash)}`);
}

/**
 * The value behind a reversible pseudonym.
 *
 * @param kind what the value is: a shape of text, or a whole value of another type
 * @returns undefined where this is no pseudonym of that kind under this key, as far as that can be told
 */
export function reveal(kind: PseudonymShape | TypedKind, pseudonym: string, hash: KeyedHash): string | undefined {
  if (kind === 'integer' || kind === 'date') return revealTyped(kind, pseudonym, hash);
  const email = EMAIL.exec(pseudonym);
  if (kind === 'email' || email !== null) return email === null ? undefined : opened('email', email[1] as string, hash);
  const token = TOKEN.exec(pseudonym);
  if (kind === 'token' || token !== null)
    return token === null ? undefined : opened(token[1] as string, token[2] as string, hash);
  return permutedText(kind, pseudonym, hash, 'inverse');
}

function opened(kind: string, sealed: string, hash: KeyedHash): string | undefined {
  const bytes = openText(kind, sealed, hash);
  return bytes === undefined ? undefined : textOf(bytes);
}

/** Undefined where the text is not of that shape. */
function permutedText(shape: Permuted, text: string, hash: KeyedHash, direction: Direction): string | undefined {
  const permuted = (domain: string, size: bigint, value: bigint): bigint =>
    new KeyedPermutation(`reversible/${domain}`, size, hash)[direction](value);
  switch (shape) {
    case 'card':
      return otherCard(text, permuted);
    case 'ssn':
      return otherSsn(text, permuted);
    case 'digits':
      return otherPhone(text, permuted);
    case 'iban':
      return otherIban(text, permuted);
    case 'ip':
      return otherAddress(text, permuted);
    case 'uuid':
      return direction === 'of' ? typedPseudonym('uuid', text, hash, true) : revealTyped('uuid', text, hash);
  }
}

type Permute = (domain: string, size: bigint, value: bigint) => bigint;

function otherCard(text: string, permute: Permute): string | undefined {
  const digits = text.replace(/\D/g, '');
  if (digits.length < 2) return undefined;
  const payload = otherDigits('card', digits.slice(0, -1), permute);
  return withDigits(text, payload + String(luhnDigit(Array.from(payload, Number))));
}

const AREAS = 898n;
const GROUPS = 99n;
const SERIALS = 9_999n;

/** Areas are 001 to 899 without 666, groups 01 to 99, serials 0001 to 9999. */
function otherSsn(text: string, permute: Permute): string | undefined {
  const digits = text.replace(/\D/g, '');
  const [area, group, serial] = [digits.slice(0, 3), digits.slice(3, 5), digits.slice(5)].map(Number) as [
    number,
    number,
    number,
  ];
  const allowed = digits.length === 9 && area > 0 && area < 900 && area !== 666 && group > 0 && serial > 0;
  if (!allowed) return undefined;
  const value = (BigInt(area > 666 ? area - 2 : area - 1) * GROUPS + BigInt(group - 1)) * SERIALS + BigInt(serial - 1);
  const other = permute('ssn', AREAS * GROUPS * SERIALS, value);
  const otherArea = Number(other / (GROUPS * SERIALS));
  return withDigits(
    text,
    String(otherArea >= 665 ? otherArea + 2 : otherArea + 1).padStart(3, '0') +
      (((other / SERIALS) % GROUPS) + 1n).toString().padStart(2, '0') +
      ((other % SERIALS) + 1n).toString().padStart(4, '0'),
  );
}

function otherPhone(text: string, permute: Permute): string | undefined {
  const digits = text.replace(/\D/g, '');
  const kept = keptDigits(text, digits);
  if (digits.length <= kept) return undefined;
  return withDigits(
    text,
    digits.slice(0, kept) + otherDigits(`phone/${digits.slice(0, kept)}`, digits.slice(kept), permute),
  );
}

/** Digits of a telephone number that stay: the country's code. */
export function keptDigits(text: string, digits: string): number {
  if (text.startsWith('+')) return countryCodeLength(digits);
  return digits.length === 11 && digits.startsWith('1') ? 1 : 0;
}

function otherIban(text: string, permute: Permute): string | undefined {
  const plain = text.replace(/[^0-9A-Za-z]/g, '');
  const parts = /^([A-Za-z]{2})\d\d([0-9A-Za-z]+)$/.exec(plain);
  if (parts === null) return undefined;
  const [country, account] = [parts[1] as string, parts[2] as string];
  let size = 1n;
  let value = 0n;
  for (const char of account) {
    const radix = /\d/.test(char) ? 10n : 26n;
    size *= radix;
    value = value * radix + BigInt(parseInt(char, 36) - (radix === 10n ? 0 : 10));
  }
  const pattern = account.replace(/\d/g, '0').replace(/[A-Za-z]/g, 'A');
  let rest = permute(`iban/${country.toUpperCase()}/${pattern}`, size, value);
  const other = Array.from(account)
    .reverse()
    .map((char) => {
      const radix = /\d/.test(char) ? 10n : 26n;
      const digit = Number(rest % radix);
      rest /= radix;
      if (radix === 10n) return String(digit);
      return String.fromCharCode(digit + (char === char.toLowerCase() ? 0x61 : 0x41));
    })
    .reverse()
    .join('');
  const check = String(ibanCheckDigits(country, other)).padStart(2, '0');
  return withCharacters(text, country + check + other);
}

function otherAddress(text: string, permute: Permute): string | undefined {
  const four = parseFour(text);
  if (four !== undefined) return formatFour(permute('ipv4', 1n << 32n, four));
  const six = parseSix(text);
  // Written otherwise, its spelling would be lost.
  return six === undefined || formatSix(six) !== text ? undefined : formatSix(permute('ipv6', 1n << 128n, six));
}

function otherDigits(domain: string, digits: string, permute: Permute): string {
  const size = 10n ** BigInt(digits.length);
  return permute(`${domain}/${String(digits.length)}`, size, BigInt(digits))
    .toString()
    .padStart(digits.length, '0');
}

/** The text with other digits in the places of its own. */
export function withDigits(text: string, digits: string): string {
  let index = 0;
  return text.replace(/\d/g, () => digits.charAt(index++));
}

function withCharacters(text: string, characters: string): string {
  let index = 0;
  return text.replace(/[0-9A-Za-z]/g, () => characters.charAt(index++));
}

/** Undefined where the bytes are no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
