/** Masks the rows of COPY … TO STDOUT, in text, CSV and binary form. */
import { concatBytes } from '../../../core/bytes.js';
import type { KeyedHash, MaskCounts, MaskRule } from '../../../core/mask.js';
import type { StretchMasker } from '../../../masking/chunks/chunk-masker.js';
import { CopyBinaryCutter } from './copy-binary.js';
import { CopyFields } from './copy-fields.js';
import type { CopyFormat } from './copy-format.js';
import { CellMasker, type CellColumn } from '../values/cell-masker.js';
import { mayHide } from '../values/loose-text.js';
import { chunkCell, isScanned } from '../values/scanned-forms.js';
import { isTold, namedShape, type TypeLookup, type TypeShape } from '../values/type-shapes.js';
import type { Cell, MaskWhole, ValueMasker } from '../values/value-masker.js';

/** What is known of one column of a COPY: its rows tell nothing of their columns. */
export interface CopyColumn {
  readonly name: string;
  /** 0 where nobody can tell. */
  readonly typeOid: number;
  readonly rule?: MaskRule | undefined;
}

/** What masking whole columns and knowing types needs. */
export interface CopyColumns {
  /** By position in a row. Where one has a rule, a row of another number of fields is malformed. */
  readonly columns: readonly CopyColumn[];
  readonly maskWhole: MaskWhole;
  readonly hash: KeyedHash;
  readonly types?: TypeLookup | undefined;
}

/** A row that its server sends in pieces is held up to here, in bytes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const BACKSLASH = 0x5c;

export class CopyRowMasker {
  readonly #cells: CellMasker;
  readonly #columns:
    | readonly { readonly column: CellColumn; readonly shape: TypeShape; readonly named: CellMasker | undefined }[]
    | undefined;
  readonly #ruled: boolean;
  /** Is there a column whose values a scan of the raw bytes may miss? */
  readonly #everyRow: boolean;
  readonly #fields: CopyFields;
  readonly #binary: CopyBinaryCutter | undefined;
  readonly #stretch: StretchMasker | undefined;
  #headerDue: boolean;

  /** @param values undefined where only columns are masked whole */
  constructor(
    private readonly format: CopyFormat,
    private readonly values: ValueMasker | undefined,
    counts: MaskCounts,
    known?: CopyColumns,
  ) {
    const columns = known?.columns;
    const wireFormat = format.kind === 'binary' ? 1 : 0;
    this.#cells = new CellMasker({ ...known, values, counts });
    this.#columns = columns?.map((column) => {
      const shape = this.#cells.shapeOf(column.typeOid);
      const own = column.rule === undefined && isTold(shape) ? values?.under?.(column.name) : undefined;
      return {
        column: { ...column, format: wireFormat },
        shape: own === undefined ? shape : namedShape(shape),
        named: own && new CellMasker({ ...known, values: own, counts }),
      };
    });
    this.#ruled = columns?.some((column) => column.rule !== undefined) === true;
    const shapes = (oid: number): TypeShape => this.#cells.shapeOf(oid);
    const scanned = this.#columns?.every(({ shape }) => isScanned(shape, wireFormat, shapes)) !== false;
    // What a name tells of a column, the scan of raw bytes does not know.
    const telling = this.#columns?.some(({ named }) => named !== undefined) === true;
    this.#everyRow = this.#ruled || telling || !scanned;
    this.#fields = new CopyFields(format);
    this.#binary = format.kind === 'binary' ? new CopyBinaryCutter(MAX_HELD_BYTES) : undefined;
    this.#headerDue = format.header && format.kind !== 'binary';
    const cells = this.#columns?.map(({ shape }) => chunkCell(shape));
    this.#stretch = this.#everyRow || this.#fields.wide ? undefined : values?.chunks?.copy(format, cells);
  }

  /** Masks whole CopyData messages at once; undefined where each has to be looked at by itself. */
  get stretch(): StretchMasker | undefined {
    return this.#headerDue ? undefined : this.#stretch;
  }

  /**
   * @param payload of one CopyData message: in text and CSV a row, as the server sends it; in binary any piece
   * @returns what may go out of it, itself when nothing changed, empty while a row is not whole; undefined when
   *   it is malformed, and then nothing more may follow
   */
  mask(payload: Uint8Array): Uint8Array | undefined {
    if (this.#binary !== undefined)
      return this.#binary.push(payload, (field, index, count) => this.#cell(field, index, count));
    return this.#passes(payload) ? payload : this.#row(payload);
  }

  /** Is it certain that nothing in this row changes? Escapes can hide a value from a scan of the raw bytes. */
  #passes(payload: Uint8Array): boolean {
    if (this.#everyRow || this.#headerDue || this.#fields.wide) return false;
    const { kind, quote, escape } = this.format;
    if (kind === 'csv' && (payload.indexOf(quote) !== -1 || payload.indexOf(escape) !== -1)) return false;
    return (
      payload.indexOf(BACKSLASH) === -1 &&
      !mayHide(payload, 0, payload.length) &&
      this.values?.mayMatch(payload, 0, payload.length) !== true
    );
  }

  #row(row: Uint8Array): Uint8Array | undefined {
    const header = this.#headerDue;
    this.#headerDue = false;
    const end = row.length - this.#fields.lineEnd(row, row.length);
    const fields: Uint8Array[] = [];
    const separators: Uint8Array[] = [];
    for (let at = 0; at <= end;) {
      const stop = this.#fields.fieldEnd(row, at, end);
      fields.push(row.subarray(at, stop));
      separators.push(row.subarray(stop, Math.min(stop + 1, end)));
      at = stop + 1;
    }
    const out: Uint8Array[] = [];
    let changed = false;
    for (const [index, raw] of fields.entries()) {
      const value = this.#fields.read(raw);
      const cell =
        value === undefined
          ? undefined
          : header
            ? this.#cells.maskUntyped(0, value)
            : this.#cell(value, index, fields.length);
      if (cell === 'malformed') return undefined;
      changed ||= cell !== undefined;
      out.push(cell === undefined ? raw : this.#fields.write(cell), separators[index] as Uint8Array);
    }
    if (!changed) return row;
    out.push(row.subarray(end));
    return concatBytes(out);
  }

  #cell(value: Uint8Array, index: number, count: number): Cell | 'malformed' {
    const columns = this.#columns;
    if (columns === undefined) return this.#cells.maskUntyped(this.format.kind === 'binary' ? 1 : 0, value);
    const known = columns[index];
    const fits = known !== undefined && count === columns.length;
    if (!fits && this.#ruled) return 'malformed';
    // A type that can hold nobody's data is believed of none: here it only keeps what is masked in shape.
    if (!fits || (known.column.rule === undefined && (known.column.typeOid === 0 || known.shape.form === 'fixed')))
      return (fits ? (known.named ?? this.#cells) : this.#cells).maskUntyped(
        this.format.kind === 'binary' ? 1 : 0,
        value,
      );
    const { column, shape, named } = known;
    return (named ?? this.#cells).mask(column, shape, value);
  }
}
