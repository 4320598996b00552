import { createFactCache, functionCallFacts, mergeFacts, startupSettingFacts } from '../facts/analyze.js';
import { copyFormatIn } from '../facts/copy-format.js';
import { functionNamed } from '../facts/function-oids.js';
import { normalForm } from '../facts/normal-form.js';
import type { SqlReader, SqlReading } from '../opening/session-options.js';

/** Memory for the facts of texts seen, over all sessions, in bytes. */
const CACHE_BYTES = 32 << 20;

const cache = createFactCache(CACHE_BYTES);

/** A reading made elsewhere, for the sessions to come, where it is not too large to be kept. */
export function keepReading(text: string, reading: SqlReading): void {
  cache.keep(text, reading);
}

export function isReadingKept(text: string): boolean {
  return cache.has(text);
}

/** Reads SQL by PostgreSQL's own grammar; `loadGrammar` must have resolved. */
export const sqlReader: SqlReader = {
  read: (text) => cache.read(text),
  needsStudy: () => false,
  merge: mergeFacts,
  setting: startupSettingFacts,
  functionCall: (oid) => functionCallFacts(functionNamed(oid)),
  copyFormat: copyFormatIn,
  normalForm,
};
