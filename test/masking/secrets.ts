import * as fc from 'fast-check';
import { NUMBER_KINDS } from '../../src/masking/entities/built-in.js';
import { NUMBERS } from './entities/number-samples.js';

/** Luhn as the standard words it, written apart from the engine. */
function luhnDigit(payload: string): string {
  const sum = [...payload].reverse().reduce((total, char, index) => {
    const doubled = index % 2 === 0 ? Number(char) * 2 : Number(char);
    return total + Math.floor(doubled / 10) + (doubled % 10);
  }, 0);
  return String((10 - (sum % 10)) % 10);
}

/** ISO 13616 with whole numbers, written apart from the engine. */
function ibanOf(country: string, bban: string): string {
  const digits = [...`${bban}${country}00`]
    .map((char) => (/\d/.test(char) ? char : String(char.charCodeAt(0) - 55)))
    .join('');
  return `${country}${String(98n - (BigInt(digits) % 97n)).padStart(2, '0')}${bban}`;
}

const digits = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((list) => list.join(''));
export const chars = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...alphabet), { minLength, maxLength }).map((list) => list.join(''));
export const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const HEX = '0123456789abcdef';
const TOKEN = `${LOWER}${LOWER.toUpperCase()}0123456789`;
const grouped = (text: string, separator: string): string => text.replace(/(.{4})(?=.)/g, `$1${separator}`);

const separator = fc.constantFrom('', ' ', '-', '\u00a0', '\u2011');
export const cardWith = (separators: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(
        ['4', 16],
        ['51', 16],
        ['2221', 16],
        ['37', 15],
        ['6011', 16],
        ['3528', 16],
        ['62', 19],
        ['36', 14],
        ['4', 13],
      ),
      digits(18),
      separators,
    )
    .map(([[prefix, length], tail, gap]) => {
      const payload = `${prefix as string}${tail}`.slice(0, (length as number) - 1);
      return grouped(payload + luhnDigit(payload), gap);
    });
const card = cardWith(separator);
const ssn = fc
  .tuple(
    fc.integer({ min: 1, max: 899 }),
    fc.integer({ min: 1, max: 99 }),
    fc.integer({ min: 1, max: 9999 }),
    fc.constantFrom('-', ' '),
  )
  .filter(([area]) => area !== 666)
  .map(([area, group, serial, gap]) =>
    [String(area).padStart(3, '0'), String(group).padStart(2, '0'), String(serial).padStart(4, '0')].join(gap),
  );
const phone = fc
  .tuple(
    fc.integer({ min: 200, max: 999 }),
    fc.integer({ min: 200, max: 999 }),
    digits(4),
    fc.constantFrom('A-B-C', '(A) B-C', 'A.B.C', '+1AB C', '+1 A B C', '1-A-B-C'),
  )
  .map(([area, exchange, line, shape]) =>
    shape.replace('A', String(area)).replace('B', String(exchange)).replace('C', line),
  );
export const iban = fc
  .tuple(
    fc.constantFrom(['DE', 18], ['NO', 11], ['BE', 12], ['FR', 23], ['MT', 27], ['GB', 18]),
    chars('ABCXYZ0123456789', 27, 27),
    fc.constantFrom('', ' '),
  )
  .map(([[country, length], tail, gap]) => {
    const bban = tail.slice(0, length);
    // Only digits make an account there; in the others letters may stand anywhere.
    const digitsOnly = ['DE', 'NO', 'BE'].includes(country);
    return grouped(ibanOf(country, digitsOnly ? bban.replace(/\D/g, '7') : bban), gap);
  });
const cpf = digits(9)
  .filter((nine) => new Set(nine).size > 1)
  .map((nine) => {
    const check = (text: string): string =>
      String(
        (([...text].reduce((sum, char, index) => sum + Number(char) * (text.length + 1 - index), 0) * 10) % 11) % 10,
      );
    const first = check(nine);
    return nine + first + check(nine + first);
  });

/** By entity: secrets of its kind. */
export const SECRETS: Record<string, fc.Arbitrary<string>> = {
  email: fc
    .tuple(chars(`${TOKEN}._+%-é用`, 0, 12), chars(TOKEN, 1, 8), fc.constantFrom('com', 'co.uk', 'рф', 'museum'))
    .map(([local, domain, tld]) => `a${local}z@${domain}.${tld}`),
  'credit-card': card,
  'us-ssn': ssn,
  phone,
  iban,
  'ip-address': fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((address) => /\d/.test(address) && address.length > 4),
  ),
  jwt: fc
    .tuple(chars(TOKEN, 8, 30), chars(TOKEN, 1, 60), chars(TOKEN, 0, 43))
    .map(([header, payload, signature]) => `eyJ${header}.${payload}.${signature}`),
  'private-key': fc
    .tuple(fc.constantFrom('', 'RSA ', 'OPENSSH ', 'EC '), chars(`${TOKEN}+/\n`, 0, 200))
    .map(([kind, body]) => `-----BEGIN ${kind}PRIVATE KEY-----\n${body}\n-----END ${kind}PRIVATE KEY-----`),
  'aws-access-key': chars('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16, 16).map((tail) => `AKIA${tail}`),
  'github-token': chars(TOKEN, 36, 36).map((tail) => `ghp_${tail}`),
  'anthropic-key': chars(TOKEN, 20, 90).map((tail) => `sk-ant-api03-${tail}`),
  'openai-key': chars(TOKEN, 30, 60).map((tail) => `sk-1${tail}`),
  'stripe-key': chars(TOKEN, 16, 40).map((tail) => `sk_live_${tail}`),
  'google-api-key': chars(TOKEN, 35, 35).map((tail) => `AIza${tail}`),
  'slack-token': chars(TOKEN, 12, 30).map((tail) => `xoxb-123-${tail}`),
  'api-key': chars(TOKEN, 36, 36).map((tail) => `npm_${tail}`),
  'password-in-url': chars(`${TOKEN}!$&*+,;=.~_-@:`, 12, 30)
    .map((password) => `p${password}q`)
    .filter((password) => !/^[*]+$/.test(password))
    .map((password) => `db://joe:${password}@host`),
  'br-cpf': cpf,
  'gitlab-token': chars(TOKEN, 20, 30).map((tail) => `glpat-${tail}`),
  'npm-token': chars(TOKEN, 36, 36).map((tail) => `npm_${tail}`),
  'pypi-token': chars(TOKEN, 60, 90).map((tail) => `pypi-${tail}`),
  'huggingface-token': chars(TOKEN, 34, 34).map((tail) => `hf_${tail}`),
  'sendgrid-key': chars(TOKEN, 65, 66).map((tail) => `SG.${tail.slice(0, 22)}.${tail.slice(22)}`),
  'digitalocean-token': chars(HEX, 64, 64).map((tail) => `dop_v1_${tail}`),
  'shopify-token': chars(HEX, 32, 32).map((tail) => `shpss_${tail}`),
  'twilio-key': chars(HEX, 31, 31).map((tail) => `SK1${tail}`),
  'databricks-token': chars(HEX, 31, 31).map((tail) => `dapi1${tail}`),
  'vault-token': chars(TOKEN, 24, 90).map((tail) => `hvs.${tail}`),
  'mailgun-key': chars(HEX, 31, 31).map((tail) => `key-1${tail}`),
  'grafana-token': chars(TOKEN, 32, 40).map((tail) => `glsa_${tail}`),
  'docker-token': chars(TOKEN, 24, 30).map((tail) => `dckr_pat_${tail}`),
  'linear-key': chars(TOKEN, 40, 40).map((tail) => `lin_api_${tail}`),
  ...Object.fromEntries(
    NUMBER_KINDS.map(({ name, words }) => [
      name,
      fc
        .constantFrom(...(NUMBERS[name] ?? []))
        .map((value) => (words === undefined ? '' : `${words[0] ?? ''}: `) + value),
    ]),
  ),
};
const WORDS = new Map(NUMBER_KINDS.map(({ name, words }) => [name, words?.[0]]));
export const secretIn = (name: string, value: string): string => {
  const word = WORDS.get(name);
  if (word !== undefined) return value.slice(word.length + 2);
  return name === 'password-in-url' ? value.slice('db://joe:'.length, -'@host'.length) : value;
};
export const planted = fc
  .constantFrom(...Object.keys(SECRETS))
  .chain((name) => (SECRETS[name] as fc.Arbitrary<string>).map((value) => ({ name, value })));
