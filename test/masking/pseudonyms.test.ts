import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSix, parseSix } from '../../src/masking/finding/address-text.js';
import { ibanCheckDigits, luhnDigit } from '../../src/masking/finding/check-digits.js';
import { KeyedPermutation } from '../../src/masking/strategies/keyed-permutation.js';
import { pseudonymOf } from '../../src/masking/strategies/pseudonym.js';
import { reveal } from '../../src/masking/strategies/pseudonym-reversible.js';
import { revealTyped, typedPseudonym } from '../../src/masking/strategies/pseudonym-typed.js';
import { openText, sealText } from '../../src/masking/strategies/sealed-text.js';
import { maskWhole } from '../../src/masking/text-masker.js';
import { cardWith, iban, planted } from './secrets.js';
import { bytesOf, hash, ruleOf, textOf } from './support.js';

const otherHash = (input: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', 'another key').update(input).digest());
const oneWay = (text: string, shape: Parameters<typeof pseudonymOf>[1]): string =>
  textOf(pseudonymOf(bytesOf(text), shape, 'label', hash));
const reversible = (text: string, shape: Parameters<typeof pseudonymOf>[1]): string =>
  textOf(pseudonymOf(bytesOf(text), shape, 'label', hash, true));
const luhnHolds = (text: string): boolean => {
  const digits = Array.from(text.replace(/\D/g, ''), Number);
  return luhnDigit(digits.slice(0, -1)) === digits.at(-1);
};
/** ISO 13616: the account, the country and the check digits as one number leave 1 when divided by 97. */
const mod97 = (text: string): number => {
  const plain = text.replace(/[^0-9a-z]/gi, '').toUpperCase();
  const number = Array.from(plain.slice(4) + plain.slice(0, 4), (char) => parseInt(char, 36)).join('');
  return Number(BigInt(number) % 97n);
};
const shapeOnly = (text: string): string => text.replace(/\d/g, '0').replace(/[A-Z]/g, 'A').replace(/[a-z]/g, 'a');

const card = cardWith(fc.constantFrom('', ' ', '-'));
const ssn = fc
  .tuple(
    fc.integer({ min: 1, max: 899 }).filter((area) => area !== 666),
    fc.integer({ min: 1, max: 99 }),
    fc.integer({ min: 1, max: 9999 }),
  )
  .map(([area, group, serial]) =>
    [String(area).padStart(3, '0'), String(group).padStart(2, '0'), String(serial).padStart(4, '0')].join('-'),
  );
const phone = fc
  .tuple(fc.constantFrom('+1', '+49', '+351', ''), fc.stringMatching(/^[2-9]\d{9}$/))
  .map(([country, digits]) => `${country} (${digits.slice(0, 3)}) ${digits.slice(3, 6)}-${digits.slice(6)}`.trim());

describe('KeyedPermutation', () => {
  it.each([1, 2, 3, 10, 97, 1_000])('of %i numbers meets each once, and turns back', (size) => {
    const permutation = new KeyedPermutation('test', BigInt(size), hash);
    const met = new Set(Array.from({ length: size }, (_, value) => permutation.of(BigInt(value))));
    expect(met.size).toBe(size);
    for (const value of met) expect(value).toBeGreaterThanOrEqual(0n);
    for (const value of met) expect(value).toBeLessThan(BigInt(size));
    for (let value = 0n; value < size; value += 1n) expect(permutation.inverse(permutation.of(value))).toBe(value);
  });

  it('of any size up to 2^128 turns back, and another domain or key gives another order', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 1n << 128n }),
        fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
        (size, any) => {
          const value = any % size;
          const permutation = new KeyedPermutation('test', size, hash);
          const other = permutation.of(value);
          expect(other >= 0n && other < size).toBe(true);
          expect(permutation.inverse(other)).toBe(value);
        },
      ),
      { numRuns: 60 },
    );
    const orderOf = (domain: string, key: typeof hash): bigint[] =>
      Array.from({ length: 50 }, (_, value) => new KeyedPermutation(domain, 1_000_000n, key).of(BigInt(value)));
    expect(orderOf('a', hash)).not.toEqual(orderOf('b', hash));
    expect(orderOf('a', hash)).not.toEqual(orderOf('a', otherHash));
  });
});

describe('sealed text', () => {
  it('opens under its kind and key alone, and not when a character of it is changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (text, at) => {
        const sealed = sealText('email', text, hash);
        expect(sealText('email', text, hash)).toBe(sealed);
        expect(openText('email', sealed, hash)).toEqual(text);
        expect(openText('token', sealed, hash)).toBeUndefined();
        expect(openText('email', sealed, otherHash)).toBeUndefined();
        const index = at % sealed.length;
        const spoilt = sealed.slice(0, index) + (sealed[index] === 'a' ? 'b' : 'a') + sealed.slice(index + 1);
        expect(openText('email', spoilt, hash)).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});

describe('one-way pseudonyms', () => {
  it('keep a card a card of the same grouping that passes Luhn and begins with 90', () => {
    fc.assert(
      fc.property(card, (value) => {
        const pseudonym = oneWay(value, 'card');
        expect(shapeOnly(pseudonym)).toBe(shapeOnly(value));
        expect(pseudonym).toMatch(/^90/);
        expect(luhnHolds(pseudonym)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('keep an IBAN’s country and grouping, pass mod 97, and have check digits that are never given out', () => {
    fc.assert(
      fc.property(iban, (value) => {
        const pseudonym = oneWay(value, 'iban');
        expect(shapeOnly(pseudonym)).toBe(shapeOnly(value));
        expect(pseudonym.slice(0, 2)).toBe(value.slice(0, 2));
        expect(pseudonym.slice(2, 4)).toMatch(/^(?:00|01|99)$/);
        expect(mod97(pseudonym)).toBe(1);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['+1 415 555 0132', /^\+1 0\d\d \d{3} \d{4}$/],
    ['+49 30 1234567', /^\+49 0\d \d{7}$/],
    ['+351 912 345 678', /^\+351 0\d\d \d{3} \d{3}$/],
    ['(415) 555-0132', /^\(0\d\d\) \d{3}-\d{4}$/],
    ['1-415-555-0132', /^1-0\d\d-\d{3}-\d{4}$/],
  ])('keep the country and format of %s', (value, shape) => {
    expect(oneWay(value, 'digits')).toMatch(shape);
  });

  it('of whole text do not depend on the name of the column, so that columns can be joined', () => {
    const rule = ruleOf([], 'hash');
    const whole = (value: string, label: string): string =>
      textOf(maskWhole(rule, bytesOf(value), label, hash) ?? new Uint8Array());
    expect(whole('hunter2', 'password')).toBe(whole('hunter2', 'secret'));
    expect(whole('hunter2', 'password')).toMatch(/^hash_[0-9a-f]{16}$/);
    expect(whole('DE89370400440532013000', 'account')).toMatch(/^DE(?:00|01|99)\d{18}$/);
    expect(whole('10.1.2.3', 'address')).toMatch(/^240\./);
    expect(whole('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'id')).toBe(
      typedPseudonym('uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', hash),
    );
  });
});

describe('reversible pseudonyms', () => {
  const shapes = [
    ['card', card],
    ['ssn', ssn],
    ['digits', phone],
    ['iban', iban],
    ['ip', fc.ipV4()],
    ['uuid', fc.uuid()],
    ['email', fc.emailAddress()],
    ['token', fc.string({ maxLength: 60 })],
  ] as const;

  it.each(shapes)('of %s are turned back to every byte, differ from one-way ones, and are stable', (shape, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const pseudonym = reversible(value, shape);
        expect(reveal(shape, pseudonym, hash)).toBe(value);
        expect(reversible(value, shape)).toBe(pseudonym);
        expect(pseudonym).not.toBe(oneWay(value, shape));
        expect(reveal(shape, pseudonym, otherHash)).not.toBe(value);
      }),
      { numRuns: 60 },
    );
  });

  it('keep their shape: Luhn, mod 97, an SSN that could be one, country and format of a phone number', () => {
    fc.assert(
      fc.property(card, iban, ssn, phone, (aCard, anIban, anSsn, aPhone) => {
        expect(shapeOnly(reversible(aCard, 'card'))).toBe(shapeOnly(aCard));
        expect(luhnHolds(reversible(aCard, 'card'))).toBe(true);
        expect(shapeOnly(reversible(anIban, 'iban'))).toBe(shapeOnly(anIban));
        expect(mod97(reversible(anIban, 'iban'))).toBe(1);
        expect(reversible(anSsn, 'ssn')).toMatch(/^(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}$/);
        expect(shapeOnly(reversible(aPhone, 'digits'))).toBe(shapeOnly(aPhone));
        expect(reversible(aPhone, 'digits').split(' ')[0]).toMatch(aPhone.startsWith('+') ? /^\+(?:1|49|351)$/ : /^\(/);
      }),
      { numRuns: 60 },
    );
  });

  it('of an e-mail address are addresses at a reserved domain', () => {
    expect(reversible('Ann.Lee@Example.com', 'email')).toMatch(/^r_[a-z2-7]+@masked\.invalid$/);
    expect(reveal('email', 'r_aaaa@masked.invalid', hash)).toBeUndefined();
    expect(reveal('email', 'ann@example.com', hash)).toBeUndefined();
  });

  it('are turned back for every planted kind of secret, whatever shape it is given', () => {
    fc.assert(
      fc.property(
        planted,
        fc.constantFrom('card', 'ssn', 'digits', 'iban', 'ip', 'uuid', 'token' as const),
        ({ value }, shape) => {
          const pseudonym = reversible(value, shape);
          const revealed = reveal(shape, pseudonym, hash);
          // Of a number that is not of that shape the check digits are lost, and nothing else.
          if (shape === 'card' || shape === 'iban') expect(revealed).toBeDefined();
          else expect(revealed).toBe(value);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('pseudonyms of other types', () => {
  const bounds = [32_768n, 2_147_483_648n, 1n << 63n];

  it('keep a whole number in the range of the least type that holds it, and never meet twice', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
        fc.nat(2),
        fc.boolean(),
        (any, cut, back) => {
          const value = BigInt.asIntN([16, 32, 64][cut] ?? 64, any);
          const pseudonym = BigInt(typedPseudonym('integer', String(value), hash, back) ?? 'x');
          const size = (number: bigint): number => bounds.findIndex((bound) => number < bound && number >= -bound);
          expect(size(pseudonym)).toBe(size(value));
          expect(pseudonym < 0n).toBe(value < 0n);
          if (back) expect(revealTyped('integer', String(pseudonym), hash)).toBe(String(value));
        },
      ),
      { numRuns: 100 },
    );
    const met = new Set(Array.from({ length: 2_000 }, (_, value) => typedPseudonym('integer', String(value), hash)));
    expect(met.size).toBe(2_000);
  });

  it.each([
    ['12.50', /^\d{1,3}\.\d\d$/],
    ['-0.05', /^-\d{1,3}\.\d\d$/],
  ])('keep the scale and sign of %s', (text, shape) => {
    const pseudonym = typedPseudonym('integer', text, hash, true) as string;
    expect(pseudonym).toMatch(shape);
    expect(Number(revealTyped('integer', pseudonym, hash))).toBe(Number(text));
  });

  it('make a date of a date and nothing of what is none', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
        (date) => {
          const text = date.toISOString().slice(0, 10);
          const pseudonym = typedPseudonym('date', text, hash, true) as string;
          expect(pseudonym).toMatch(/^(?:19|20)\d\d-\d\d-\d\d$/);
          expect(revealTyped('date', pseudonym, hash)).toBe(text);
        },
      ),
      { numRuns: 60 },
    );
    for (const text of ['infinity', '1899-12-31', '2100-01-01', '2024-02-30', '29.02.2024'])
      expect(typedPseudonym('date', text, hash)).toBeUndefined();
  });
});

describe('IPv6 addresses', () => {
  it.each([
    ['::', '::'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('%s is written %s', (text, written) => {
    expect(formatSix(parseSix(text) ?? 0n)).toBe(written);
  });

  it.each(['1:2', '1::2::3', ':::', '1:2:3:4:5:6:7:8:9', '12345::', '::1.2.3.256', '1:2:3:4:5:6:7::8:9'])(
    '%s is none',
    (text) => {
      expect(parseSix(text)).toBeUndefined();
    },
  );
});

describe('check digits', () => {
  it('are those of published examples', () => {
    expect(ibanCheckDigits('DE', '370400440532013000')).toBe(89);
    expect(ibanCheckDigits('GB', 'WEST12345698765432')).toBe(82);
    expect(luhnDigit([4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])).toBe(1);
    expect(luhnDigit([7, 9, 9, 2, 7, 3, 9, 8, 7, 1])).toBe(3);
  });
});
