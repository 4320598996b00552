/**
 * Reads a RowDescription and says how each column is to be treated.
 *
 *     RowDescription: 'T' length u32, count u16, then for each column
 *     name NUL, table oid u32, attribute number u16, type oid u32, type size i16, modifier i32, format i16
 */
import type { MaskRule } from '../../core/mask.js';
import { BodyReader } from './frames.js';

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

/**
 * How the cells of one column are treated.
 *
 * - `pass`: nothing can hide in it
 * - `text`: bytes are the text
 * - `json`: text with JSON escapes; `jsonb` has one version byte before it in binary
 * - `number`: text of digits; a finding becomes NULL, since a masked number would not parse
 * - `binary`: a binary form, spelled as text to be looked at: NULL when something might be inside
 * - `hex`: bytea in text form
 * - `closed`: a form that this version does not take apart: always NULL
 */
export type CellKind = 'pass' | 'text' | 'json' | 'jsonb' | 'number' | 'binary' | 'hex' | 'closed';

export interface ColumnTreatment {
  readonly kind: CellKind;
  /** Set where the whole value is masked whatever it holds. */
  readonly rule?: MaskRule;
  readonly name: string;
  readonly format: number;
  readonly typeOid: number;
}

/** Fixed-size types that can't spell a name or number of a person: bool, "char", int2, int4, oid, xid, cid, tid, float4, dates, times, interval, uuid, pg_lsn, void. A float8 holds the fifteen digits of a card. */
const PASS = new Set([16, 18, 21, 22, 23, 26, 27, 28, 29, 700, 1082, 1083, 1114, 1184, 1186, 1266, 2950, 3220, 2278]);
/** text, varchar, bpchar, name, unknown, xml, citext has no fixed oid: see below. */
const TEXT_IN_BINARY = new Set([25, 1043, 1042, 19, 705, 142]);

/** Text of digits: int8, numeric, float8 and shapes of it, arrays and ranges of numbers. */
const NUMBERS = new Set([
  20, 1700, 701, 600, 601, 602, 603, 604, 628, 718, 1016, 1231, 1022, 3904, 3906, 3926, 4451, 4532, 4536,
]);
const BYTEA = 17;
/** Its elements are hex behind escapes. */
const BYTEA_ARRAY = 1001;
const JSON_TYPE = 114;
const JSONB = 3802;

export function cellKind(typeOid: number, format: number): CellKind {
  if (PASS.has(typeOid)) return 'pass';
  if (typeOid === JSON_TYPE) return 'json';
  if (typeOid === JSONB) return format === 1 ? 'jsonb' : 'json';
  if (TEXT_IN_BINARY.has(typeOid)) return 'text';
  if (format === 1) return 'binary';
  if (NUMBERS.has(typeOid)) return 'number';
  if (typeOid === BYTEA) return 'hex';
  if (typeOid === BYTEA_ARRAY) return 'closed';
  return 'text';
}
