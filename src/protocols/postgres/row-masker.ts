/**
 * Masks DataRow messages.
 *
 *     DataRow: 'D' length u32, count u16, then for each column length i32 (-1 NULL) and bytes
 *
 * Works on whole stretches of rows: where no column is masked whole and the scanner is certain that
 * nothing stands in the stretch, the bytes go on as they came.
 */
import type { KeyedHash, MaskCounts, MaskRule } from '../../core/mask.js';
import type { ColumnTreatment } from './columns.js';
import { int32, uint16 } from './frames.js';
import { decodeHex } from './hex-form.js';
import { spelledBinary } from './spelled-binary.js';

/** The masking engine as this room uses it. */
export interface ValueMasker {
  mayMatch(bytes: Uint8Array, start: number, end: number): boolean;
  maskValue(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined;
  maskJson(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined;
  maskText(text: string, counts: MaskCounts): string;
}

export type MaskWhole = (rule: MaskRule, value: Uint8Array, label: string, hash: KeyedHash) => Uint8Array | null;

export interface RowMaskerOptions {
  readonly columns: readonly ColumnTreatment[];
  readonly values: ValueMasker;
  readonly maskWhole: MaskWhole;
  readonly hash: KeyedHash;
  readonly counts: MaskCounts;
}

type Cell = Uint8Array | null | undefined;

export class RowMasker {
  /** True when every column passes whatever it holds: then rows need not be read at all. */
  readonly idle: boolean;
  readonly #wholeColumns: boolean;

  constructor(private readonly options: RowMaskerOptions) {
    this.idle = options.columns.every((column) => column.kind === 'pass' && column.rule === undefined);
    // A number or bytes in binary or hex hide what they spell from a scan of the raw bytes.
    this.#wholeColumns = options.columns.some((column) => column.rule !== undefined || !SCANNED_RAW.has(column.kind));
  }

  /** Is it certain that nothing in these whole DataRow messages changes? */
  untouched(bytes: Uint8Array, start: number, end: number): boolean {
    return this.idle || (!this.#wholeColumns && !this.options.values.mayMatch(bytes, start, end));
  }

  /**
   * @param row one whole DataRow message
   * @returns the row as it may go out, itself when nothing changes; undefined when it is malformed
   */
  mask(row: Uint8Array): Uint8Array | undefined {
    const count = row.length < 7 ? -1 : uint16(row, 5);
    if (count !== this.options.columns.length) return undefined;
    let at = 7;
    let replaced: Cell[] | undefined;
    let size = 7;
    for (let index = 0; index < count; index += 1) {
      if (at + 4 > row.length) return undefined;
      const length = int32(row, at);
      const end = at + 4 + Math.max(0, length);
      if (length < -1 || end > row.length) return undefined;
      const cell =
        length === -1 ? undefined : this.#cell(this.options.columns[index] as ColumnTreatment, row, at + 4, end);
      if (cell !== undefined) (replaced ??= new Array<Cell>(count).fill(undefined))[index] = cell;
      size += 4 + (cell === undefined ? end - at - 4 : (cell?.length ?? 0));
      at = end;
    }
    if (at !== row.length) return undefined;
    return replaced === undefined ? row : rebuild(row, replaced, size);
  }

  #cell(column: ColumnTreatment, row: Uint8Array, start: number, end: number): Cell {
    const { values, counts } = this.options;
    if (column.rule !== undefined) return this.#whole(column, column.rule, row.subarray(start, end));
    switch (column.kind) {
      case 'pass':
        return undefined;
      case 'text':
        return values.maskValue(row, start, end, counts);
      case 'json':
        return values.maskJson(row, start, end, counts);
      case 'jsonb':
        return withVersionByte(row, start, values.maskJson(row, start + 1, end, counts));
      case 'number':
        return nullWhenFound(values.maskValue(row, start, end, counts));
      case 'binary':
        return this.#scanBinary(column.typeOid, row.subarray(start, end));
      case 'hex':
        return nullWhenFound(this.#scanHex(row, start, end));
      case 'closed':
        count(counts, 'unreadable');
        return null;
    }
  }

  /** Text goes out masked; another type keeps its type, so NULL stands in for it. */
  #whole(column: ColumnTreatment, rule: MaskRule, value: Uint8Array): Uint8Array | null {
    count(this.options.counts, rule.name);
    if (column.kind !== 'text') return null;
    return this.options.maskWhole(rule, value, column.name, this.options.hash);
  }

  #scanBinary(typeOid: number, cell: Uint8Array): Cell {
    const { values, counts } = this.options;
    const parts = spelledBinary(typeOid, cell);
    if (parts?.every((part) => !values.mayMatch(part, 0, part.length)) === true) return undefined;
    count(counts, 'unreadable');
    return null;
  }

  #scanHex(row: Uint8Array, start: number, end: number): Cell {
    const bytes = decodeHex(row, start, end);
    // The old escape format is readable as it stands.
    if (bytes === undefined) return this.options.values.maskValue(row, start, end, this.options.counts);
    return this.options.values.maskValue(bytes, 0, bytes.length, this.options.counts);
  }
}

/** A scan of the raw bytes of such cells misses nothing; numbers in binary, hex and JSON escapes hide what they spell. */
const SCANNED_RAW: ReadonlySet<ColumnTreatment['kind']> = new Set(['pass', 'text', 'number']);

export function count(counts: MaskCounts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function nullWhenFound(cell: Cell): Cell {
  return cell === undefined ? undefined : null;
}

function withVersionByte(row: Uint8Array, start: number, cell: Cell): Cell {
  if (cell === undefined || cell === null) return cell;
  const bytes = new Uint8Array(cell.length + 1);
  bytes[0] = row[start] as number;
  bytes.set(cell, 1);
  return bytes;
}

function rebuild(row: Uint8Array, replaced: readonly Cell[], size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(row.subarray(0, 7));
  writeUint32(out, 1, size - 1);
  let from = 7;
  let to = 7;
  for (const cell of replaced) {
    const length = int32(row, from);
    const end = from + 4 + Math.max(0, length);
    if (cell === undefined) {
      out.set(row.subarray(from, end), to);
      to += end - from;
    } else {
      writeUint32(out, to, cell === null ? 0xffffffff : cell.length);
      if (cell !== null) out.set(cell, to + 4);
      to += 4 + (cell?.length ?? 0);
    }
    from = end;
  }
  return out;
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = (value >>> 16) & 0xff;
  target[at + 2] = (value >>> 8) & 0xff;
  target[at + 3] = value & 0xff;
}
