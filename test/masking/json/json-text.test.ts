import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskCounts } from '../../../src/core/mask.js';
import { bytesOf, maskedJson, maskerOf, STANDARD } from '../support.js';

describe('masking of JSON', () => {
  const masker = maskerOf(['email', 'credit-card', 'us-ssn', 'password-in-url']);

  it.each([
    ['{"email":"joe@example.com"}', '{"email":"[email]"}'],
    ['{"email":"joe\\u0040example.com"}', '{"email":"[email]"}'],
    ['{"e":"\\u006aoe@ex\\u0061mple.com"}', '{"e":"[email]"}'],
    ['{"joe@example.com":1}', '{"[email]":1}'],
    ['"joe@example.com"', '"[email]"'],
    [' [ "x" , "joe@example.com" ] ', ' [ "x" , "[email]" ] '],
    ['{"a":"say \\"hi\\" to joe@example.com\\n"}', '{"a":"say \\"hi\\" to [email]\\u000a"}'],
    ['{"a":"\\ud83d\\ude00 joe@example.com"}', '{"a":"😀 [email]"}'],
    ['{"u":"https:\\/\\/u:pw@h\\/"}', '{"u":"https://u:[password-in-url]@h/"}'],
    ['{"card":4111111111111111}', '{"card":null}'],
    ['{"card":"\\u0034111111111111111","n":1.10}', '{"card":"[credit-card]","n":1.10}'],
    ['{"a":{"b":[["123-45-6789"]]},"a":1e2}', '{"a":{"b":[["[us-ssn]"]]},"a":1e2}'],
    ['"\\n4111111111111111"', '"\\u000a[credit-card]"'],
  ])('%s becomes %s', (value, expected) => {
    expect(maskedJson(masker, value)).toBe(expected);
    JSON.parse(expected);
  });

  it.each([
    '{"a" : "\\u0040x", "b":1.0000000000000001, "b":-0}',
    '[1,2,{"x":"\\u00e9"}]',
    '"\\ud800"',
    '{}',
    '[]',
    ' null ',
  ])('leaves %s byte-identical', (value) => {
    expect(maskedJson(masker, value)).toBe('unchanged');
  });

  it.each([
    '{"a":"joe@example.com"',
    '{"a":"joe@example.com",}',
    "{'a':'joe@example.com'}",
    '[01,"joe@example.com"]',
    '"joe@example.com\\x"',
    '"joe@example.com" 1',
    '["joe@example.com"}',
  ])('masks %s, which is not JSON, as one value, and counts once', (value) => {
    const counts: MaskCounts = new Map();
    const bytes = bytesOf(value);
    const result = masker.maskJson(bytes, 0, bytes.length, counts);
    expect(new TextDecoder().decode(result as Uint8Array)).toBe(value.replace('joe@example.com', '[email]'));
    expect(counts.get('email')).toBe(1);
  });

  it('null makes the string null, and a key a placeholder', () => {
    expect(maskedJson(maskerOf(['email'], 'null'), '{"a":"joe@example.com","ann@example.com":[1]}')).toBe(
      '{"a":null,"[masked]":[1]}',
    );
  });

  it('goes 100,000 levels deep without a stack', () => {
    const depth = 100_000;
    const value = '['.repeat(depth) + '"joe@example.com"' + ']'.repeat(depth);
    expect(maskedJson(masker, value)).toBe(value.replace('joe@example.com', '[email]'));
  });

  it('agrees with JSON.parse on what is JSON, and changes no value without a finding', () => {
    const quiet = maskerOf(['private-key']);
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', '0', '\\', 'x'), (json, at, extra) => {
        const cut = at % (json.length + 1);
        const value = `["\\u002d----BEGIN PRIVATE KEY-----",${json.slice(0, cut)}${extra}${json.slice(cut)}]`;
        const result = maskedJson(quiet, value) as string;
        let valid = true;
        try {
          JSON.parse(value);
        } catch {
          valid = false;
        }
        // As JSON the first string alone is masked; as one value everything from its label on.
        if (valid)
          expect(JSON.parse(result)).toEqual(
            JSON.parse(value.replace('\\u002d----BEGIN PRIVATE KEY-----', '[private-key]')),
          );
        else expect(result).toMatch(/^\["\\u002d\[private-key\]$/);
      }),
    );
  });

  it('masks a planted secret in any string or key, however its characters are escaped', () => {
    const all = maskerOf(STANDARD);
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 15, maxLength: 15 }), fc.boolean(), (escaped, key) => {
        const secret = [...'joe@example.com']
          .map((char, index) => (escaped[index] ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char))
          .join('');
        const result = maskedJson(all, key ? `{"${secret}":1}` : `{"a":"x ${secret} y"}`) as string;
        expect(JSON.parse(result)).toEqual(key ? { '[email]': 1 } : { a: 'x [email] y' });
      }),
    );
  });
});
