import type { SqlFacts } from '../../../policy/types.js';

/** Encodings in which a byte of a multi-byte character may look like a quote or a backslash, or that we can't decode. */
const DECODABLE = new Map([
  ['UTF8', 'utf-8'],
  ['SQL_ASCII', 'utf-8'],
  ['LATIN1', 'latin1'],
  ['WIN1252', 'windows-1252'],
  ['LATIN9', 'iso-8859-15'],
]);

/**
 * The text as the server will read it, given the session's `client_encoding` and
 * `standard_conforming_strings`; undefined where it can't be told, so that policy may refuse it.
 */
export function decodeStatement(bytes: Uint8Array, encoding: string, conforming: boolean): string | undefined {
  // With the old rules a backslash escapes a quote in plain strings, and the grammar here reads by the new ones.
  if (!conforming && bytes.includes(0x5c)) return undefined;
  const label = DECODABLE.get(encoding.toUpperCase());
  // What is called latin1 here has letters where LATIN1 has control characters: a name would be another one.
  if (label === 'latin1' && bytes.some((byte) => byte >= 0x80 && byte < 0xa0)) return undefined;
  if (label === undefined) return bytes.some((byte) => byte >= 0x80) ? undefined : new TextDecoder().decode(bytes);
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** May this statement change how the next ones are to be read? Then none is read before the server has answered. */
export function changesReading(text: string): boolean {
  return /client_encoding|standard_conforming_strings|\bnames\b/i.test(text);
}

/** May it bring back an earlier reading: the end of a transaction, a reset, or code that nobody has read? */
export function mayRestoreReading(text: string): boolean {
  return /\b(?:rollback|abort|commit|end|reset|discard|prepare|execute|do|call)\b|set_config/i.test(text);
}

/** The facts of text that nobody can read. */
export function unreadable(text: string, reason: string): SqlFacts {
  return {
    text,
    kind: 'other',
    effects: ['other'],
    reads: [],
    writes: [],
    functions: [],
    unqualified: [],
    unqualifiedWrite: false,
    opaque: true,
    opaqueReason: reason,
    statements: 1,
    params: [],
  };
}

const kept = new WeakMap<SqlFacts, Record<string, unknown>>();

/** The part of the facts that the record keeps; the same object for the same facts. */
export function recordedFacts(facts: SqlFacts): Readonly<Record<string, unknown>> {
  let part = kept.get(facts);
  if (part === undefined) kept.set(facts, (part = keptPart(facts)));
  return part;
}

function keptPart(facts: SqlFacts): Record<string, unknown> {
  const { kind, effects, reads, writes, functions, unqualified, unbounded, opaque, opaqueReason, statements } = facts;
  const { stacked = statements } = facts;
  return {
    kind,
    effects,
    reads,
    writes,
    functions,
    unqualified,
    statements,
    ...(stacked === statements ? {} : { stacked }),
    ...(unbounded === true ? { unbounded } : {}),
    ...(opaque ? { opaque, opaqueReason } : {}),
  };
}
