import type { Catalog } from '../catalog/types.js';
import { READ_OTHERWISE } from '../facts/findings.js';
import type { Outline } from '../facts/outline.js';
import type { Run } from '../statements/run.js';
import { readLineage } from './read-lineage.js';
import { MISREAD, type TextLineage } from './text-lineage.js';
import type { SessionNames } from './session-names.js';

/** Texts remembered for one reading of the catalogue; longer texts are read each time. */
const MAX_TEXTS = 4_000;
const MAX_TEXT_CHARS = 16_384;

const byCatalog = new WeakMap<Catalog, Map<string, TextLineage>>();

/** As `readLineage`, remembered by text, catalogue and search path; not where the session has made relations. */
export function lineageOf(
  text: string,
  catalog: Catalog,
  names: SessionNames,
  outline?: Outline | 'unknown',
): TextLineage {
  if (names.made !== undefined || text.length > MAX_TEXT_CHARS) return readLineage(text, catalog, names, outline);
  let known = byCatalog.get(catalog);
  if (known === undefined) byCatalog.set(catalog, (known = new Map<string, TextLineage>()));
  const key = `${names.searchPath === undefined ? '' : JSON.stringify(names.searchPath)}\n${text}`;
  const found = known.get(key) ?? readLineage(text, catalog, names);
  // Used last, forgotten last.
  known.delete(key);
  known.set(key, found);
  if (known.size > MAX_TEXTS) known.delete(known.keys().next().value as string);
  return found;
}

/** Of a run's own text, and of those that it executes. */
export function lineagesOf(
  { text, executes, facts }: Run,
  catalog: Catalog,
  names: SessionNames,
  outline: (text: string) => Outline | 'unknown' | undefined,
): readonly TextLineage[] {
  if (facts.opaqueReason === READ_OTHERWISE) return [MISREAD];
  return [text, ...(executes ?? [])].map((one) => lineageOf(one, catalog, names, outline(one)));
}
