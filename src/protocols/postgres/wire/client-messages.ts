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
import { decodeUtf8 } from '../../../core/bytes.js';
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

export function parseBody(message: Uint8Array): ParseBody | undefined {
  const reader = new BodyReader(message);
  const body = {
    name: reader.cstring(),
    text: reader.cstringBytes(),
    types: reader.list(4, () => reader.int32() >>> 0),
  };
  return reader.failed || reader.remaining > 0 ? undefined : body;
}

export function bindBody(message: Uint8Array): BindBody | undefined {
  const reader = new BodyReader(message);
  const portal = reader.cstring();
  const statement = reader.cstring();
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
): { readonly kind: 'S' | 'P'; readonly name: string; readonly nameBytes: Uint8Array } | undefined {
  const reader = new BodyReader(message);
  const kind = String.fromCharCode(reader.byte());
  const nameBytes = reader.cstringBytes();
  if (reader.failed || reader.remaining > 0 || (kind !== 'S' && kind !== 'P')) return undefined;
  return { kind, name: decodeUtf8(nameBytes), nameBytes };
}

export function executePortal(
  message: Uint8Array,
): { readonly name: string; readonly nameBytes: Uint8Array } | undefined {
  const reader = new BodyReader(message);
  const nameBytes = reader.cstringBytes();
  reader.int32();
  return reader.failed || reader.remaining > 0 ? undefined : { name: decodeUtf8(nameBytes), nameBytes };
}

/** The format of item `index` by the wire's rule: none given means text, one means all. */
export function formatAt(formats: readonly number[], index: number): number {
  return (formats.length === 1 ? formats[0] : formats[index]) ?? 0;
}
