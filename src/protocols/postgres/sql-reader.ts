import { createFactCache, functionCallFacts, mergeFacts, startupSettingFacts } from './facts/analyze.js';
import { copyFormatIn } from './facts/copy-format.js';
import type { SqlReader } from './session-options.js';

/** Memory for the facts of texts seen, over all sessions, in bytes. */
const CACHE_BYTES = 32 << 20;

const cache = createFactCache(CACHE_BYTES);

/** Reads SQL by PostgreSQL's own grammar; `loadGrammar` must have resolved. */
export const sqlReader: SqlReader = {
  read: (text) => cache.read(text),
  merge: mergeFacts,
  setting: startupSettingFacts,
  // The wire names the function by its object id alone.
  functionCall: () => functionCallFacts(''),
  copyFormat: copyFormatIn,
};
