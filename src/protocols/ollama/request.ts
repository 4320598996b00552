import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { HttpRequest, ReadBody, RequestReading } from '../http/dialect.js';
import { eachMember, endpointOf, modelReading } from '../http/model-reading.js';
import type { Endpoints, ModelRequests } from '../http/model-reading.js';
import { stringIn } from '../http/prompt-reader.js';
import { OLLAMA_PLACES } from './places.js';

const ENDPOINTS: Endpoints = [
  [/\/api\/chat$/, 'ollama.chat'],
  [/\/api\/generate$/, 'ollama.generate'],
  [/\/api\/embed$/, 'ollama.embed'],
  [/\/api\/embeddings$/, 'ollama.embeddings'],
];
/** They stream unless they are told not to. */
const STREAMING: readonly string[] = ['ollama.chat', 'ollama.generate'];

/** Members of bodies and messages that the server reads. */
const NAMES = new Set([
  ...['model', 'messages', 'role', 'content', 'stream', 'input', 'prompt', 'system', 'suffix', 'template', 'tools'],
  ...['tool_calls', 'options', 'num_predict', 'type', 'images', 'context', 'format', 'thinking', 'raw'],
]);

function requestsOf(provider: ModelRequests['provider'], endpoint: string): ModelRequests {
  return {
    provider,
    places: OLLAMA_PLACES,
    names: NAMES,
    maxTokens: ['num_predict'],
    maxTokensIn: 'options',
    streams: (body) => STREAMING.includes(endpoint) && !isFalse(member(body, 'stream')),
    tool: (entry) => {
      const described = member(entry, 'function') ?? entry;
      return { name: stringIn(described, 'name'), description: stringIn(described, 'description') };
    },
    read(body, reader) {
      eachMember(body, reader, (name, value, parent) => {
        if (name === 'system') reader.message('system', [value], name, parent);
        else if (name === 'messages' && value.kind === 'array')
          for (const item of value.items) reader.message(stringIn(item, 'role') || 'user', [item], name, parent);
        else if (name === 'prompt' || name === 'input') reader.message('user', [value], name, parent);
        else return false;
        return true;
      });
    },
  };
}

/**
 * Reads a request to Ollama's own API; the endpoint is empty where it is none of these.
 *
 * `stream` of the reading stays false: what waits for an approval gets no pings, which that API does not have.
 */
export function readOllamaRequest(
  request: HttpRequest,
  body: ReadBody | undefined,
  provider: ModelRequests['provider'],
): RequestReading {
  const name = endpointOf(request.path, ENDPOINTS);
  const reading = modelReading(request, body, { name, model: '' }, requestsOf(provider, name));
  return { ...reading, stream: false };
}

function isFalse(node: JsonNode | undefined): boolean {
  return node?.kind === 'literal' && node.value === false;
}
