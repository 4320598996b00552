import { base64Text, base64Bytes } from '../bodies/base64.js';

/** Shorter ones stand in any text by chance: redacting them would spoil answers and hide nothing. */
const MIN_LENGTH = 4;
/** From this length on also encoded spellings count: those of shorter ones stand in any base64. */
const MIN_ENCODED_LENGTH = 8;

const SCHEME = /^[A-Za-z][A-Za-z0-9-]* +(?=\S)/;

/**
 * Every spelling of credentials that is taken out of answers, none twice:
 *
 * - each value of 4 characters or more, as it is and without its scheme (`Bearer `); of HTTP Basic (RFC 7617) also the
 *   name with the password, and the password
 * - of those with 8 or more: as inside a JSON string (with `/` escaped and not, also all beyond ASCII), percent-encoded
 *   (as in a path and as in a form, hex in capitals and not), in base64 and base64url as it stands inside of any
 *   longer bytes, whatever comes before and behind, in hex, backwards, in UTF-16; in percent escapes, in escapes of scripts
 *   and in references of HTML, with all its bytes in them or all but letters and digits
 */
export function credentialSpellings(secrets: readonly string[]): readonly string[] {
  const spellings = new Set<string>();
  for (const value of new Set(secrets.flatMap(valuesOf))) {
    if (value.length < MIN_LENGTH) continue;
    spellings.add(value);
    if (value.length < MIN_ENCODED_LENGTH) continue;
    for (const make of [jsonSpellings, percentSpellings, base64Spellings, otherSpellings])
      for (const spelling of make(value)) spellings.add(spelling);
  }
  return Array.from(spellings);
}

/** What stands behind the schemes of credentials, and what that stands for; none twice. */
export function bareCredentials(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets.flatMap((secret) => valuesOf(secret).slice(1)))];
}

/** The header's value, what stands behind its scheme, and what that stands for. */
function valuesOf(secret: string): string[] {
  const bare = secret.trim().replace(SCHEME, '');
  const values = [secret.trim(), bare];
  const decoded = /^basic /i.test(secret) ? base64Bytes(bare) : undefined;
  if (decoded === undefined) return values;
  const pair = new TextDecoder().decode(decoded);
  const colon = pair.indexOf(':');
  return colon === -1 ? values : [...values, pair, pair.slice(colon + 1)];
}

function jsonSpellings(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  const ascii = plain.replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [plain, ascii].flatMap((text) => [
    text,
    text.replaceAll('/', '\\/'),
    // As encoders for HTML write them.
    text.replace(/[<>&'=+]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
    text.replace(/[<>&'=+]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`),
  ]);
}

function percentSpellings(value: string): string[] {
  const component = percentEncoded(value, /[A-Za-z0-9\-._~!'()*]/);
  const strict = percentEncoded(value, /[A-Za-z0-9\-._~]/);
  const form = percentEncoded(value, /[A-Za-z0-9\-._*]/).replaceAll('%20', '+');
  const address = percentEncoded(value, /[A-Za-z0-9\-._~!'()*;/?:@&=+$,]/);
  return [component, strict, form, address].flatMap((text) => [
    text,
    text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  ]);
}

function percentEncoded(value: string, plain: RegExp): string {
  return Array.from(new TextEncoder().encode(value), (byte) => {
    const sign = String.fromCharCode(byte);
    return plain.test(sign) ? sign : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }).join('');
}

/**
 * The characters of base64 that depend on the value alone, for each of the three places in a group of three bytes at
 * which it may begin: those that share bits with a neighbour are left out.
 */
function base64Spellings(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  return [0, 1, 2].flatMap((before) => {
    const padded = new Uint8Array(before + bytes.length);
    padded.set(bytes, before);
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor((padded.length * 8) / 6);
    const text = base64Text(padded).slice(first, last);
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** What each byte, or each that is no letter or digit, is written as by encoders that leave nothing to chance. */
const ESCAPES: readonly ((byte: number) => string)[] = [
  (byte) => `%${hexOf(byte)}`,
  (byte) => `%${hexOf(byte).toUpperCase()}`,
  (byte) => `\\x${hexOf(byte)}`,
  (byte) => `\\u00${hexOf(byte)}`,
  (byte) => `\\u00${hexOf(byte).toUpperCase()}`,
  (byte) => `&#${String(byte)};`,
  (byte) => `&#x${hexOf(byte)};`,
  (byte) => `&#x${hexOf(byte).toUpperCase()};`,
];

function otherSpellings(value: string): string[] {
  const bytes = Array.from(new TextEncoder().encode(value));
  const hex = bytes.map(hexOf).join('');
  return [
    hex,
    hex.toUpperCase(),
    Array.from(value).reverse().join(''),
    Array.from(value).join('\0'),
    ...ESCAPES.flatMap((escape) => [
      bytes.map(escape).join(''),
      bytes.map((byte) => (/\w/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : escape(byte))).join(''),
    ]),
  ];
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
