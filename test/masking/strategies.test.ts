import { describe, expect, it } from 'vitest';
import { HoopError } from '../../src/core/errors.js';
import type { MaskCounts } from '../../src/core/mask.js';
import { checkCustomEntity, createTextMasker, maskWhole } from '../../src/masking/text-masker.js';
import { bytesOf, hash, masked, maskerOf, ruleOf, textOf } from './support.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqb2UifQ.dozjgNryP4J3jVmNHl0w5N';

describe('strategies', () => {
  it.each([
    ['email', 'joe@example.com', '*****@example.com'],
    ['email', 'a-very-long-local-part@example.com', '*****@example.com'],
    ['credit-card', '4111 1111 1111 1111', '**** **** **** 1111'],
    ['credit-card', '378282246310005', '***********0005'],
    ['us-ssn', '123-45-6789', '***-**-6789'],
    ['phone', '(415) 555-0132', '(***) ***-0132'],
    ['phone', '+14155550132', '+*******0132'],
    ['phone', '+1234567', '+*****67'],
    ['iban', 'DE89 3704 0044 0532 0130 00', '**** **** **** **** **30 00'],
    ['ip-address', '192.168.1.23', '***.***.1.23'],
    ['aws-access-key', 'AKIAIOSFODNN7EXAMPLE', '****************MPLE'],
    ['private-key', '-----BEGIN PRIVATE KEY-----\nMIIE', '[private-key]'],
    ['password-in-url', 'postgres://u:secret@h/db', 'postgres://u:[password-in-url]@h/db'],
  ])('partial shows of %s %s no more than %s', (entity, value, expected) => {
    expect(masked(maskerOf([entity], 'partial'), value)).toBe(expected);
  });

  it.each([
    ['email', 'joe@example.com', /^u_[0-9a-f]{12}@masked\.invalid$/],
    ['credit-card', '4111 1111 1111 1111', /^90\d\d \d{4} \d{4} \d{4}$/],
    ['us-ssn', '123-45-6789', /^9\d\d-[0-4]\d-\d{4}$/],
    ['phone', '(415) 555-0132', /^\(0\d\d\) \d{3}-\d{4}$/],
    ['phone', '+14155550132', /^\+10\d{9}$/],
    ['iban', 'DE89370400440532013000', /^DE(?:00|01|99)\d{18}$/],
    ['ip-address', '10.0.0.1', /^240\.\d+\.\d+\.\d+$/],
    ['ip-address', '2001:db8::1', /^100::[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{4}$/],
    ['jwt', JWT, /^jwt_[0-9a-f]{16}$/],
  ])('hash makes of %s %s a pseudonym of its shape that is nobody’s', (entity, value, shape) => {
    const masker = maskerOf([entity], 'hash');
    const pseudonym = masked(masker, value) as string;
    expect(pseudonym).toMatch(shape);
    expect(masked(maskerOf([entity], 'hash'), value)).toBe(pseudonym);
    // What only the registry of its kind gives away as nobody’s still looks like one.
    if (entity !== 'ip-address' && entity !== 'iban' && !value.startsWith('+'))
      expect(masked(masker, pseudonym)).toBe('unchanged');
  });

  it('hash gives one pseudonym for one card however it is written, and another for another card', () => {
    const digits = (value: string): string =>
      (masked(maskerOf(['credit-card'], 'hash'), value) as string).replace(/\D/g, '');
    expect(digits('4111 1111 1111 1111')).toBe(digits('4111111111111111'));
    expect(digits('5500005555555559')).not.toBe(digits('4111111111111111'));
    expect(masked(maskerOf(['email'], 'hash'), 'Joe@Example.com')).toBe(
      masked(maskerOf(['email'], 'hash'), 'joe@example.com'),
    );
  });

  it('replace sets the rule’s text in the place of the finding', () => {
    expect(masked(maskerOf(['email'], 'replace'), 'to joe@example.com!')).toBe('to REPLACED!');
  });

  it('null makes the whole value NULL, in a text for the record the finding alone is redacted', () => {
    const masker = maskerOf(['email'], 'null');
    expect(masked(masker, 'to joe@example.com!')).toBeNull();
    expect(masker.maskText('to joe@example.com!', new Map())).toBe('to [email]!');
  });

  it('of several rules for one entity the strongest wins, in whatever order they come', () => {
    const rules = [ruleOf(['email'], 'partial'), ruleOf(['email'], 'redact'), ruleOf(['email'], 'hash')];
    expect(masked(createTextMasker({ rules, hash }), 'joe@example.com')).toBe('[email]');
    expect(masked(createTextMasker({ rules: rules.toReversed(), hash }), 'joe@example.com')).toBe('[email]');
  });

  it('of findings that overlap the strongest strategy decides, then the longest finding, and none stays clear', () => {
    const value = '4111111111111111@example.com';
    expect(masked(maskerOf(['email', 'credit-card']), value)).toBe('[email]');
    const mixed = createTextMasker({ rules: [ruleOf(['email'], 'partial'), ruleOf(['credit-card'], 'redact')], hash });
    expect(masked(mixed, value)).toBe('[credit-card]');
    const partial = maskerOf(['email', 'password-in-url'], 'partial');
    expect(masked(partial, 'ftp://joe:x1@y2z@h.example')).not.toMatch(/x1|y2z/);
  });

  it('counts one for each masked place, by entity', () => {
    const counts: MaskCounts = new Map();
    const bytes = bytesOf('joe@example.com, ann@example.com, 123-45-6789');
    maskerOf(['email', 'us-ssn']).maskValue(bytes, 0, bytes.length, counts);
    expect(Object.fromEntries(counts)).toEqual({ email: 2, 'us-ssn': 1 });
  });

  it('masks bytes[start,end) alone and leaves the input as it was', () => {
    const bytes = bytesOf('x1joe@example.com2y');
    const before = Uint8Array.from(bytes);
    const result = maskerOf(['email']).maskValue(bytes, 2, bytes.length - 2, new Map());
    expect(textOf(result as Uint8Array)).toBe('[email]');
    expect(bytes).toEqual(before);
  });

  it('refuses a rule that names an unknown entity', () => {
    expect(() => maskerOf(['e-mail'])).toThrow(HoopError);
  });

  it('finds nothing and rules everything out where there is no rule', () => {
    const masker = createTextMasker({ rules: [], hash });
    const bytes = bytesOf('joe@example.com \\u0040');
    expect(masker.mayMatch(bytes, 0, bytes.length)).toBe(false);
    expect(masked(masker, 'joe@example.com')).toBe('unchanged');
  });

  it('a masked text keeps a byte order mark and everything around the finding', () => {
    expect(maskerOf(['email']).maskText('\ufeffé joe@example.com €', new Map())).toBe('\ufeffé [email] €');
  });
});

describe('whole columns', () => {
  it.each([
    ['redact', 'anything', '[ssn]'],
    ['redact', '', '[ssn]'],
    ['replace', 'anything', 'REPLACED'],
    ['partial', 'joe@example.com', '*****@example.com'],
    ['partial', '123-45-6789', '***-**-6789'],
    ['partial', '4111111111111111', '************1111'],
    ['partial', '(415) 555-0132', '(***) ***-0132'],
    ['partial', 'hunter2', '*****r2'],
    ['partial', 'ab', '**'],
    ['partial', '', ''],
    ['partial', 'Zürich 8001', '****** *001'],
  ] as const)('%s of %j is %j', (strategy, value, expected) => {
    expect(textOf(maskWhole(ruleOf([], strategy, 'REPLACED'), bytesOf(value), 'ssn', hash) as Uint8Array)).toBe(
      expected,
    );
  });

  it('null is NULL, hash is stable and keeps shapes it knows', () => {
    expect(maskWhole(ruleOf([], 'null'), bytesOf('x'), 'ssn', hash)).toBeNull();
    const of = (value: string): string =>
      textOf(maskWhole(ruleOf([], 'hash'), bytesOf(value), 'name', hash) as Uint8Array);
    expect(of('Joe')).toMatch(/^hash_[0-9a-f]{16}$/);
    expect(of('Joe')).toBe(of('Joe'));
    expect(of('joe@example.com')).toMatch(/@masked\.invalid$/);
  });
});

describe('custom entities', () => {
  const token = { name: 'order-token', pattern: 'ORD-[A-Z0-9]{10}', validate: 'none' } as const;

  it('mask what their pattern meets', () => {
    const masker = maskerOf(['order-token'], 'redact', [token]);
    expect(masked(masker, 'é ORD-AB12CD34EF and ORD-ZZ12CD34EF.')).toBe('é [order-token] and [order-token].');
    expect(masked(masker, 'ORD-1')).toBe('unchanged');
  });

  it('rule a range out by the text that every match begins with, and nothing where there is none', () => {
    const far = bytesOf('nothing of the kind');
    expect(maskerOf(['order-token'], 'redact', [token]).mayMatch(far, 0, far.length)).toBe(false);
    for (const pattern of ['[A-Z]{3}-\\d{4}', '(?i)ord-1', 'ORD|XY', '(ORD)-1']) {
      expect(maskerOf(['t'], 'redact', [{ ...token, name: 't', pattern }]).mayMatch(far, 0, far.length), pattern).toBe(
        true,
      );
    }
  });

  it('with luhn leave numbers whose sum is wrong', () => {
    const account = { name: 'account', pattern: 'ACC-[0-9]{8}', validate: 'luhn' } as const;
    const masker = maskerOf(['account'], 'redact', [account]);
    expect(masked(masker, 'ACC-18273649')).toBe('[account]');
    expect(masked(masker, 'ACC-18273640')).toBe('unchanged');
  });

  it('work beside built-in ones', () => {
    const masker = maskerOf(['order-token', 'email'], 'redact', [token]);
    expect(masked(masker, 'joe@example.com ORD-AB12CD34EF')).toBe('[email] [order-token]');
  });

  it.each(['(a)\\1', '(?=a)b', '(', 'a*'])('refuse the pattern %s when they are checked', (pattern) => {
    expect(checkCustomEntity({ ...token, pattern })?.code).toBe('config_invalid');
    expect(checkCustomEntity(token)).toBeUndefined();
  });

  it('may not take the name of a built-in one', () => {
    expect(checkCustomEntity({ ...token, name: 'email' })?.code).toBe('config_invalid');
  });

  it('count the rest of a value as found after 10,000 findings', () => {
    const masker = maskerOf(['t'], 'redact', [{ name: 't', pattern: 'a', validate: 'none' }]);
    const result = masked(masker, 'a'.repeat(10_000) + 'a tail without a stop') as string;
    expect(result.replaceAll('[t]', '')).toBe('');
  });
});
