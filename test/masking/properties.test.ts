import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_ENTITIES } from '../../src/masking/entities/built-in.js';
import { FindingScan } from '../../src/masking/finding/findings.js';
import { BUILT_IN_ENTITY_NAMES } from '../../src/masking/text-masker.js';
import { cardWith, chars, iban, LOWER, planted, secretIn, SECRETS } from './secrets.js';
import { bytesOf, masked, maskerOf } from './support.js';

/** What may stand beside a word: nothing, or something that is neither letter nor digit. */
const edge = fc.constantFrom(
  '',
  ' ',
  ', ',
  '"',
  "'",
  '(',
  ')',
  '<',
  '>',
  '\n',
  '\t',
  ';',
  '=',
  ': ',
  '|',
  '，',
  '“',
  '\\n',
  '/',
);
const around = fc.oneof(
  fc.constant(''),
  chars(`${LOWER}0123456789 .-_@:/+()`, 0, 20),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

describe('whatever surrounds a secret at its word boundaries', () => {
  it('has a kind of secret to plant for each built-in entity', () => {
    expect(Object.keys(SECRETS).sort()).toEqual([...BUILT_IN_ENTITY_NAMES].sort());
  });

  it.each(['redact', 'partial', 'hash'] as const)('%s never leaves it in the value', (strategy) => {
    fc.assert(
      fc.property(planted, around, edge, edge, around, ({ name, value }, left, before, after, right) => {
        // What would go on with a number or token is no boundary.
        fc.pre(
          !/[\d.(+][ .\-/()\u00a0\u2011]*$/.test(left + before) &&
            !/^[ .\-/()]*[\d.@:]/.test(after + right) &&
            !/^[\w-]/.test(after + right),
        );
        const input = `${left}${before === '' && left !== '' ? ' ' : before}${value}${after === '' && right !== '' ? ' ' : after}${right}`;
        const output = masked(maskerOf([name], strategy), input);
        expect(output).not.toBe('unchanged');
        expect(output).not.toContain(secretIn(name, value));
      }),
      { numRuns: 3000 },
    );
  });

  it('no address of RFC 5322 is left whole, whatever signs its local part has', () => {
    fc.assert(
      fc.property(fc.emailAddress(), around, (value, left) => {
        fc.pre(
          !/^[\d.]+$/.test(value.slice(value.indexOf('@') + 1)) && !/^[^\w%+]*@|[=/?&|{}][!#$'*^`~.-]*@/.test(value),
        );
        expect(masked(maskerOf(['email']), `${left} ${value} `)).not.toContain(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('redact and partial leave nothing that they would mask again', () => {
    fc.assert(
      fc.property(planted, fc.constantFrom('redact', 'partial'), ({ name, value }, strategy) => {
        const masker = maskerOf([name], strategy);
        expect(masked(masker, masked(masker, value) as string)).toBe('unchanged');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('checksums', () => {
  it('a card with any other last digit is left alone', () => {
    fc.assert(
      fc.property(cardWith(fc.constant('')), fc.integer({ min: 1, max: 9 }), (value, step) => {
        const wrong = value.slice(0, -1) + String((Number(value.at(-1)) + step) % 10);
        expect(masked(maskerOf(['credit-card']), wrong)).toBe('unchanged');
      }),
    );
  });

  it('an IBAN with any other check digits is left alone', () => {
    fc.assert(
      fc.property(iban, fc.integer({ min: 1, max: 96 }), (value, step) => {
        const check = String(
          ((Number(value.slice(2, 4)) + step) % 97) + (Number(value.slice(2, 4)) + step >= 97 ? 97 : 0),
        )
          .slice(-2)
          .padStart(2, '0');
        fc.pre((Number(check) - Number(value.slice(2, 4))) % 97 !== 0);
        expect(masked(maskerOf(['iban']), value.slice(0, 2) + check + value.slice(4))).toBe('unchanged');
      }),
    );
  });
});

describe('values without an entity', () => {
  it('come through untouched: UUIDs, timestamps, floats, integers', () => {
    const all = maskerOf(BUILT_IN_ENTITY_NAMES.filter((name) => name !== 'br-cpf' && name !== 'ip-address'));
    const floats = fc.double({ noNaN: true, noDefaultInfinity: true }).map(String);
    const dates = fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map((date) => date.toISOString());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uuid(),
          dates,
          dates.map((date) => `${date.slice(0, 10)} ${date.slice(11, 23)}+00`),
          fc.integer().map(String),
          floats.filter((text) => !/^-?\d{13,}$/.test(text)),
        ),
        (value) => {
          expect(masked(all, value)).toBe('unchanged');
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('a UUID of digits alone comes through, though 16 of them are a card', () => {
    expect(masked(maskerOf(['credit-card']), '41111111-1111-1111-8123-123456789012')).toBe('unchanged');
    expect(masked(maskerOf(['credit-card']), '41111111-1111-1111')).toBe('[credit-card]');
  });
});

describe('mayMatch', () => {
  const soup = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    around.map(bytesOf),
    chars('0123456789 -.()+@:/eyJskAIDE_"\\u', 0, 60).map(bytesOf),
    fc
      .tuple(fc.uint8Array({ maxLength: 8 }), planted, fc.uint8Array({ maxLength: 8 }))
      .map(([left, { value }, right]) => Uint8Array.from([...left, ...bytesOf(value), ...right])),
  );
  const scans = new Map(
    BUILT_IN_ENTITIES.map((detector) => [
      detector.name,
      new FindingScan([{ detector }], [{ rank: 0, eager: false, order: 0 }]),
    ]),
  );

  it('is never false where the exact look finds something, alone or among random wire bytes', () => {
    fc.assert(
      fc.property(
        soup,
        planted,
        fc.boolean(),
        fc.uint8Array({ maxLength: 12 }),
        fc.uint8Array({ maxLength: 12 }),
        (random, { value }, plant, left, right) => {
          const bytes = plant ? bytesOf(value) : random;
          for (const [name, scan] of scans) {
            if (scan.scan(bytes, 0, bytes.length) === undefined) continue;
            const masker = maskerOf([name]);
            expect(masker.mayMatch(bytes, 0, bytes.length), name).toBe(true);
            const wire = Uint8Array.from([...left, ...bytes, ...right]);
            expect(masker.mayMatch(wire, 0, wire.length), `${name} in wire bytes`).toBe(true);
          }
        },
      ),
      { numRuns: 2500 },
    );
  });

  it('is never false where maskJson changes something', () => {
    fc.assert(
      fc.property(planted, fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), ({ name, value }, escaped) => {
        const inside = [...JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/')];
        const text = `{"k":"${inside.map((char, index) => (escaped[index % 10] && /[\w@.-]/.test(char) && inside[index - 1] !== '\\' ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char)).join('')}"}`;
        const bytes = bytesOf(text);
        expect(JSON.parse(text)).toEqual({ k: value });
        const result = maskerOf([name]).maskJson(bytes, 0, bytes.length, new Map());
        expect(new TextDecoder().decode(result as Uint8Array)).not.toContain(secretIn(name, value));
        JSON.parse(new TextDecoder().decode(result as Uint8Array));
      }),
      { numRuns: 2000 },
    );
  });

  it('rules out plain rows: names, dates, UUIDs, amounts', () => {
    const masker = maskerOf([
      'email',
      'credit-card',
      'us-ssn',
      'phone',
      'iban',
      'jwt',
      'private-key',
      'api-key',
      'password-in-url',
    ]);
    for (const row of [
      'Ann Miller\t2024-01-15 12:30:45.123456+00\t550e8400-e29b-41d4-a716-446655440000\t12345.67',
      'SELECT 3',
      '1700000000000',
    ]) {
      expect(masker.mayMatch(bytesOf(row), 0, row.length), row).toBe(false);
    }
  });
});
