import { describe, expect, it } from 'vitest';
import type { MaskRule } from '../../../src/core/mask.js';
import { createTextMasker } from '../../../src/masking/text-masker.js';

const rule = (entities: readonly string[], strategy: MaskRule['strategy'] = 'redact'): MaskRule => ({
  name: 'pii',
  entities,
  columns: [],
  paths: [],
  strategy,
  with: '',
  on: { requests: false, answers: true },
  observed: false,
});
const hash = (input: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, at) => (input[at % input.length] ?? 0) ^ (at * 37));
const masker = createTextMasker({ rules: [rule(['us-ssn', 'nl-bsn', 'email'])], hash });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const maskedUnder = (name: string, value: string): string | null => {
  const own = masker.under(name) ?? masker;
  const masked = own.maskValue(bytes(value), 0, bytes(value).length, new Map());
  return masked === undefined ? value : masked === null ? null : new TextDecoder().decode(masked);
};

describe('the name of a column', () => {
  it.each(['ssn', 'SSN', 'customer_ssn', 'customerSsn', 'social_security_number', 'Social Security'])(
    '%s tells that 9 digits are a social security number, where they can be one',
    (name) => {
      expect(maskedUnder(name, '123456789')).toBe('[us-ssn]');
      expect(maskedUnder(name, '123-45-6789')).toBe('[us-ssn]');
      expect(maskedUnder(name, '000456789')).toBe('000456789');
      expect(maskedUnder(name, '900456789')).toBe('900456789');
    },
  );

  it.each(['id', 'session', 'lessn', 'ssnake', 'assn', ''])('%j tells nothing', (name) => {
    expect(masker.under(name)).toBeUndefined();
    expect(maskedUnder(name, '123456789')).toBe('123456789');
  });

  it('tells of one kind alone: the check digit decides, and other kinds are found as elsewhere', () => {
    expect(maskedUnder('bsn', '123456782')).toBe('[nl-bsn]');
    expect(maskedUnder('bsn', '123456789')).toBe('123456789');
    expect(maskedUnder('bsn', 'of ann@example.com')).toBe('of [email]');
    expect(maskedUnder('ssn', '123456782')).toBe('[us-ssn]');
  });

  it('gives the same masker for names that tell the same, whatever number of names there are', () => {
    const one = masker.under('ssn');
    expect(masker.under('customer_ssn')).toBe(one);
    for (let nth = 0; nth < 3_000; nth += 1) masker.under(`ssn ${String(nth)}`);
    expect(masker.under('another ssn')).toBe(one);
  });

  it('leaves of a number what its kind leaves elsewhere', () => {
    const partial = createTextMasker({ rules: [rule(['us-ssn'], 'partial')], hash }).under('ssn');
    const text = partial?.maskValue(bytes('123-45-6789'), 0, 11, new Map());
    expect(text && new TextDecoder().decode(text)).toBe('***-**-6789');
    const pseudonyms = createTextMasker({ rules: [rule(['us-ssn'], 'hash')], hash });
    const [plain, named] = [pseudonyms, pseudonyms.under('ssn')].map((one) =>
      one?.maskValue(bytes('123-45-6789'), 0, 11, new Map()),
    );
    expect(named).toEqual(plain);
  });
});
