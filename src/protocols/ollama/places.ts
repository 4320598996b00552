import type { JsonObject } from '../../core/json-tree.js';
import { member } from '../../core/json-tree.js';
import { wordOrText } from '../http/bodies/body-places.js';
import type { BodyPlaces } from '../http/bodies/body-places.js';

/** Names and kinds. */
const WORDS = new Set(['model', 'role', 'type', 'format', 'keep_alive', 'tool_name', 'name', 'think']);
/** The caller's own, or for the server alone. */
const FREE = new Set(['parameters', 'properties', 'arguments', 'schema', 'metadata']);

/**
 * Where content stands in requests of Ollama's own API.
 *
 * @see https://docs.ollama.com/api
 */
export const OLLAMA_PLACES: BodyPlaces = {
  place(name, value) {
    if (name === 'images') return { foreign: 'an image' };
    return WORDS.has(name) ? wordOrText(value) : 'text';
  },
  // `format` is a word or a schema.
  free: (name, parent) => FREE.has(name) || (name === 'format' && isObject(parent, 'format')),
  unknown: () => undefined,
};

function isObject(parent: JsonObject | undefined, name: string): boolean {
  return member(parent, name)?.kind === 'object';
}
