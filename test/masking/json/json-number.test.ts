import { describe, expect, it } from 'vitest';
import { wholeNumber } from '../../../src/masking/json/json-number.js';
import { createStreamMasker } from '../../../src/masking/streams/stream-masker.js';
import { bytesOf, hash, maskedJson, maskerOf, ruleOf, textOf } from '../support.js';

const CARD = [
  '4111111111111111.0',
  '4111111111111111.00',
  '4.111111111111111e15',
  '41111111111111110000e-4',
  '4111111111111111E+0',
];

describe('a whole number that JSON has with a point or exponent', () => {
  it.each([
    ['4.111111111111111e15', '4111111111111111'],
    ['1.50e1', '15'],
    ['0.12e2', '12'],
    ['100e-2', '1'],
    ['7.0', '7'],
    ['-7.00', '7'],
  ])('%s is %s', (token, whole) => {
    expect(wholeNumber(token)).toBe(whole);
  });

  it.each(['7', '1.5', '0.1e0', '1e-3', '1e99', '1e999999', 'true', '', '1.', '.5', `${'1'.repeat(300)}.0`])(
    '%s is none',
    (token) => {
      expect(wholeNumber(token)).toBeUndefined();
    },
  );

  it.each(CARD)('becomes null where it is a card: %s', (token) => {
    const stream = createStreamMasker({ rules: [ruleOf(['credit-card'])], custom: [], hash }).json(new Map());
    const json = `{"n":${token},"price":12.50}`;
    expect(textOf(stream.push(bytesOf(json))) + textOf(stream.end())).toBe('{"n":null,"price":12.50}');
    expect(maskedJson(maskerOf(['credit-card']), `{"id":4111111111111111,"n":${token}}`)).toBe('{"id":null,"n":null}');
  });

  it.each(['411111111111111.1', '4111111111111112.0', '1.7e15', '12.50'])('stays where it is none: %s', (token) => {
    const stream = createStreamMasker({ rules: [ruleOf(['credit-card'])], custom: [], hash }).json(new Map());
    expect(textOf(stream.push(bytesOf(`[${token}]`))) + textOf(stream.end())).toBe(`[${token}]`);
  });
});
