import { describe, expect, it } from 'vitest';
import { fuzzMaskingChunks } from '../../../scripts/fuzz/masking-chunks.js';
import { compileScanner } from '../../../scripts/scanner.mjs';
import type { MaskCounts } from '../../../src/core/mask.js';
import { chunkEngine, startEngine } from '../../../src/masking/chunks/chunk-engine.js';
import { SCANNER_CODE } from '../../../src/masking/chunks/chunk-engine-code.js';
import { createChunkMasker } from '../../../src/masking/chunks/chunk-masker.js';
import type { StretchMasker } from '../../../src/masking/chunks/chunk-masker.js';
import { masksOf } from '../../../src/masking/mask-set.js';
import { sharedMasker } from '../../../src/masking/shared-masker.js';
import { OWN_KINDS, bytesOf, hash, ruleOf, STANDARD, textOf } from '../support.js';

const COPY = { kind: 'text', delimiter: 9, quote: 34, escape: 34, nullText: '\\N' } as const;
const chunksOf = (entities: readonly string[], strategy: 'partial' | 'redact' | 'hash' = 'partial') =>
  sharedMasker({ rules: [ruleOf(entities, strategy)], hash }).chunks;

function copyData(line: string): Uint8Array {
  const payload = bytesOf(line);
  const message = new Uint8Array(5 + payload.length);
  message[0] = 0x64;
  new DataView(message.buffer).setUint32(1, payload.length + 4);
  message.set(payload, 5);
  return message;
}

function dataRow(cells: readonly (string | null)[]): Uint8Array {
  const parts = cells.map((cell) => (cell === null ? undefined : bytesOf(cell)));
  const row = new Uint8Array(7 + parts.reduce((sum, part) => sum + 4 + (part?.length ?? 0), 0));
  const view = new DataView(row.buffer);
  row[0] = 0x44;
  view.setUint32(1, row.length - 1);
  view.setUint16(5, cells.length);
  let at = 7;
  for (const part of parts) {
    view.setInt32(at, part?.length ?? -1);
    row.set(part ?? [], at + 4);
    at += 4 + (part?.length ?? 0);
  }
  return row;
}

function joined(messages: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((message) => [...message]));
}

/** What goes out of a stretch, what was counted, and which messages were left. */
function run(masker: StretchMasker | undefined, messages: readonly Uint8Array[]) {
  const bytes = joined(messages);
  const counts: MaskCounts = new Map();
  const left: string[] = [];
  const masked = masker?.mask(bytes, 0, bytes.length, counts, (message) => {
    left.push(textOf(message.subarray(5)));
    return message;
  });
  return { out: masked && joined(masked.parts), rows: masked?.rows, counts: Object.fromEntries(counts), left };
}

describe('the scanner over whole chunks', () => {
  it('masks 2,000 random chunks as the exact look at each cell does', { timeout: 60_000 }, () => {
    for (let seed = 0; seed < 2_000; seed += 1)
      expect(
        () => {
          fuzzMaskingChunks(seed);
        },
        `seed ${String(seed)}`,
      ).not.toThrow();
  });

  it('is the module that its source compiles to', async () => {
    expect(Buffer.from(await compileScanner()).toString('base64') === SCANNER_CODE).toBe(true);
  }, 60_000);

  it('masks 4 findings in a row where they stand and writes the lengths of row and cells anew', () => {
    const rows = chunksOf(['email', 'credit-card', 'us-ssn', 'phone']).rows(['text', 'text', 'text']);
    const { out, counts, left } = run(rows, [
      dataRow(['ann@example.com', null, 'card 4111 1111 1111 1111, ssn 123-45-6789']),
      dataRow(['nothing', 'here', '']),
      dataRow(['', null, 'call (415) 555-0132']),
    ]);
    expect(out).toEqual(
      joined([
        dataRow(['*****@example.com', null, 'card **** **** **** 1111, ssn ***-**-6789']),
        dataRow(['nothing', 'here', '']),
        dataRow(['', null, 'call (***) ***-0132']),
      ]),
    );
    expect(counts).toEqual({ email: 1, 'credit-card': 1, 'us-ssn': 1, phone: 1 });
    expect(left).toEqual([]);
  });

  it('masks COPY text and passes \\N, but leaves rows with other escapes and with JSON to the exact look', () => {
    const { out, rows, left } = run(chunksOf(['email']).copy(COPY), [
      copyData('\\N\ta@b.com\t\\N\n'),
      copyData('line\\none\tx\n'),
      copyData('{"m": "a@b.com"}\n'),
      copyData('plain\n'),
    ]);
    expect(textOf(out as Uint8Array)).toContain('\\N\t*****@b.com\t\\N\n');
    expect(left).toEqual(['line\\none\tx\n', '{"m": "a@b.com"}\n']);
    expect(rows).toBe(4);
  });

  const LOCALS = [
    ...Array.from({ length: 40 }, (_, length) => 'l'.repeat(length)),
    ...['o', 'é', '日', '!', '-', '.', "'", ' ', '"', '@', '/'].map((sign) => `abc${sign}efghijklmnopqrs`),
    ...['', '.', '-', '_', '+', '#'].map((sign) => `${sign}name`),
  ];
  const DOMAINS = [
    ...Array.from({ length: 40 }, (_, length) => `${'d'.repeat(length)}.com`),
    ...Array.from({ length: 40 }, (_, length) => `e.${'f'.repeat(length)}`),
    ...['a..com', '.com', 'a.com.', 'a.com..', 'a.b-', 'a.b-.', 'a.co-', 'a.-co', 'a.co-m', 'a-.com', '-a.com', 'com'],
    ...[
      'a.1com',
      'a.c1',
      'a.1',
      'a.com.1',
      '1.2.3-x',
      '1.2.3',
      'v1.2.3-beta',
      'a.png',
      'a.jpeg',
      'a.pngs',
      'a.b.c.d.ef',
    ],
    ...['münchen.de', 'a.münchen', 'a.com日', 'a.com。', 'a.comé', `${'g'.repeat(26)}.comé`, `${'g'.repeat(30)}.日本`],
    ...['a.com/x', 'a.com:80', 'a.com@b.org', 'masked.invalid', 'a_b.com', 'a.c_m'],
  ];

  it(`takes ${LOCALS.length} kinds of local parts and ${DOMAINS.length} of domains for what the exact look takes them`, () => {
    const masker = sharedMasker({ rules: [ruleOf(['email'])], hash });
    const rows = masker.chunks.rows(['text']);
    const texts = [
      ...LOCALS.flatMap((local) => [`${local}@example.com`, `so ${local}@example.com, and`]),
      ...DOMAINS.flatMap((domain) => [`ann@${domain}`, `ann@${domain} and`, `ann@${domain}\t`]),
    ];
    for (const text of texts) {
      const { out, left } = run(rows, [dataRow([text])]);
      const exact = masker.maskText(text, new Map());
      expect(textOf((out as Uint8Array).subarray(11)), text).toBe(left.length > 0 ? text : exact);
      // Left are a quote right before the sign, and addresses that share bytes.
      expect(left.length > 0, text).toBe(/[";]@|@.*@b/.test(text));
    }
  });

  it.each(['three', 'more', 'most'])('tells keys that begin alike apart, those of %s bytes too', (length) => {
    const literals = {
      three: ['SG.', 'hf_', 'eyJ'],
      more: ['ghp_', 'gho_', 'npm_', 'AKIA'],
      most: ['sk_live_', 'rk_test_'],
    };
    const rows = chunksOf(['api-key', 'jwt']).rows(['text']);
    for (const literal of literals[length as keyof typeof literals]) {
      const key =
        literal === 'eyJ'
          ? `${literal}hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${'x'.repeat(43)}`
          : literal + 'Ab1cD2eF3g'.repeat(7);
      for (const before of ['', ' ', 'key: ', 'x'.repeat(13) + ' ']) {
        expect(run(rows, [dataRow([before + key])]).left, before + key).toHaveLength(1);
        const other = `${before}${literal.slice(0, -1)}*${'Ab1cD2eF3g'.repeat(7)}`;
        expect(run(rows, [dataRow([other])]).left, other).toEqual([]);
      }
    }
  });

  it('gives the chunk itself back, not a copy, where nothing stands in it', () => {
    const bytes = joined([copyData('one\n'), copyData('two\n')]);
    const masked = chunksOf(STANDARD)
      .copy(COPY)
      ?.mask(bytes, 0, bytes.length, new Map(), () => undefined);
    expect(masked?.parts).toHaveLength(1);
    expect(masked?.parts[0]?.buffer).toBe(bytes.buffer);
    expect(masked?.rows).toBe(2);
  });

  it('does not look at cells that pass, and finds nothing across the borders of cells', () => {
    const rows = chunksOf(['credit-card', 'us-ssn']).rows(['pass', 'text', 'text']);
    const { out, left } = run(rows, [dataRow(['4111111111111111', '4111 1111', ' 1111 1111'])]);
    expect(out).toEqual(dataRow(['4111111111111111', '4111 1111', ' 1111 1111']));
    expect(left).toEqual([]);
  });

  it('leaves a row of 200 KiB, more than it holds, to the exact look, and the rows around it not', () => {
    const long = dataRow([`${'x'.repeat(200 * 1024)} a@b.com`]);
    const messages = [dataRow(['a@b.com']), long, dataRow(['b@c.com'])];
    const { out, left, rows } = run(chunksOf(['email']).rows(['text']), messages);
    expect(left).toHaveLength(1);
    expect(rows).toBe(3);
    expect(out).toEqual(joined([dataRow(['*****@b.com']), long, dataRow(['*****@c.com'])]));
  });

  it.each([
    ['no line end', COPY, 'piece a@b.com'],
    ['an escape that goes on', COPY, 'piece a@b.com\\\n'],
    ['an open quote', { ...COPY, kind: 'csv', delimiter: 0x2c } as const, '"piece a@b.com\n'],
  ])('stops at a piece of a COPY row: %s', (_what, format, piece) => {
    const first = copyData('a line\n');
    const bytes = joined([first, copyData(piece), copyData('b@c.com\n')]);
    const masked = chunksOf(['email'])
      .copy(format)
      ?.mask(bytes, 0, bytes.length, new Map(), () => undefined);
    expect(masked).toEqual({ parts: [first], rows: 1, end: first.length });
  });

  it('masks fields of text columns alone, and leaves rows with a finding in another', () => {
    const copy = chunksOf(['email']).copy(COPY, ['decided', 'text']);
    const { out, left } = run(copy, [copyData('7\ta@b.com\n'), copyData('a@b.com\tx\n')]);
    expect(out).toEqual(joined([copyData('7\t*****@b.com\n'), copyData('a@b.com\tx\n')]));
    expect(left).toEqual(['a@b.com\tx\n']);
  });

  it('leaves every finding whose strategy is hash to the exact look', () => {
    expect(run(chunksOf(['email'], 'hash').copy(COPY), [copyData('a@b.com\n'), copyData('x\n')]).left).toEqual([
      'a@b.com\n',
    ]);
  });

  it.each([
    ['a cell longer than its row', (row: Uint8Array) => row.with(10, 99)],
    ['another count of columns', (row: Uint8Array) => row.with(6, 2)],
    ['a row that ends before its length', (row: Uint8Array) => row.with(4, 60)],
    ['a length below 4', (row: Uint8Array) => row.with(4, 3)],
  ])('gives nothing for %s', (_what, spoil) => {
    const bytes = joined([dataRow(['a@b.com']), spoil(dataRow(['second']))]);
    const masked = chunksOf(['email'])
      .rows(['text'])
      ?.mask(bytes, 0, bytes.length, new Map(), () => undefined);
    expect(masked).toBeUndefined();
  });

  it('does not take what it can not rule out: a pattern without a plain beginning, binary COPY, other columns', () => {
    const custom = [{ name: 'any', pattern: '[0-9]{3}x', validate: 'none' as const }];
    expect(sharedMasker({ rules: [ruleOf(['any'])], custom, hash }).chunks.copy(COPY)).toBeUndefined();
    expect(chunksOf(['email']).copy({ ...COPY, kind: 'binary' })).toBeUndefined();
    expect(chunksOf(['email']).rows(['text', 'other'])).toBeUndefined();
  });
});

describe('maskers of a plan', () => {
  it('are one for rules that mask alike, whatever these are called, and another for other text or key', () => {
    const rule = ruleOf(['email'], 'replace', 'x');
    const masker = sharedMasker({ rules: [rule], hash });
    expect(sharedMasker({ rules: [{ ...rule, name: 'other/name' }], hash })).toBe(masker);
    expect(sharedMasker({ rules: [{ ...rule, with: 'y' }], hash })).not.toBe(masker);
    expect(sharedMasker({ rules: [rule], hash: (input) => hash(input) })).not.toBe(masker);
  });
});

describe('work of the scanner', () => {
  const HOSTILE = [
    '@',
    'a@',
    'a.a.a.a@',
    'a@b.co@',
    '"@',
    '1-',
    '1',
    '4111',
    '4111 ',
    '4-1 ',
    '411111111111',
    '123-45-6789-',
    '+1',
    '+1 ',
    '(415) ',
    '415)',
    '415-555-',
    'DE89',
    'DE89 3704 ',
    '1.',
    '1.2.3.4.',
    ':',
    '::',
    '::1',
    '1:',
    'a:',
    'eyJ',
    'eyJ-',
    '-eyJ',
    'eyJaaaaaaaaaa.',
    '-----BEGIN ',
    '-----BEGIN KEX',
    'sk-',
    'sk-a-',
    'ghp_',
    'AKIA',
    'xoxb-',
    'x://u:p',
    '://',
    'a://',
    ':@',
    '12\u2013',
    '123 \u2013 ',
    '123 - ',
    '\u00e9@',
    ' ',
    'a',
    '-a@',
    "a.'@",
  ];

  it('reads each byte of hostile text a bounded number of times, however long it is', async () => {
    const engine = startEngine(await compileScanner({ countSteps: true }));
    const masker = createChunkMasker(masksOf({ rules: [ruleOf(OWN_KINDS)], hash }), engine).rows(['text']);
    const work = (unit: string, count: number): number => {
      const row = dataRow([unit.repeat(Math.ceil(count / unit.length)).slice(0, count)]);
      const before = engine.steps();
      masker?.mask(row, 0, row.length, new Map(), (message) => message);
      return Number(engine.steps() - before);
    };
    for (const unit of HOSTILE) {
      const once = work(unit, 20_000);
      expect(once / 20_000, unit).toBeLessThan(40);
      expect(work(unit, 40_000), unit).toBeLessThan(once * 2.1 + 1_000);
    }
  }, 60_000);

  it('keeps one engine for the process', () => {
    expect(chunkEngine()).toBe(chunkEngine());
    expect(chunkEngine()).toBeDefined();
  });
});
