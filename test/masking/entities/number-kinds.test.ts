import { describe, expect, it } from 'vitest';
import { BUILT_IN_ENTITY_NAMES } from '../../../src/masking/text-masker.js';
import { NUMBER_KINDS } from '../../../src/masking/entities/built-in.js';
import { readLayout, fitOf } from '../../../src/masking/entities/layout.js';
import { bytesOf, masked, maskerOf } from '../support.js';
import { NUMBERS } from './number-samples.js';

const isSure = (sure: readonly string[], value: string): boolean =>
  sure.some(
    (text) =>
      text.length === value.length && fitOf(readLayout(text, true), bytesOf(value), 0, value.length) === 'whole',
  );

/** The same number with its last sign counted up, and so with a wrong check digit. */
function withOtherEnd(value: string): string {
  const at = value.search(/[0-9A-Za-z][^0-9A-Za-z]*$/);
  const sign = value[at] as string;
  const next = /\d/.test(sign) ? String((Number(sign) + 1) % 10) : String.fromCharCode(sign.charCodeAt(0) + 1);
  return value.slice(0, at) + next + value.slice(at + 1);
}

/** Kinds of which only a part has a check digit at the end, or none. */
const WITHOUT_CHECK_AT_END = new Set(
  'us-itin us-ein us-mbi uk-nino in-pan dk-cpr mac-address vin au-medicare cn-resident-id ie-pps bic ethereum-address'.split(
    ' ',
  ),
);

describe('kinds of numbers', () => {
  it('are at least 40 together with the other built-in kinds, each with samples', () => {
    expect(BUILT_IN_ENTITY_NAMES.length).toBeGreaterThanOrEqual(40);
    expect(new Set(BUILT_IN_ENTITY_NAMES).size).toBe(BUILT_IN_ENTITY_NAMES.length);
    expect(Object.keys(NUMBERS).sort()).toEqual(NUMBER_KINDS.map(({ name }) => name).sort());
  });

  describe.each(NUMBER_KINDS.map((kind) => [kind.name, kind] as const))('%s', (name, { sure = [], words = [] }) => {
    const masker = maskerOf([name]);
    const samples = NUMBERS[name] ?? [];

    it.each(samples)('finds %s where it may stand, behind each of its words', (value) => {
      for (const word of words) {
        expect(masked(masker, `${word}: ${value}.`)).toBe(`${word}: [${name}].`);
        expect(masked(masker, `the ${word.toUpperCase()} (${value})`)).toBe(`the ${word.toUpperCase()} ([${name}])`);
      }
      const alone = isSure(sure, value) ? `[${name}]` : 'unchanged';
      expect(masked(masker, value)).toBe(alone);
      expect(masked(masker, `see ${value}`)).toBe(alone === 'unchanged' ? alone : `see ${alone}`);
    });

    it.each(samples)('leaves %s inside of longer words and numbers', (value) => {
      const word = words[0] ?? 'number';
      for (const text of [`${word} a${value}`, `${word} 1${value}`, `${word} ${value}7`, `${word} ${value}z`])
        expect(masked(masker, text)?.includes(`[${name}]`), text).not.toBe(true);
    });

    it.each(WITHOUT_CHECK_AT_END.has(name) ? [] : samples)('leaves %s with another last sign', (value) => {
      expect(masked(masker, `${words[0] ?? 'number'}: ${withOtherEnd(value)}`)).toBe('unchanged');
    });

    it('takes no word for one that is part of another, or that stands too far away', () => {
      const near = samples.find((value) => !isSure(sure, value));
      const [word] = words;
      if (near === undefined || word === undefined) return;
      expect(masked(masker, `x${word}x ${near}`)).toBe('unchanged');
      expect(masked(masker, `${word} ${'. '.repeat(40)}${near}`)).toBe('unchanged');
    });
  });
});
