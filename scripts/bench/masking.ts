/**
 * Speed of the masking engine alone, in MB of wire bytes for each second of CPU time, best of five: `npx tsx scripts/bench/masking.ts [MB]`.
 *
 * Rows stand as in a PostgreSQL DataRow: each cell behind its length in four bytes.
 */
import { createHmac } from 'node:crypto';
import type { MaskRule } from '../../src/core/mask.js';
import { createTextMasker } from '../../src/masking/text-masker.js';
import type { TextMasker } from '../../src/masking/text-masker.js';

const bytes = Number(process.argv[2] ?? 16) * 1_000_000;
const THREE = ['email', 'credit-card', 'us-ssn'];
const STANDARD = [...THREE, 'phone', 'iban', 'jwt', 'private-key', 'api-key'];

const hex = (seed: number): string => createHmac('md5', 'bench').update(String(seed)).digest('hex');

const KINDS: Record<string, (row: number) => string[]> = {
  'no personal data': (row) => [
    String(row),
    ['Anna Miller', 'Jo Smith', 'Li Wei'][row % 3] as string,
    `2024-0${1 + (row % 9)}-1${row % 10} 12:30:${10 + (row % 50)}.${100_000 + (row % 900_000)}+00`,
    hex(row).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5'),
    `${row % 10_000}.${10 + (row % 90)}`,
    'shipped to the warehouse, waiting for the next truck',
  ],
  'numbers only': (row) => [
    String(row),
    String(1_700_000_000 + row),
    `${(row * 7919) % 1_000_000}.${row % 100}`,
    String(row % 13),
  ],
  'long text': () => ['the quick brown fox jumps over the lazy dog, then sleeps until the evening. '.repeat(12)],
  'full of it': (row) => [
    String(row),
    `user${row}@example.com`,
    ['4111111111111111', '5500 0055 5555 5559', '378282246310005'][row % 3] as string,
    `${100 + (row % 500)}-${10 + (row % 80)}-${1000 + (row % 9000)}`,
    'waiting',
  ],
};

function wireOf(cellsOf: (row: number) => string[]): Buffer {
  const parts: Buffer[] = [];
  for (let length = 0, row = 0; length < bytes; row += 1) {
    for (const cell of cellsOf(row)) {
      const part = Buffer.alloc(4 + Buffer.byteLength(cell));
      part.writeInt32BE(part.length - 4);
      part.write(cell, 4);
      parts.push(part);
      length += part.length;
    }
  }
  return Buffer.concat(parts);
}

function bestMbPerSecond(length: number, run: () => void): string {
  let best = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const from = process.cpuUsage();
    run();
    best = Math.min(best, process.cpuUsage(from).user / 1_000);
  }
  return (length / 1_000 / best).toFixed(0).padStart(6);
}

/** As a session does it: a chunk of 64 KiB that may match is looked at cell by cell. */
function maskCells(masker: TextMasker, wire: Buffer): number {
  const counts = new Map<string, number>();
  let masked = 0;
  for (let at = 0; at < wire.length;) {
    const length = wire.readInt32BE(at);
    if (masker.maskValue(wire, at + 4, at + 4 + length, counts) !== undefined) masked += 1;
    at += 4 + length;
  }
  return masked;
}

function mayMatchChunks(masker: TextMasker, wire: Buffer): number {
  let met = 0;
  for (let at = 0; at < wire.length; at += 65_536) {
    if (masker.mayMatch(wire, at, Math.min(at + 65_536, wire.length))) met += 1;
  }
  return met;
}

const hash = (input: Uint8Array): Uint8Array => new Uint8Array(createHmac('sha256', 'bench').update(input).digest());
console.log('rows                entities   mayMatch by 64 KiB   maskValue by cell');
for (const [name, cellsOf] of Object.entries(KINDS)) {
  const wire = wireOf(cellsOf);
  for (const [label, entities] of [
    ['three', THREE],
    ['standard', STANDARD],
  ] as const) {
    const rule: MaskRule = {
      name: 'bench/mask',
      entities,
      columns: [],
      strategy: 'partial',
      with: '',
      on: { requests: false, answers: true },
      observed: false,
    };
    const masker = createTextMasker({ rules: [rule], hash });
    const met = mayMatchChunks(masker, wire);
    const range = bestMbPerSecond(wire.length, () => void mayMatchChunks(masker, wire));
    const cells = bestMbPerSecond(wire.length, () => void maskCells(masker, wire));
    console.log(
      `${name.padEnd(18)}  ${label.padEnd(9)}  ${range} MB/s ${met > 0 ? '(meets)' : '       '}   ${cells} MB/s`,
    );
  }
}
