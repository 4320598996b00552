/**
 * Masks DataRow messages.
 *
 *     DataRow: 'D' length u32, count u16, then for each column length i32 (-1 NULL) and bytes
 *
 * Works on whole stretches of rows: where no column is masked whole and the scanner is certain that
 * nothing stands in the stretch, the bytes go on as they came.
 */
import type { KeyedHash, MaskCounts } from '../../../core/mask.js';
import type { StretchMasker } from '../../../masking/chunks/chunk-masker.js';
import type { ColumnTreatment } from './columns.js';
import { int32, uint16 } from '../wire/frames.js';
import { CellMasker } from '../values/cell-masker.js';
import { mayHide } from '../values/loose-text.js';
import { chunkCell, isScanned } from '../values/scanned-forms.js';
import { isTold, namedShape, type TypeLookup, type TypeShape } from '../values/type-shapes.js';
import type { Cell, MaskWhole, ValueMasker } from '../values/value-masker.js';

export type { MaskWhole, ValueMasker } from '../values/value-masker.js';

export interface RowMaskerOptions {
  readonly columns: readonly ColumnTreatment[];
  /** Undefined where only columns are masked whole. */
  readonly values: ValueMasker | undefined;
  readonly maskWhole: MaskWhole;
  readonly hash: KeyedHash;
  readonly counts: MaskCounts;
  /** What the catalogue tells of types that are not built in. */
  readonly types?: TypeLookup | undefined;
}

interface Treated {
  readonly column: ColumnTreatment;
  readonly shape: TypeShape;
  readonly cells: CellMasker;
}

/** What masks the rows of one result for the client. */
export type RowMasking = Pick<RowMasker, 'mask' | 'stretch' | 'untouched'>;

export class RowMasker {
  /** True when nothing that these columns hold can change: then rows need not be read at all. */
  readonly idle: boolean;
  readonly #columns: readonly Treated[];
  readonly #cells: CellMasker;
  readonly #values: ValueMasker | undefined;
  /** Is there a column whose values a scan of the raw bytes may miss? */
  readonly #everyRow: boolean;
  readonly #stretch: StretchMasker | undefined;

  constructor(options: RowMaskerOptions) {
    const { columns, values } = options;
    this.#values = values;
    this.#cells = new CellMasker(options);
    const named = columns.map(({ rule, name, typeOid }) =>
      rule === undefined && isTold(this.#cells.shapeOf(typeOid)) ? values?.under?.(name) : undefined,
    );
    this.#columns = columns.map((column, index) => {
      const own = named[index];
      const cells = own === undefined ? this.#cells : new CellMasker({ ...options, values: own });
      const shape = this.#cells.shapeOf(column.typeOid);
      return { column, shape: own === undefined ? shape : namedShape(shape), cells };
    });
    const shapes = (oid: number): TypeShape => this.#cells.shapeOf(oid);
    const ruled = columns.some((column) => column.rule !== undefined);
    this.idle = values === undefined && !ruled;
    // What a name tells of a column, the scan of raw bytes does not know.
    const telling = named.some((one) => one !== undefined);
    this.#everyRow =
      ruled || telling || !this.#columns.every(({ column, shape }) => isScanned(shape, column.format, shapes));
    this.#stretch = this.#everyRow
      ? undefined
      : values?.chunks?.rows(this.#columns.map(({ shape }) => chunkCell(shape)));
  }

  /** Masks whole DataRow messages at once; undefined where each has to be looked at by itself. */
  get stretch(): StretchMasker | undefined {
    return this.#stretch;
  }

  /** Is it certain that nothing in these whole DataRow messages changes? */
  untouched(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.idle) return true;
    if (this.#everyRow || this.#values === undefined) return false;
    return !this.#values.mayMatch(bytes, start, end) && !mayHide(bytes, start, end);
  }

  /**
   * @param row one whole DataRow message
   * @returns the row as it may go out, itself when nothing changes; undefined when it is malformed
   */
  mask(row: Uint8Array): Uint8Array | undefined {
    const count = row.length < 7 ? -1 : uint16(row, 5);
    if (count !== this.#columns.length) return undefined;
    let at = 7;
    let replaced: Cell[] | undefined;
    let size = 7;
    for (let index = 0; index < count; index += 1) {
      if (at + 4 > row.length) return undefined;
      const length = int32(row, at);
      const end = at + 4 + Math.max(0, length);
      if (length < -1 || end > row.length) return undefined;
      const { column, shape, cells } = this.#columns[index] as Treated;
      const seen = length !== -1 || column.rule?.hidesNulls === true;
      const cell = seen ? cells.mask(column, shape, row.subarray(at + 4, end)) : undefined;
      if (cell !== undefined) (replaced ??= new Array<Cell>(count).fill(undefined))[index] = cell;
      size += 4 + (cell === undefined ? end - at - 4 : (cell?.length ?? 0));
      at = end;
    }
    if (at !== row.length) return undefined;
    return replaced === undefined ? row : rebuild(row, replaced, size);
  }
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
