/**
 * Reads the bodies of the client's messages that matter to policy.
 *
 *     Parse   'P' name NUL, text NUL, count u16, type oid u32 …
 *     Bind    'B' portal NUL, statement NUL, count u16, format u16 …,
 *                 count u16, then length i32 and bytes each, count u16, result format u16 …
 *     Execute 'E' portal NUL, max rows i32
 *     Describe 'D' and Close 'C': `S` or `P`, name NUL
 *
 * Every reader gives undefined when the body does not fit.
 */
import { BodyReader } from './frames.js';

export interface ParseBody {
  readonly name: string;
  readonly text: Uint8Array;
  readonly types: readonly number[];
}

export interface BindBody {
  readonly portal: string;
  readonly statement: string;
  readonly formats: readonly number[];
  readonly values: readonly (Uint8Array | null)[];
  readonly resultFormats: readonly number[];
}

export function queryText(message: Uint8Array): Uint8Array | undefined {
  const reader = new BodyReader(message);
  const text = reader.cstringBytes();
  // What stands behind the first NUL the server ignores; a client that sends it means to hide it.
  return reader.failed || reader.remaining > 0 ? undefined : text;
}

export function parseBody(message: Uint8Array, encoding = 'UTF8'): ParseBody | undefined {
  const reader = new BodyReader(message);
  const name = heldName(reader.cstringBytes(), encoding);
  if (name === undefined) return undefined;
  const body = {
    name,
    text: reader.cstringBytes(),
    types: reader.list(4, () => reader.int32() >>> 0),
  };
  return reader.failed || reader.remaining > 0 ? undefined : body;
}

export function bindBody(message: Uint8Array, encoding = 'UTF8'): BindBody | undefined {
  const reader = new BodyReader(message);
  const portal = heldName(reader.cstringBytes(), encoding);
  const statement = heldName(reader.cstringBytes(), encoding);
  if (portal === undefined || statement === undefined) return undefined;
  const formats = reader.list(2, () => reader.uint16());
  const values = reader.list(4, () => {
    const length = reader.int32();
    return length === -1 ? null : reader.take(length);
  });
  const resultFormats = reader.list(2, () => reader.uint16());
  return reader.failed || reader.remaining > 0 ? undefined : { portal, statement, formats, values, resultFormats };
}

/** @returns the target of Describe or Close; `name` as bytes too, for messages of our own */
export function targetBody(
  message: Uint8Array,
  encoding = 'UTF8',
): { readonly kind: 'S' | 'P'; readonly name: string; readonly nameBytes: Uint8Array } | undefined {
  const reader = new BodyReader(message);
  const kind = String.fromCharCode(reader.byte());
  const nameBytes = reader.cstringBytes();
  const name = heldName(nameBytes, encoding);
  if (name === undefined || reader.failed || reader.remaining > 0 || (kind !== 'S' && kind !== 'P')) return undefined;
  return { kind, name, nameBytes };
}

export function executePortal(
  message: Uint8Array,
  encoding = 'UTF8',
): { readonly name: string; readonly nameBytes: Uint8Array } | undefined {
  const reader = new BodyReader(message);
  const nameBytes = reader.cstringBytes();
  reader.int32();
  const name = heldName(nameBytes, encoding);
  return name === undefined || reader.failed || reader.remaining > 0 ? undefined : { name, nameBytes };
}

/** Bytes of a name that the server tells from others (NAMEDATALEN less its end). */
const MAX_NAME_BYTES = 63;
/** A byte of the client's may be as many in the server's encoding. */
const MAX_GROWTH = 3;

/**
 * The name under which the server holds a statement or portal: it looks at the first 63 bytes, in its own encoding.
 * Two names that are one to it must be one here; undefined where that can't be told.
 *
 * @param encoding the session's `client_encoding`
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
function heldName(bytes: Uint8Array, encoding: string): string | undefined {
  if (bytes.length === 0) return '';
  if (bytes.every((byte) => byte < 0x80)) return new TextDecoder().decode(bytes.subarray(0, MAX_NAME_BYTES));
  const most = encoding === 'UTF8' ? MAX_NAME_BYTES : Math.floor(MAX_NAME_BYTES / MAX_GROWTH);
  if (bytes.length > most) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The format of item `index` by the wire's rule: none given means text, one means all. */
export function formatAt(formats: readonly number[], index: number): number {
  return (formats.length === 1 ? formats[0] : formats[index]) ?? 0;
}
