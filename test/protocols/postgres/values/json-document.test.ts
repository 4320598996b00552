import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonMask, MaskRule } from '../../../../src/core/mask.js';
import { CellMasker } from '../../../../src/protocols/postgres/values/cell-masker.js';
import { maskDocument } from '../../../../src/protocols/postgres/values/json-document.js';

const rule: MaskRule = {
  name: 'pii/emails',
  entities: [],
  columns: [],
  strategy: 'redact',
  with: '',
  on: { requests: false, answers: true },
  observed: false,
};
const open: JsonMask = { kind: 'leaf', rule: undefined };
const secret: JsonMask = { kind: 'leaf', rule };
const object = (members: Readonly<Record<string, JsonMask>>): JsonMask => ({
  kind: 'object',
  members: new Map(Object.entries(members)),
});
const ROW = object({ id: open, email: secret });

function masked(text: string, mask: JsonMask): string | null {
  const bytes = maskDocument(new TextEncoder().encode(text), mask, {
    free: (token) => (token[0] === 0x22 && token.includes(0x23) ? new TextEncoder().encode('"#"') : undefined),
    ruled: (_, value, label) => (value === undefined ? null : new TextEncoder().encode(`[${label}]`)),
    // What begins with a 9 nothing can stand for; a 8 would become what is no number.
    typed: (_, typeOid, value) =>
      typeOid === 0 ? undefined : value[0] === 0x39 ? null : new TextEncoder().encode(value[0] === 0x38 ? '0x1' : '77'),
  });
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

describe('a JSON document of which it is known what stands where', () => {
  it.each([
    ['{"id" : 3, "email" : "ann@example.com"}', ROW, '{"id" : 3, "email" : "[email]"}'],
    ['{"email": null, "id": 1.50}', ROW, '{"email": null, "id": 1.50}'],
    ['{"email": 5, "id": {"email": "a"}}', ROW, '{"email": null, "id": {"email": "a"}}'],
    ['{"email": ["a", "]", {"x": "}"}], "id": 1}', ROW, '{"email": null, "id": 1}'],
    [
      ' [ {"id":1,"email":"a\\"b"} ,\n {"email":"c"} ] ',
      { kind: 'list', item: ROW },
      ' [ {"id":1,"email":"[email]"} ,\n {"email":"[email]"} ] ',
    ],
    ['[1, "a", "a # b"]', { kind: 'array', items: [open, secret, open] }, '[1, "[masked]", "#"]'],
    ['[]', { kind: 'array', items: [open] }, '[]'],
    ['null', ROW, 'null'],
    ['{"c": null, "l": []}', object({ c: ROW, l: { kind: 'list', item: ROW } }), '{"c": null, "l": []}'],
    ['{"\\u0065mail": "a"}', ROW, '{"\\u0065mail": "[email]"}'],
  ] as const)('masks %s in its places and leaves the other bytes', (text, mask, expected) => {
    expect(masked(text, mask)).toBe(expected);
  });

  it('keeps numbers and dates of a column what they are, or NULL', () => {
    const typed = object({ n: { kind: 'leaf', rule, typeOid: 23 }, none: { kind: 'leaf', rule, typeOid: 0 } });
    expect(masked('{"n": 5}', typed)).toBe('{"n": 77}');
    expect(masked('{"n": -5.0, "none": 5}', typed)).toBe('{"n": 77, "none": null}');
    expect(masked('{"n": "5"}', typed)).toBe('{"n": "77"}');
    for (const value of ['9', '8', '[5]', '{"n": 5}', 'true'])
      expect(masked(`{"n": ${value}}`, typed)).toBe('{"n": null}');
  });

  it.each([
    ['another member', '{"id": 1, "mail": "ann@example.com"}', ROW],
    ['a value instead of a row', '"ann@example.com"', ROW],
    ['a list instead of a row', '[{"id": 1}]', ROW],
    ['a row instead of a list', '{"id": 1}', { kind: 'list', item: ROW }],
    ['more items', '[1, "a", 2]', { kind: 'array', items: [open, secret] }],
    ['fewer items', '["a"]', { kind: 'array', items: [open, secret] }],
    ['an end too early', '{"id": 1', ROW],
    ['something behind it', '{"id": 1} 2', ROW],
    ['no value', '{"id": , "email": "a"}', ROW],
    ['nothing', '', ROW],
    ['a string without an end', '{"id": "a', ROW],
  ] as const)('is NULL where it has %s', (_, text, mask) => {
    expect(masked(text, mask)).toBeNull();
  });

  it('is masked in text and in binary form, counted by rule, and NULL in a binary form of another version', () => {
    const counts = new Map<string, number>();
    const maskWhole = (): Uint8Array => new TextEncoder().encode('[x]');
    const cells = new CellMasker({ values: undefined, counts, maskWhole, hash: (input) => input });
    const cell = (typeOid: number, format: number, text: string): string | null | undefined => {
      const column = { name: 'c', typeOid, format, rule: { ...rule, document: ROW } };
      const out = cells.mask(column, cells.shapeOf(typeOid), new TextEncoder().encode(text));
      return out === null || out === undefined ? out : new TextDecoder().decode(out);
    };
    const [row, shown] = ['{"id": 1, "email": "a@b.cc"}', '{"id": 1, "email": "[x]"}'];
    expect([cell(114, 0, row), cell(114, 1, row), cell(3802, 0, row)]).toEqual([shown, shown, shown]);
    expect(cell(3802, 1, `\u0001${row}`)).toBe(`\u0001${shown}`);
    expect([cell(25, 0, row), cell(1043, 1, row)]).toEqual([shown, shown]);
    expect([cell(3802, 1, `\u0002${row}`), cell(3802, 1, row)]).toEqual([null, null]);
    // Of a type that holds no document all of it is masked.
    expect(cell(142, 0, row)).toBeNull();
    // No row, no document.
    expect(cell(114, 0, '')).toBeUndefined();
    expect(counts.get('pii/emails')).toBe(7);
  });

  it('hides by a rule that hides NULLs what a value is, and whether it is one', () => {
    const hiding = object({ x: { kind: 'leaf', rule: { ...rule, hidesNulls: true } } });
    for (const value of ['null', '1', '"a"', '[1]', 'true'])
      expect(masked(`{"x": ${value}}`, hiding)).toBe('{"x": "[x]"}');
  });

  it('never shows a masked value, whatever the document', () => {
    const document = fc.letrec((tie) => ({
      value: fc.oneof(fc.constant('SECRET'), fc.integer(), fc.constant(null), tie('list'), tie('row')),
      list: fc.array(tie('value'), { maxLength: 3 }),
      row: fc.dictionary(fc.constantFrom('id', 'email', 'x', '__proto__'), tie('value'), { maxKeys: 3 }),
    })).value;
    fc.assert(
      fc.property(document, (value) => {
        const all: JsonMask = object({ id: secret, email: secret, x: { kind: 'list', item: secret } });
        expect(masked(JSON.stringify(value), all) ?? '').not.toContain('SECRET');
      }),
      { numRuns: 300 },
    );
  });
});
