/**
 * Reads a RowDescription.
 *
 *     RowDescription: 'T' length u32, count u16, then for each column
 *     name NUL, table oid u32, attribute number u16, type oid u32, type size i16, modifier i32, format i16
 */
import { BodyReader } from '../wire/frames.js';
import type { CellColumn } from '../values/cell-masker.js';

export interface ResultColumn {
  readonly name: string;
  /** 0 where the column is no plain column of a table. */
  readonly tableOid: number;
  readonly attribute: number;
  readonly typeOid: number;
  /** 0 text, 1 binary. A Describe of a statement says 0 always: the Bind decides. */
  readonly format: number;
}

/** @returns undefined when the message is malformed */
export function parseRowDescription(message: Uint8Array): ResultColumn[] | undefined {
  const reader = new BodyReader(message);
  const columns = reader.list(19, () => {
    const name = reader.cstring();
    const tableOid = reader.int32() >>> 0;
    const attribute = reader.uint16();
    const typeOid = reader.int32() >>> 0;
    reader.take(6);
    return { name, tableOid, attribute, typeOid, format: reader.uint16() };
  });
  return reader.failed || reader.remaining > 0 ? undefined : columns;
}

/** How the cells of one result column are treated. */
export type ColumnTreatment = CellColumn;
