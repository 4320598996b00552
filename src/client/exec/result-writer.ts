/** One column of a result, as the server described it. */
export interface Column {
  readonly name: string;
  /** OID of its type; of the built-in types the numbers never change. */
  readonly typeOid: number;
}

/** Text values as the server sent them; null for NULL. */
export type Row = readonly (string | null)[];

/** Prints results in one format, each as it comes; `begin` … `end` frame one result set. */
export interface ResultWriter {
  begin(columns: readonly Column[]): void;
  row(values: Row): void;
  end(): void;
  /** Nothing more comes, also after an error within a result set: what is open is closed. */
  finish(): void;
  /** A piece of `COPY … TO STDOUT`; throws HoopError usage where the format can't hold it. */
  copyData(bytes: Uint8Array): void;
}

/** Takes what a writer prints. */
export type Print = (part: string | Uint8Array) => void;

const INTEGER_OIDS: ReadonlySet<number> = new Set([21, 23, 26, 20]); // int2 int4 oid int8
const FLOAT_OIDS: ReadonlySet<number> = new Set([700, 701]);
const NUMERIC_OID = 1700;
const MONEY_OID = 790;
const BOOLEAN_OID = 16;

/** Are values of this type aligned to the right, as psql does? */
export function isNumeric(column: Column): boolean {
  return (
    INTEGER_OIDS.has(column.typeOid) ||
    FLOAT_OIDS.has(column.typeOid) ||
    column.typeOid === NUMERIC_OID ||
    column.typeOid === MONEY_OID
  );
}

/**
 * A value for JSON. Booleans and numbers of fixed size are themselves where JSON readers hold them
 * exactly; everything else, so also `numeric` and integers beyond 2^53-1, is the server's text.
 */
export function toJsonValue(text: string | null, column: Column): string | number | boolean | null {
  if (text === null) return null;
  if (column.typeOid === BOOLEAN_OID) return text === 't' ? true : text === 'f' ? false : text;
  if (INTEGER_OIDS.has(column.typeOid)) {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) ? value : text;
  }
  if (FLOAT_OIDS.has(column.typeOid)) {
    // NaN and Infinity are no JSON; a masked value is no number at all.
    const value = /^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text) ? Number(text) : Number.NaN;
    return Number.isFinite(value) ? value : text;
  }
  return text;
}

/** Names for an object's fields: a name that comes again gets `_2`, `_3` …, so that no value is lost. */
export function uniqueNames(columns: readonly Column[]): readonly string[] {
  const taken = new Set<string>();
  return columns.map(({ name }) => {
    let unique = name;
    for (let count = 2; taken.has(unique); count += 1) unique = `${name}_${String(count)}`;
    taken.add(unique);
    return unique;
  });
}
