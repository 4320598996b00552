import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CopyFormat } from '../../../../src/protocols/postgres/copy/copy-format.js';
import { CopyRowMasker, type CopyColumn } from '../../../../src/protocols/postgres/copy/copy-masker.js';
import { copyFormatIn } from '../../../../src/protocols/postgres/facts/copy-format.js';
import { loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';
import { typedPseudonym } from '../../../../src/masking/strategies/pseudonym-typed.js';
import { maskWhole } from '../../../../src/masking/text-masker.js';
import { hash, maskerOf, ruleOf } from '../../../masking/support.js';
import { i32, u16 } from '../wire.js';

await loadGrammar();

const MAIL = 'ann.lee@example.com';
const formatOf = (options: string): CopyFormat => copyFormatIn(`copy t to stdout ${options}`) as CopyFormat;
const maskerFor = (format: CopyFormat, columns?: readonly CopyColumn[]): CopyRowMasker =>
  new CopyRowMasker(
    format,
    maskerOf(['email', 'credit-card']),
    new Map(),
    columns === undefined ? undefined : { columns, maskWhole, hash },
  );
const header = (flags = 0, extension = Buffer.alloc(0)): Buffer =>
  Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), i32(flags), i32(extension.length), extension]);
const tuple = (...fields: (Uint8Array | string | null)[]): Buffer =>
  Buffer.concat([
    u16(fields.length),
    ...fields.map((field) =>
      field === null ? i32(-1) : Buffer.concat([i32(Buffer.from(field).length), Buffer.from(field)]),
    ),
  ]);
const trailer = u16(0xffff);

/** What comes of a stream that is cut at these places; undefined where the masker stops. */
function streamed(masker: CopyRowMasker, bytes: Buffer, cuts: readonly number[] = []): string | undefined {
  const places = [0, ...[...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b), bytes.length];
  const out: Uint8Array[] = [];
  for (const [index, from] of places.slice(0, -1).entries()) {
    const masked = masker.mask(bytes.subarray(from, places[index + 1]));
    if (masked === undefined) return undefined;
    out.push(masked);
  }
  return Buffer.concat(out).toString('latin1');
}
const cuts = fc.array(fc.nat(10_000), { maxLength: 10 });

describe('COPY in binary form', () => {
  const rows = [tuple(i32(7), 'plain', null), tuple(i32(8), `to ${MAIL}`, Buffer.from([0, 1, 2])), tuple()];
  const stream = Buffer.concat([header(), ...rows, trailer]);
  const expected = Buffer.concat([
    header(),
    rows[0] as Buffer,
    tuple(i32(8), 'to [email]', Buffer.from([0, 1, 2])),
    tuple(),
    trailer,
  ]).toString('latin1');

  it('is masked the same however it is cut into messages', () => {
    fc.assert(
      fc.property(cuts, (places) => {
        expect(streamed(maskerFor(formatOf('(format binary)')), stream, places)).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('passes a message without a finding as it is', () => {
    const masker = maskerFor(formatOf('(format binary)'));
    const first = Buffer.concat([header(), rows[0] as Buffer]);
    expect(masker.mask(first)).toBe(first);
    expect(masker.mask(trailer)).toBe(trailer);
  });

  it('leaves out an extension of the header, and counts an object id that stands before the fields', () => {
    const withIds = Buffer.concat([u16(1), i32(4), i32(99), i32(MAIL.length), Buffer.from(MAIL)]);
    const masked = streamed(
      maskerFor(formatOf('(format binary)')),
      Buffer.concat([header(0x1_0000, Buffer.from(MAIL)), withIds, trailer]),
    );
    expect(masked).toBe(
      Buffer.concat([header(0x1_0000), u16(1), i32(4), i32(99), i32(7), Buffer.from('[email]'), trailer]).toString(
        'latin1',
      ),
    );
  });

  it.each([
    ['another signature', Buffer.from(`PGCOPY\n\xff\r\n\x01${MAIL}, and more`, 'latin1')],
    ['an unknown flag', Buffer.concat([header(0x2_0000), rows[0] as Buffer])],
    ['an extension of 1 GB', header().fill(0x40, 15, 16)],
    ['a field of -2 bytes', Buffer.concat([header(), u16(1), i32(-2)])],
    ['-2 fields', Buffer.concat([header(), u16(0xfffe)])],
    ['something behind the trailer', Buffer.concat([header(), trailer, Buffer.from(MAIL)])],
  ])('stops at %s', (_, bytes) => {
    expect(streamed(maskerFor(formatOf('(format binary)')), bytes)).toBeUndefined();
  });

  it('holds back what is not whole, and lets nothing of arbitrary bytes past that holds the address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), cuts, (noise, places) => {
        const bytes = Buffer.concat([header(), Buffer.from(noise), Buffer.from(MAIL), Buffer.from(noise)]);
        expect(streamed(maskerFor(formatOf('(format binary)')), bytes, places) ?? '').not.toContain(MAIL);
      }),
      { numRuns: 200 },
    );
  });

  it('masks whole columns by their place and type, and stops at a row of another number of fields', () => {
    const columns: CopyColumn[] = [
      { name: 'id', typeOid: 23, rule: ruleOf([], 'hash') },
      { name: 'note', typeOid: 25 },
      { name: 'secret', typeOid: 25, rule: ruleOf([], 'redact') },
    ];
    const other = Buffer.alloc(4);
    other.writeInt32BE(Number(typedPseudonym('integer', '7', hash)));
    const format = formatOf('(format binary)');
    expect(
      streamed(maskerFor(format, columns), Buffer.concat([header(), tuple(i32(7), 'x', 'hunter2'), trailer])),
    ).toBe(Buffer.concat([header(), tuple(other, 'x', '[secret]'), trailer]).toString('latin1'));
    expect(streamed(maskerFor(format, columns), Buffer.concat([header(), tuple(i32(7), 'x')]))).toBeUndefined();
  });
});

describe('COPY in text and CSV form', () => {
  const hex = Buffer.from(MAIL).toString('hex');
  it.each([
    ['', `1\t${MAIL}\t{"a": "b"}\n`, '1\t[email]\t{"a": "b"}\n'],
    ['', `3\tx\\ty ${MAIL}\\n\t\\\\x${hex}\n`, `3\tx\\ty [email]\\n\t\\\\x${Buffer.from('[email]').toString('hex')}\n`],
    ['', `{a,"b ${MAIL}"}\t\\N\n`, '{a,"b [email]"}\t\\N\n'],
    ['csv', `1,${MAIL},"{""a"": 1}"\n`, '1,"[email]","{""a"": 1}"\n'],
    ['csv', `3,"x ""${MAIL}""\nand more, ${MAIL}",z\n`, '3,"x ""[email]""\nand more, [email]",z\n'],
  ])('%s: %s becomes %s', (options, text, expected) => {
    expect(streamed(maskerFor(formatOf(options)), Buffer.from(text))).toBe(expected);
  });

  it('keeps every byte of rows in which nothing is found', () => {
    const text = 'a\\tb\t\\N\t{"k":"\\\\u0041"}\tC:\\\\x\n';
    const payload = Buffer.from(text);
    expect(maskerFor(formatOf('')).mask(payload)).toBe(payload);
    const csv = Buffer.from('"a ""b""",,"x\ny"\r\n');
    expect(maskerFor(formatOf('csv')).mask(csv)).toBe(csv);
  });

  it('masks whole columns by their place, NULL stays NULL, and a header of names is not one of values', () => {
    const columns: CopyColumn[] = [
      { name: 'id', typeOid: 20, rule: ruleOf([], 'hash') },
      { name: 'secret', typeOid: 25, rule: ruleOf([], 'redact') },
      { name: 'born', typeOid: 1082, rule: ruleOf([], 'redact') },
    ];
    const id = typedPseudonym('integer', '7', hash) ?? '';
    const csv = 'id,secret,born\n7,"hunter, 2",2000-01-01\n7,,\n';
    const rows = maskerFor(formatOf('csv header'), columns);
    const shown = csv.match(/.+\n/g)?.map((row) => streamed(rows, Buffer.from(row)));
    expect(shown?.join('')).toBe(`id,secret,born\n"${id}","[secret]",\n"${id}",,\n`);
    const one = maskerFor(formatOf(''), columns);
    expect(streamed(one, Buffer.from('7\thunter\\t2\t2000-01-01\n'))).toBe(`${id}\t[secret]\t\\N\n`);
    expect(streamed(one, Buffer.from('7\t\\N\t\\N\n'))).toBe(`${id}\t\\N\t\\N\n`);
    expect(streamed(maskerFor(formatOf(''), columns), Buffer.from('7\tx\n'))).toBeUndefined();
  });

  it.each([
    ['SJIS', Buffer.from([0x95, 0x5c])],
    ['BIG5', Buffer.from([0xa5, 0x5c])],
    ['GBK', Buffer.from([0x81, 0x5c])],
    ['GB18030', Buffer.from([0x81, 0x30, 0x81, 0x30])],
    ['Shift_JIS_2004', Buffer.from([0x95, 0x5c])],
    ['windows-949', Buffer.from([0x81, 0x41])],
  ])('cuts fields in %s by its characters, of which one ends like a backslash or a letter', (encoding, char) => {
    const row = (...fields: Uint8Array[]): Buffer =>
      Buffer.concat([
        ...fields.flatMap((field, index) => (index === 0 ? [field] : [Buffer.from('\t'), field])),
        Buffer.from('\n'),
      ]);
    const masked = streamed(
      maskerFor({ ...formatOf(''), encoding }),
      row(
        char,
        Buffer.concat([char, Buffer.from(' to '), Buffer.from(MAIL)]),
        Buffer.concat([char, Buffer.from('\\t')]),
      ),
    );
    expect(masked).toBe(
      row(char, Buffer.concat([char, Buffer.from(' to [email]')]), Buffer.concat([char, Buffer.from('\\t')])).toString(
        'latin1',
      ),
    );
  });

  it.each(['', 'csv'])(
    'keeps numbers, money, JSON and arrays what they are where only kinds of data are masked (%s)',
    (options) => {
      const typeOids = [790, 20, 3802, 1016, 25, 23, 0];
      const columns = typeOids.map((typeOid, index) => ({ name: `c${String(index)}`, typeOid }));
      const separator = options === 'csv' ? ';' : '\t';
      const format = formatOf(options === 'csv' ? "csv delimiter ';'" : '');
      const nothing = options === 'csv' ? '' : '\\N';
      const card = '4111111111111111';
      const masked = ['[null]', '{1,NULL}', '[email]', '[email]', '[email]'].map((text) =>
        options === 'csv' ? `"${text}"` : text,
      );
      const one = maskerFor(format, columns);
      const given = ['$41,111,111,111,111.11', card, `[${card}]`, `{1,${card}}`, MAIL, MAIL, MAIL].join(separator);
      expect(streamed(one, Buffer.from(`${given}\n`))).toBe(`${[nothing, nothing, ...masked].join(separator)}\n`);
      const clean = ['$1.00', '7', '{}', '{1}', 'a', '1', ''].join(separator);
      expect(streamed(one, Buffer.from(`${clean}\n`))).toBe(`${clean}\n`);
      // Of another number of fields nothing is known of the types, and all is masked.
      expect(streamed(one, Buffer.from(`${MAIL}${separator}x\n`))).toBe(`${masked[4] as string}${separator}x\n`);
    },
  );

  it('knows the encoding and the header that a statement asks for', () => {
    expect(formatOf("(encoding 'SJIS', header)")).toMatchObject({ encoding: 'SJIS', header: true });
    expect(formatOf('(format csv, header off)')).toMatchObject({ header: false });
    expect(formatOf('csv header')).toMatchObject({ header: true });
  });
});
