import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskCounts } from '../../../../src/core/mask.js';
import { CellMasker } from '../../../../src/protocols/postgres/values/cell-masker.js';
import type { TypeLookup } from '../../../../src/protocols/postgres/values/type-shapes.js';
import { maskerOf } from '../../../masking/support.js';
import { i32 } from '../wire.js';

const MAIL = 'ann.lee@example.com';
const TEXT = 25;

const quoted = (text: string, escape: string): string => `"${text.replace(/["\\]/g, (char) => escape + char)}"`;
const doubled = (text: string): string => `"${text.replace(/["\\]/g, '$&$&')}"`;
const hexOf = (text: string): string => `\\x${Buffer.from(text).toString('hex')}`;
const asXml = (text: string): string =>
  `<a>${Array.from(text, (char) => `&#${String(char.codePointAt(0))};`).join('')}</a>`;

/** Ways to put a text into another, as the server writes them. */
const WRAPPERS: Readonly<Record<string, (text: string) => string>> = {
  array: (text) => `{plain,${quoted(text, '\\')},NULL}`,
  'array of arrays': (text) => `{{a,${quoted(text, '\\')}},{"b \\"c\\"",NULL}}`,
  'array with bounds': (text) => `[0:1]={${quoted(text, '\\')},b}`,
  composite: (text) => `(,${doubled(text)},"a ""b"" \\\\")`,
  hstore: (text) => `"k"=>${quoted(text, '\\')}, "l"=>NULL`,
  'hstore key': (text) => `${quoted(text, '\\')}=>"v"`,
  json: (text) => JSON.stringify({ a: [1, null, text] }),
  'json key': (text) => JSON.stringify({ [text]: { b: 'c' } }),
  'json escapes': (text) =>
    `["${Array.from(text, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"]`,
  hex: hexOf,
  xml: asXml,
};
const path = fc.array(fc.constantFrom(...Object.keys(WRAPPERS)), { minLength: 1, maxLength: 5 });
const wrapped = (text: string, names: readonly string[]): string =>
  names.reduce((inside, name) => WRAPPERS[name]?.(inside) ?? inside, text);

/** Takes everything apart again, by rules of its own: every text that a client could get at. */
function unwrapped(text: string, depth = 0): string[] {
  if (depth > 12) return [text];
  const found = [text];
  const inside = (value: string): void => {
    found.push(...unwrapped(value, depth + 1));
  };
  if (/^\\x(?:[0-9a-f]{2})+$/.test(text)) inside(Buffer.from(text.slice(2), 'hex').toString());
  for (const [, string] of text.matchAll(/"((?:[^"\\]|\\.|"")*)"/g)) {
    inside((string ?? '').replace(/\\(.)/g, '$1'));
    inside((string ?? '').replace(/""/g, '"').replace(/\\\\/g, '\\'));
    inside((string ?? '').replace(/\\u([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(parseInt(unit, 16))));
  }
  if (text.includes('&#')) inside(text.replace(/&#(\d+);/g, (_, point: string) => String.fromCodePoint(Number(point))));
  return found;
}

const KNOWN: Readonly<Record<number, ReturnType<TypeLookup['type']>>> = {
  90_001: { name: 'hstore', kind: 'base', of: 0, relation: 0 },
  90_002: { name: 'pair', kind: 'composite', of: 0, relation: 7 },
  90_003: { name: 'mood', kind: 'enum', of: 0, relation: 0 },
  90_004: { name: 'pairs', kind: 'domain', of: 90_005, relation: 0 },
  90_005: { name: '_pair', kind: 'array', of: 90_002, relation: 0 },
};
const TYPES: TypeLookup = {
  type: (oid) => KNOWN[oid],
  relation: (oid) => (oid === 7 ? { columns: [{ typeOid: 17 }, { typeOid: 23 }] } : undefined),
};

function maskedCell(typeOid: number, format: number, value: Uint8Array, counts: MaskCounts = new Map()): string | null {
  const cells = new CellMasker({ values: maskerOf(['email', 'credit-card']), counts, types: TYPES });
  const cell = cells.mask({ name: 'c', typeOid, format }, cells.shapeOf(typeOid), value);
  return cell === undefined ? 'unchanged' : cell === null ? null : Buffer.from(cell).toString('latin1');
}
const inText = (typeOid: number, text: string): string | null => maskedCell(typeOid, 0, Buffer.from(text));

describe('values in text form', () => {
  it('hold no planted address however they are nested, up to 5 deep in 11 ways', () => {
    fc.assert(
      fc.property(path, fc.constantFrom(0, TEXT, 90_001, 99_999), (names, typeOid) => {
        const whole = wrapped(`to ${MAIL}, bye`, names);
        const masked = inText(typeOid, whole);
        // In a text column only escapes or the address itself make a value worth taking apart.
        if (masked === null) return;
        expect(masked).not.toBe('unchanged');
        for (const text of unwrapped(masked)) expect(text).not.toContain(MAIL);
      }),
      { numRuns: 400 },
    );
  });

  it('keep every byte where nothing is planted', () => {
    fc.assert(
      fc.property(path, fc.string({ maxLength: 12 }), fc.constantFrom(0, TEXT, 99_999), (names, text, typeOid) => {
        const plain = text.replace(/[@\d]/g, '');
        expect(inText(typeOid, wrapped(plain, names))).toBe('unchanged');
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, and keeps no address, for an address among arbitrary text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}()[]"\\,=><&#;x06u \n') }),
        fc.integer({ min: 0, max: 40 }),
        (noise, at) => {
          const whole = `${noise.slice(0, at)} ${MAIL} ${noise.slice(at)}`;
          for (const typeOid of [TEXT, 0, 1009, 2249, 114, 142, 17, 3614, 3906, 4532, 90_001, 90_004, 23, 1700, 1186])
            expect(inText(typeOid, whole) ?? '').not.toContain(MAIL);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    [1009, `{a,"b ${MAIL}",NULL}`, '{a,"b [email]",NULL}'],
    [1009, `{{a,${MAIL}},{"x \\"y\\"",z}}`, '{{a,"[email]"},{"x \\"y\\"",z}}'],
    [2249, `(1,"a ""${MAIL}"" \\\\",)`, '(1,"a ""[email]"" \\\\",)'],
    [3614, `'${MAIL}':1A,2 'it''s':3`, "'[email]':1A,2 'it''s':3"],
    [142, `<a b='${MAIL}'>x &lt; ann.lee&#64;example.com<![CDATA[ <]]></a>`, "<a b='[email]'>x &lt; [email] &lt;</a>"],
    [114, `{"a":"ann.lee\\u0040example.com", "b":  1.0}`, '{"a":"[email]", "b":  1.0}'],
    [17, hexOf(`to ${MAIL}`), hexOf('to [email]')],
    [90_001, `"k"=>"${MAIL}", "l"=>NULL`, '"k"=>"[email]", "l"=>NULL'],
    [90_002, `("${hexOf(MAIL).replace('\\', '\\\\')}",7)`, `("${hexOf('[email]').replace('\\', '\\\\')}",7)`],
    [
      90_005,
      `{"(\\"${hexOf(MAIL).replace('\\', '\\\\\\\\')}\\",7)"}`,
      `{"(\\"${hexOf('[email]').replace('\\', '\\\\\\\\')}\\",7)"}`,
    ],
    [
      90_004,
      `{"(\\"${hexOf(MAIL).replace('\\', '\\\\\\\\')}\\",7)"}`,
      `{"(\\"${hexOf('[email]').replace('\\', '\\\\\\\\')}\\",7)"}`,
    ],
    [90_003, MAIL, null],
    [3906, `[1,4111111111111111)`, null],
    [4532, `{[1,2),[5,4111111111111111)}`, null],
    [1700, '4111111111111111', null],
    [790, '$41,111,111,111,111.11', null],
    [3615, `'${MAIL}' & 'x'`, null],
  ])('of type %i: %s becomes %s', (typeOid, value, expected) => {
    expect(inText(typeOid, value)).toBe(expected);
  });
});

describe('a server that sends something else than its column says', () => {
  it.each([
    [23, MAIL],
    [23, '4111111111111111'],
    [21, MAIL],
    [16, MAIL],
    [1082, `2024-01-01 ${MAIL}`],
    [1114, `2024-01-01 10:00:00 ${MAIL}`],
    [1186, `1 day ${MAIL}`],
    [2950, MAIL],
    [700, MAIL],
    [1007, `{5},${MAIL}`],
    [3904, `[1,${MAIL})`],
  ])('in text of type %i gets nothing past: %s', (typeOid, text) => {
    expect(inText(typeOid, text)).toBeNull();
  });

  it.each([
    [23, MAIL],
    [16, MAIL],
    [1114, MAIL],
    [2950, 'a@b.example.com!'],
    [1700, MAIL],
    [869, MAIL],
    [1007, MAIL],
    [3904, MAIL],
    [2206, MAIL],
  ])('in binary of type %i gets nothing past: %s', (typeOid, text) => {
    expect(maskedCell(typeOid, 1, Buffer.from(text))).toBeNull();
  });

  it.each([
    [16, 't'],
    [18, 'x'],
    [18, '\\303'],
    [21, '-32768'],
    [23, '-2147483648'],
    [26, '4294967295'],
    [27, '(4294967295,65535)'],
    [700, '-1.1754944e-38'],
    [700, 'NaN'],
    [1082, '2024-02-29'],
    [1082, '0044-03-15 BC'],
    [1082, '29.02.2024'],
    [1082, 'infinity'],
    [1083, '04:05:06.789'],
    [1114, '2024-02-29 04:05:06.123456'],
    [1114, 'Wed Dec 17 07:37:16 1997'],
    [1184, '2024-02-29 04:05:06.1+05:30'],
    [1184, '17/12/1997 07:37:16.00 PST'],
    [1186, '1 year 2 mons -3 days +04:05:06.7'],
    [1186, '@ 1 year 2 mons -3 days 4 hours 5 mins 6.7 secs ago'],
    [1186, 'P1Y2M-3DT4H5M6.7S'],
    [1186, '+1-2 -3 +4:05:06.7'],
    [1266, '04:05:06-08'],
    [2950, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    [3220, '16/B374D848'],
  ])('type %i as the server writes it stays: %s', (typeOid, text) => {
    // A masker that finds something in everything shows what is not even looked at.
    const values = {
      mayMatch: () => true,
      maskValue: () => null,
      maskJson: () => null,
      maskText: () => '',
    };
    const cells = new CellMasker({ values, counts: new Map() });
    expect(cells.mask({ name: 'c', typeOid, format: 0 }, cells.shapeOf(typeOid), Buffer.from(text))).toBeUndefined();
  });
});

describe('values in binary form', () => {
  const prefixed = (value: Uint8Array | null): Buffer =>
    value === null ? i32(-1) : Buffer.concat([i32(value.length), value]);
  const array = (oid: number, ...values: (Uint8Array | null)[]): Buffer =>
    Buffer.concat([
      i32(1),
      i32(values.includes(null) ? 1 : 0),
      i32(oid),
      i32(values.length),
      i32(1),
      ...values.map(prefixed),
    ]);
  const record = (...fields: (readonly [number, Uint8Array | null])[]): Buffer =>
    Buffer.concat([i32(fields.length), ...fields.flatMap(([oid, value]) => [i32(oid), prefixed(value)])]);
  const hstore = (...pairs: (readonly [string, string | null])[]): Buffer =>
    Buffer.concat([
      i32(pairs.length),
      ...pairs.flatMap(([key, value]) => [
        prefixed(Buffer.from(key)),
        prefixed(value === null ? null : Buffer.from(value)),
      ]),
    ]);
  const mail = Buffer.from(MAIL);
  const int8 = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return bytes;
  };
  const binary = (typeOid: number, value: Uint8Array): Buffer | null | 'unchanged' => {
    const masked = maskedCell(typeOid, 1, value);
    return masked === null || masked === 'unchanged' ? masked : Buffer.from(masked, 'latin1');
  };
  const hidden = Buffer.from('[email]');

  it('are masked in place with new lengths, and an element without a place for text becomes NULL', () => {
    expect(binary(1009, array(TEXT, Buffer.from('a'), mail, null))).toEqual(
      array(TEXT, Buffer.from('a'), hidden, null),
    );
    expect(binary(1016, array(20, int8(5n), int8(4111111111111111n)))).toEqual(array(20, int8(5n), null));
    expect(binary(2249, record([TEXT, mail], [23, i32(7)], [TEXT, null]))).toEqual(
      record([TEXT, hidden], [23, i32(7)], [TEXT, null]),
    );
    expect(binary(90_001, hstore(['k', MAIL], [MAIL, null]))).toEqual(hstore(['k', '[email]'], ['[email]', null]));
    expect(binary(3802, Buffer.from(`\x01{"a":"${MAIL}"}`))).toEqual(Buffer.from('\x01{"a":"[email]"}'));
    expect(binary(17, mail)).toEqual(hidden);
    expect(binary(17, Buffer.concat([mail, Buffer.from([0])]))).toBeNull();
    expect(
      binary(3926, Buffer.concat([Buffer.from([2]), prefixed(int8(1n)), prefixed(int8(4111111111111111n))])),
    ).toBeNull();
    expect(binary(3926, Buffer.concat([Buffer.from([2]), prefixed(int8(1n)), prefixed(int8(9n))]))).toBe('unchanged');
  });

  it('of a type that nobody knows are known by their looks, and else NULL when something might stand in them', () => {
    expect(binary(99_999, mail)).toEqual(hidden);
    expect(binary(99_999, array(TEXT, mail))).toEqual(array(TEXT, hidden));
    expect(binary(99_999, record([1009, array(TEXT, mail)]))).toEqual(record([1009, array(TEXT, hidden)]));
    expect(binary(99_999, hstore(['k', MAIL]))).toEqual(hstore(['k', '[email]']));
    expect(binary(99_999, int8(4111111111111111n))).toBeNull();
    expect(binary(99_999, Buffer.concat([Buffer.from([1]), mail]))).toBeNull();
    expect(binary(99_999, Buffer.from(MAIL, 'utf16le'))).toBeNull();
    expect(binary(99_999, Buffer.from([1, 2, 3, 4, 5]))).toBe('unchanged');
  });

  it('hold no planted address however they are nested, 6 deep, and whatever is cut off or changed', () => {
    const wrap = fc.constantFrom<(inside: Buffer, oid: number) => readonly [Buffer, number]>(
      (inside, oid) => [array(oid, inside, null), 0],
      (inside, oid) => [record([23, i32(1)], [oid, inside]), 2249],
      (inside) => [
        Buffer.concat([Buffer.from([1]), Buffer.from(JSON.stringify({ a: inside.toString('latin1') }))]),
        3802,
      ],
    );
    fc.assert(
      fc.property(
        fc.array(wrap, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.nat(255),
        fc.boolean(),
        (wraps, at, byte, spoil) => {
          let value: Buffer = mail;
          let oid = TEXT;
          for (const one of wraps) [value, oid] = one(value, oid);
          if (spoil) value[at % value.length] = byte;
          const masked = maskedCell(99_999, 1, value);
          if (spoil && !value.toString('latin1').includes(MAIL)) return;
          expect(masked === null || (masked !== 'unchanged' && !masked.includes(MAIL))).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});
