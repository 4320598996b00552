import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskRule, Strategy } from '../../../src/core/mask.js';
import { holdsShown, isShown } from '../../../src/masking/strategies/shown-value.js';
import { createTextMasker, maskWhole } from '../../../src/masking/text-masker.js';
import { hash, ruleOf } from '../support.js';

const text = (bytes: Uint8Array | null): string => (bytes === null ? '' : new TextDecoder().decode(bytes));
const rule = (strategy: Strategy, more: Partial<MaskRule> = {}): MaskRule => ({
  ...ruleOf(['email', 'credit-card', 'us-ssn', 'phone', 'iban'], strategy),
  ...more,
});
const VALUES = [
  'ann@corp.example',
  '517-26-5081',
  '4111 1111 1111 1111',
  'DE89370400440532013000',
  'ab',
  'Zürich 8001',
  'x',
];

describe('a value that a mask of whole columns shows', () => {
  it.each<Strategy>(['redact', 'replace', 'partial', 'hash'])('is known again under %s', (strategy) => {
    for (const value of VALUES) {
      const shown = text(maskWhole(rule(strategy, { with: 'hidden' }), new TextEncoder().encode(value), 'ssn', hash));
      if (strategy === 'hash' && /^[+(]|^DE/.test(value)) continue;
      expect([value, shown, isShown(rule(strategy, { with: 'hidden' }), shown)]).toEqual([value, shown, true]);
    }
  });

  it('is known under partial whatever it was, where it hides anything', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), (value) => {
        const shown = text(maskWhole(rule('partial'), new TextEncoder().encode(value), 'c', hash));
        if (shown === value || value.includes('*')) return;
        expect(isShown(rule('partial'), shown)).toBe(true);
      }),
    );
  });

  it('is none of the values themselves, nor text with stars or brackets that somebody wrote', () => {
    const written = [
      '**bold** text',
      '5 * 4',
      'see [note] below',
      '[1,2]',
      '[]',
      '* item one',
      'a*',
      '900-12-3456x',
      '',
    ];
    for (const strategy of ['redact', 'partial', 'hash', 'null'] as const)
      for (const value of [...VALUES, ...written])
        expect([strategy, value, isShown(rule(strategy), value)]).toEqual([strategy, value, false]);
  });

  it('takes no time over, whatever is given', () => {
    const hostile = [
      '* '.repeat(300_000),
      '*'.repeat(500),
      '+'.repeat(500),
      '*'.repeat(400) + 'a'.repeat(100),
      '[' + 'a '.repeat(250),
    ];
    const before = performance.now();
    for (const value of hostile)
      for (const strategy of ['redact', 'partial', 'hash'] as const) {
        isShown(rule(strategy), value);
        holdsShown(rule(strategy), value);
      }
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe('a text in which entities were masked', () => {
  it.each<Strategy>(['redact', 'partial', 'hash'])('is known again under %s where it is one entity', (strategy) => {
    const masker = createTextMasker({ rules: [rule(strategy)], hash });
    for (const value of ['ann@corp.example', '517-26-5081', '4111 1111 1111 1111']) {
      const shown = masker.maskText(value, new Map());
      expect(shown).not.toBe(value);
      expect([shown, holdsShown(rule(strategy), shown)]).toEqual([shown, true]);
    }
  });

  it('is known under partial with text around it', () => {
    const masker = createTextMasker({ rules: [rule('partial')], hash });
    for (const value of ['write to ann@corp.example today', 'paid by 4111 1111 1111 1111.']) {
      const shown = masker.maskText(value, new Map());
      expect([shown, holdsShown(rule('partial'), shown)]).toEqual([shown, true]);
    }
  });

  it('is no text that somebody wrote', () => {
    for (const value of [
      'Dear [name], your [email] is',
      '** note',
      '**bold** 12',
      '5 ***** stars 4',
      '***** 5 stars',
      '*@example.com',
      'a@b.example',
      '[name]',
    ])
      for (const strategy of ['redact', 'partial', 'hash'] as const)
        expect([strategy, value, holdsShown(rule(strategy), value)]).toEqual([strategy, value, false]);
  });
});
