import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonicalJson, MAX_DEPTH } from '../../src/core/canonical-json.js';

describe('canonical JSON', () => {
  it('gives the bytes of the example in RFC 8785 §3.2.2 and §3.2.3', () => {
    const value: unknown = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts members by UTF-16 code units as RFC 8785 §3.2.3 shows', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.values(JSON.parse(canonicalJson(value)) as object)).toEqual(
      [4, 2, 6, 7, 1, 5, 3].sort((a, b) => (a === 4 ? -1 : b === 4 ? 1 : 0)),
    );
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  });

  it('writes U+FFFD for a lone surrogate, which has no UTF-8 form', () => {
    expect(canonicalJson('a\ud800b')).toBe('"a\ufffdb"');
    expect(canonicalJson({ ['x\udfff']: 1 })).toBe('{"x\ufffd":1}');
  });

  it('refuses NaN, infinities, bigint, functions and 65 levels', () => {
    for (const value of [NaN, Infinity, 10n, () => 1, undefined, [undefined]])
      expect(() => canonicalJson(value)).toThrow(TypeError);
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(canonicalJson(nested(MAX_DEPTH))).toHaveLength(2 * MAX_DEPTH + 1);
    expect(() => canonicalJson(nested(MAX_DEPTH + 1))).toThrow(TypeError);
  });

  it('leaves out undefined members and writes -0 as 0', () => {
    expect(canonicalJson({ b: -0, a: undefined })).toBe('{"b":0}');
  });

  it('says the same as the value, and is its own canonical form, for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('does not depend on the order in which members were made', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
      }),
    );
  });
});
