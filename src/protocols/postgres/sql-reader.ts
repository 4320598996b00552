import {
  analyze,
  copyFormatIn,
  createFactCache,
  executesIn,
  functionCallFacts,
  mergeFacts,
  preparedIn,
  startupSettingFacts,
} from './facts/analyze.js';
import type { SqlReader } from './session-options.js';

/** Texts whose facts are remembered, over all sessions; in characters. */
const CACHE_CHARS = 16 << 20;

const cache = createFactCache(CACHE_CHARS);

/** Reads SQL by PostgreSQL's own grammar; `loadGrammar` must have resolved. */
export const sqlReader: SqlReader = {
  analyze: (text) => cache.get(text, analyze),
  merge: mergeFacts,
  setting: startupSettingFacts,
  // The wire names the function by its object id alone.
  functionCall: () => functionCallFacts(''),
  preparedIn,
  executedIn: executesIn,
  copyFormat: copyFormatIn,
};
