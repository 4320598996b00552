import { parseSql } from './grammar.js';

/** Longer texts, in UTF-16 units, are compared as they are: reading them again would hold others up. */
const MAX_CHARS = 64 * 1024;

/** Where something stands in the text. */
const PLACE = /^(?:(?:\w+_)?location|stmt_len|(?:\w+_)?list_(?:start|end))$/;

/**
 * The same text for texts that mean the same to PostgreSQL's grammar: comments, spaces, case of keywords and the like
 * are left out. What can't be read, or might be read otherwise by a server that was told so, is the text itself.
 *
 * The two kinds can't be taken for each other: the form says which it is.
 */
export function normalForm(text: string): string {
  const exact = JSON.stringify({ text });
  // Where standard_conforming_strings is off, a backslash moves the end of a string.
  if (text.length > MAX_CHARS || text.includes('\\') || text.includes('\0')) return exact;
  const parsed = parseSql(text);
  if (parsed.kind !== 'tree') return exact;
  try {
    return JSON.stringify({ tree: parsed.tree }, withoutPlaces);
  } catch {
    return exact;
  }
}

/** A place is a number; a `location` that is none is a path (CREATE TABLESPACE). */
function withoutPlaces(key: string, value: unknown): unknown {
  return typeof value === 'number' && PLACE.test(key) ? undefined : value;
}
