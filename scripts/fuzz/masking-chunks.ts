/**
 * Holds the masking of whole chunks against the exact look at each cell: the same bytes go out, the same places
 * are counted. `npx tsx scripts/fuzz/masking-chunks.ts --seconds 60 --seed 1`.
 */
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { MaskCounts, MaskRule, Strategy } from '../../src/core/mask.js';
import type { ChunkCell } from '../../src/masking/chunks/chunk-masker.js';
import { sharedMasker } from '../../src/masking/shared-masker.js';
import type { SharedMasker } from '../../src/masking/shared-masker.js';
import { BUILT_IN_ENTITY_NAMES, maskWhole } from '../../src/masking/text-masker.js';
import { CopyRowMasker } from '../../src/protocols/postgres/copy/copy-masker.js';
import type { CopyFormat } from '../../src/protocols/postgres/copy/copy-format.js';
import { RowMasker } from '../../src/protocols/postgres/results/row-masker.js';
import { MaskedText } from './masked-text.js';
import { Dice, fuzzFromCommandLine } from './mutation.js';

const hash = (input: Uint8Array): Uint8Array => new Uint8Array(createHmac('sha256', 'fuzz').update(input).digest());
const USUAL = ['email', 'credit-card', 'us-ssn', 'phone'];
const STRATEGIES: readonly Strategy[] = ['partial', 'redact', 'replace', 'hash', 'null'];
/** Different plans in a run: fewer than are kept, since making one costs more than a chunk. */
const PLANS = 60;
const CUSTOM = [
  { name: 'order-token', pattern: 'ORD-[A-Z0-9]{4,10}', validate: 'none' as const },
  { name: 'short', pattern: 'Q[0-9]{6}', validate: 'none' as const },
];
const COPY_FORMS: readonly CopyFormat[] = [
  { kind: 'text', delimiter: 0x09, quote: 0x22, escape: 0x22, header: false, nullText: '\\N' },
  { kind: 'text', delimiter: 0x7c, quote: 0x22, escape: 0x22, header: false, nullText: '\\N' },
  { kind: 'csv', delimiter: 0x2c, quote: 0x22, escape: 0x22, header: false, nullText: '' },
  { kind: 'csv', delimiter: 0x3b, quote: 0x22, escape: 0x22, header: false, nullText: '' },
];

function maskerFor(dice: Dice): SharedMasker {
  const names = dice.chance(40)
    ? USUAL
    : dice.chance(20)
      ? BUILT_IN_ENTITY_NAMES
      : [...BUILT_IN_ENTITY_NAMES, 'order-token', 'short'].filter(() => dice.chance(25));
  const rule = (entities: readonly string[], strategy: Strategy): MaskRule => ({
    name: 'fuzz/mask',
    entities,
    columns: [],
    strategy,
    with: dice.pick(['x', '', '***', 'a,b', 'with "quotes"', 'tab\there']),
    on: { requests: false, answers: true },
    observed: false,
  });
  const rules = [rule(names, dice.chance(50) ? 'partial' : dice.pick(STRATEGIES))];
  if (dice.chance(20)) rules.push(rule([dice.pick(names.length === 0 ? USUAL : names)], dice.pick(STRATEGIES)));
  return sharedMasker({ rules, custom: CUSTOM, hash });
}

function dataRow(cells: readonly (Buffer | null)[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(7)];
  for (const cell of cells) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(cell?.length ?? -1);
    parts.push(length, cell ?? Buffer.alloc(0));
  }
  const row = Buffer.concat(parts);
  row[0] = 0x44;
  row.writeUInt32BE(row.length - 1, 1);
  row.writeUInt16BE(cells.length, 5);
  return row;
}

function copyData(payload: Buffer): Buffer {
  const message = Buffer.alloc(5 + payload.length);
  message[0] = 0x64;
  message.writeUInt32BE(payload.length + 4, 1);
  payload.copy(message, 5);
  return message;
}

/** What one look at each message gives. */
interface Reference {
  readonly messages: readonly Buffer[];
  readonly mask: (message: Uint8Array, counts: MaskCounts) => Uint8Array | undefined;
}

function compare(reference: Reference, chunks: ReturnType<SharedMasker['chunks']['copy']>, dice: Dice): void {
  if (chunks === undefined) return;
  const padding = dice.below(20);
  const bytes = Buffer.concat([Buffer.alloc(padding, 0x31), ...reference.messages, Buffer.alloc(dice.below(20), 0x40)]);
  const end = padding + reference.messages.reduce((sum, { length }) => sum + length, 0);
  const expectedCounts: MaskCounts = new Map();
  const answers = reference.messages.map((message) => reference.mask(message, expectedCounts));
  // A row that is cut into more fields than there are columns ends the session, whoever reads it.
  if (answers.includes(undefined)) return;
  const expected = Buffer.concat(answers as Uint8Array[]);
  const before = Buffer.from(bytes);
  const counts: MaskCounts = new Map();
  const parts: Uint8Array[] = [];
  let rows = 0;
  for (let at = padding; at < end;) {
    const masked = chunks.mask(bytes, at, end, counts, (message) => reference.mask(message, counts));
    if (masked === undefined) throw new Error('a whole message was refused');
    parts.push(...masked.parts);
    rows += masked.rows;
    at = masked.end;
    if (at === end) break;
    // Pieces of rows are the caller's.
    const size = 1 + bytes.readUInt32BE(at + 1);
    parts.push(reference.mask(bytes.subarray(at, at + size), counts) as Uint8Array);
    rows += 1;
    at += size;
  }
  const got = Buffer.concat(parts);
  const same = [...expectedCounts].every(([name, count]) => counts.get(name) === count);
  if (!got.equals(expected) || !same || counts.size !== expectedCounts.size || rows !== reference.messages.length)
    throw new Error(
      `chunks differ:\n in ${JSON.stringify(before.toString('latin1'))}\nout ${JSON.stringify(got.toString('latin1'))}\n` +
        `not ${JSON.stringify(expected.toString('latin1'))}\n${JSON.stringify([[...counts], [...expectedCounts]])}`,
    );
  if (!before.equals(bytes)) throw new Error('the chunk itself was changed');
}

/** Types of columns, and how the scanner is told to read them. */
const TYPES: readonly (readonly [number, ChunkCell])[] = [
  [25, 'text'],
  [25, 'text'],
  [1043, 'text'],
  [20, 'decided'],
  [1700, 'decided'],
  [1184, 'decided'],
  [114, 'decided'],
  [1009, 'decided'],
  [142, 'other'],
];

function fuzzRows(masker: SharedMasker, text: MaskedText, dice: Dice): void {
  const types = Array.from({ length: dice.below(5) }, () => dice.pick(TYPES));
  const messages = Array.from({ length: 1 + dice.below(5) }, () =>
    dataRow(types.map(([oid]) => (dice.chance(5) ? null : oid === 114 ? text.json() : text.cell()))),
  );
  const columns = types.map(([typeOid]) => ({ name: 'c', format: 0, typeOid }));
  const mask = (message: Uint8Array, counts: MaskCounts): Uint8Array | undefined =>
    new RowMasker({ columns, values: masker, maskWhole, hash, counts }).mask(message);
  compare({ messages, mask }, masker.chunks.rows(types.map(([, cell]) => cell)), dice);
}

function fuzzCopy(masker: SharedMasker, text: MaskedText, dice: Dice): void {
  const format = dice.pick(COPY_FORMS);
  const types = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(TYPES));
  const messages = Array.from({ length: 1 + dice.below(5) }, () => {
    const fields = types.map(() => text.field(format));
    const joined = fields.flatMap((field, index) => (index === 0 ? [field] : [Buffer.from([format.delimiter]), field]));
    return copyData(Buffer.concat([...joined, Buffer.from(dice.chance(90) ? '\n' : dice.pick(['', '\r\n', '\n\n']))]));
  });
  const known = { columns: types.map(([typeOid]) => ({ name: 'c', typeOid })), maskWhole, hash };
  const typed = dice.chance(50);
  const mask = (message: Uint8Array, counts: MaskCounts): Uint8Array | undefined => {
    const payload = message.subarray(5);
    const masked = new CopyRowMasker(format, masker, counts, typed ? known : undefined).mask(payload);
    return masked === payload ? message : masked && copyData(Buffer.from(masked));
  };
  const cells = typed ? types.map(([, cell]) => cell) : undefined;
  compare({ messages, mask }, masker.chunks.copy(format, cells), dice);
}

/** One chunk of random rows. @throws where chunks and cells differ */
export function fuzzMaskingChunks(seed: number): void {
  const dice = new Dice(seed);
  const masker = maskerFor(new Dice(dice.below(PLANS)));
  const text = new MaskedText(dice);
  if (dice.chance(50)) fuzzRows(masker, text, dice);
  else fuzzCopy(masker, text, dice);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) fuzzFromCommandLine(fuzzMaskingChunks);
