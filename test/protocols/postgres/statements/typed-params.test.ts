import { describe, expect, it } from 'vitest';
import { BoundValues } from '../../../../src/protocols/postgres/statements/bound-values.js';
import { typedParams } from '../../../../src/protocols/postgres/statements/typed-params.js';

describe('typedParams', () => {
  it('gives numbers and truth values where the type says so, and text elsewhere', () => {
    expect(typedParams(['7', '-1', '1.5', '2e3', 't', 'off', '7', null], [23, 20, 1700, 701, 16, 16, 25, 23])).toEqual([
      7n,
      -1n,
      1.5,
      2000,
      true,
      false,
      '7',
      null,
    ]);
  });

  it('leaves text where the type is open, or would refuse the value', () => {
    expect(typedParams(['7', 'x', 'maybe', '1_000', '99999999999999999999'], [0, 23, 16, 1700, 20])).toEqual([
      '7',
      'x',
      'maybe',
      '1_000',
      '99999999999999999999',
    ]);
  });

  it('reads what is bound in binary: true, and the float8 0.5', () => {
    const half = new Uint8Array([0x3f, 0xe0, 0, 0, 0, 0, 0, 0]);
    const body = { portal: '', statement: '', formats: [1], values: [new Uint8Array([1]), half], resultFormats: [] };
    expect(new BoundValues(body, [16, 701], 9).typed()).toEqual([true, 0.5]);
  });
});
