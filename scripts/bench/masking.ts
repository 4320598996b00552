/**
 * Speed of the masking engine alone, in MB of wire bytes for each second of CPU time, best of several rounds:
 * `npx tsx scripts/bench/masking.ts [MB]`.
 *
 * Whole messages in chunks of 64 KiB, as a session gets them, masked with `partial`: by the scanner over whole
 * chunks, and message by message in TypeScript, as rows are that the scanner leaves. Then texts and JSON in parts, as
 * answers of models come: parts of 20 bytes, with the time that one takes, and of 64 KiB.
 */
import { createHmac } from 'node:crypto';
import type { MaskCounts, MaskRule } from '../../src/core/mask.js';
import { sharedMasker } from '../../src/masking/shared-masker.js';
import { createStreamMasker } from '../../src/masking/streams/stream-masker.js';
import { maskWhole } from '../../src/masking/text-masker.js';
import { CopyRowMasker } from '../../src/protocols/postgres/copy/copy-masker.js';
import { RowMasker } from '../../src/protocols/postgres/results/row-masker.js';

const megabytes = Number(process.argv[2] ?? 16);
const CHUNK_BYTES = 65_536;
const ROUNDS = 7;
const THREE = ['email', 'credit-card', 'us-ssn'];
const STANDARD = [...THREE, 'phone', 'iban', 'jwt', 'private-key', 'api-key'];
const COPY = { kind: 'text', delimiter: 9, quote: 34, escape: 34, header: false, nullText: '\\N' } as const;

const hash = (input: Uint8Array): Uint8Array => new Uint8Array(createHmac('sha256', 'bench').update(input).digest());
const hex = (seed: number): string => createHmac('md5', 'bench').update(String(seed)).digest('hex');
const uuid = (row: number): string => hex(row).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');

const KINDS: Record<string, (row: number) => string[]> = {
  'no personal data': (row) => [
    String(row),
    ['Anna Miller', 'Jo Smith', 'Li Wei'][row % 3] as string,
    'shipped to the warehouse, waiting for the next truck',
    ['new', 'waiting', 'done'][row % 3] as string,
  ],
  'log, full of digits': (row) => [
    String(1_700_000_000 + row),
    `2024-0${1 + (row % 9)}-1${row % 10} 12:30:${10 + (row % 50)}.${100_000 + (row % 900_000)}+00`,
    uuid(row),
    `${(row * 7919) % 1_000_000}.${10 + (row % 90)}`,
    `order ${row * 31} of batch ${row % 977}: took ${row % 900} ms`,
  ],
  'long text': () => ['the quick brown fox jumps over the lazy dog, then sleeps until the evening. '.repeat(12)],
  'every row full of it': (row) => [
    String(row),
    `user${row}@example.com`,
    ['4111111111111111', '5500 0055 5555 5559', '378282246310005'][row % 3] as string,
    `${100 + (row % 500)}-${10 + (row % 80)}-${1000 + (row % 9000)}`,
    `(415) 555-${1000 + (row % 9000)}`,
    'waiting for the next truck',
  ],
};

function dataRow(cells: readonly string[]): Buffer {
  const parts = cells.map((cell) => {
    const part = Buffer.alloc(4 + Buffer.byteLength(cell));
    part.writeInt32BE(part.length - 4);
    part.write(cell, 4);
    return part;
  });
  const head = Buffer.from([0x44, 0, 0, 0, 0, 0, cells.length]);
  head.writeUInt32BE(6 + parts.reduce((sum, { length }) => sum + length, 0), 1);
  return Buffer.concat([head, ...parts]);
}

function copyData(cells: readonly string[]): Buffer {
  const payload = Buffer.from(`${cells.join('\t')}\n`);
  const head = Buffer.from([0x64, 0, 0, 0, 0]);
  head.writeUInt32BE(4 + payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Chunks of whole messages, and one message by one. */
function wireOf(message: (cells: readonly string[]) => Buffer, cellsOf: (row: number) => string[]): Buffer[][] {
  const chunks: Buffer[][] = [];
  for (let bytes = 0, row = 0; bytes < megabytes * 1_000_000;) {
    const chunk: Buffer[] = [];
    for (let length = 0; length < CHUNK_BYTES; row += 1) {
      const next = message(cellsOf(row));
      chunk.push(next);
      length += next.length;
      bytes += next.length;
    }
    chunks.push(chunk);
  }
  return chunks;
}

function bestMbPerSecond(bytes: number, run: () => void): string {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = process.cpuUsage();
    run();
    best = Math.min(best, process.cpuUsage(from).user / 1_000);
  }
  return `${(bytes / 1_000 / best).toFixed(0).padStart(6)} MB/s`;
}

function measure(
  form: 'DataRow' | 'COPY text',
  cellsOf: (row: number) => string[],
  entities: readonly string[],
): string {
  const rule: MaskRule = {
    name: 'bench/mask',
    entities,
    columns: [],
    strategy: 'partial',
    with: '',
    on: { requests: false, answers: true },
    observed: false,
  };
  const masker = sharedMasker({ rules: [rule], hash });
  const counts: MaskCounts = new Map();
  const wire = wireOf(form === 'DataRow' ? dataRow : copyData, cellsOf);
  const chunks = wire.map((messages) => Buffer.concat(messages));
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const width = cellsOf(0).length;
  const columns = Array.from({ length: width }, () => ({ name: 'c', format: 0, typeOid: 25 }));
  const rows = new RowMasker({ columns, values: masker, maskWhole, hash, counts });
  const copies = new CopyRowMasker(COPY, masker, counts);
  const one = (message: Uint8Array): Uint8Array | undefined =>
    form === 'DataRow' ? rows.mask(message) : copies.mask(message.subarray(5));
  const stretch = form === 'DataRow' ? masker.chunks.rows(columns.map(() => 'text')) : masker.chunks.copy(COPY);
  if (stretch === undefined) throw new Error('no scanner on this machine');
  const whole = bestMbPerSecond(bytes, () => {
    for (const chunk of chunks) stretch.mask(chunk, 0, chunk.length, counts, one);
  });
  const single = bestMbPerSecond(bytes, () => {
    for (const messages of wire) for (const message of messages) one(message);
  });
  return `${whole}    ${single}`;
}

/** MB/s and µs for each part. */
function measureStream(form: 'text' | 'json', cellsOf: (row: number) => string[], partBytes: number): string {
  const rule: MaskRule = {
    name: 'bench/mask',
    entities: STANDARD,
    columns: [],
    strategy: 'redact',
    with: '',
    on: { requests: false, answers: true },
    observed: false,
  };
  const masker = createStreamMasker({ rules: [rule], hash });
  const rows = Array.from({ length: 2_000 }, (_, row) => cellsOf(row));
  const text = Buffer.from(form === 'json' ? JSON.stringify(rows) : rows.map((row) => row.join(' ')).join('\n'));
  const speed = bestMbPerSecond(text.length, () => {
    const stream = masker[form](new Map());
    for (let at = 0; at < text.length; at += partBytes) stream.push(text.subarray(at, at + partBytes));
    stream.end();
  });
  return `${speed}  ${(partBytes / Number.parseFloat(speed)).toFixed(2).padStart(8)} µs/part`;
}

console.log(`${''.padEnd(44)}  whole chunks    by message`);
for (const [name, cellsOf] of Object.entries(KINDS)) {
  for (const form of ['DataRow', 'COPY text'] as const) {
    for (const [label, entities] of [
      ['three', THREE],
      ['standard', STANDARD],
    ] as const)
      console.log(`${name.padEnd(21)}  ${form.padEnd(9)}  ${label.padEnd(9)}  ${measure(form, cellsOf, entities)}`);
  }
}

console.log(`${''.padEnd(44)}  parts of 20 bytes           parts of 64 KiB`);
for (const [name, cellsOf] of Object.entries(KINDS)) {
  for (const form of ['text', 'json'] as const)
    console.log(
      `${name.padEnd(21)}  ${form.padEnd(9)}  standard   ${measureStream(form, cellsOf, 20)}  ${measureStream(form, cellsOf, CHUNK_BYTES)}`,
    );
}
