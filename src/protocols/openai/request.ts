import { member } from '../../core/json-tree.js';
import type { JsonNode, JsonObject } from '../../core/json-tree.js';
import type { HttpRequest, ReadBody, RequestReading } from '../http/dialect.js';
import { FREE_BODY } from '../http/bodies/body-places.js';
import { eachMember, endpointOf, judged, modelReading, partsReading } from '../http/model-reading.js';
import type { Endpoints, ModelRequests } from '../http/model-reading.js';
import { stringIn } from '../http/prompt-reader.js';
import type { PromptReader } from '../http/prompt-reader.js';
import { plainReading } from '../http/reading.js';
import { queryPairs } from '../http/target.js';
import { OPENAI_PLACES } from './places.js';
import { uncounted } from './uncounted.js';

/** Its requests are messages of an upgraded stream: `client-events.ts`. */
export const REALTIME = 'realtime';

/** Longer endings before those that they end with. */
const ENDPOINTS: Endpoints = [
  [/\/realtime$/, REALTIME],
  [/\/chat\/completions$/, 'chat.completions'],
  [/\/responses(?:\/[^/]+)?$/, 'responses'],
  [/\/completions$/, 'completions'],
  [/\/embeddings$/, 'embeddings'],
  [/\/moderations$/, 'moderations'],
  [/\/images\/generations$/, 'images.generations'],
  [/\/images\/edits$/, 'images.edits'],
  [/\/images\/variations$/, 'images.variations'],
  [/\/audio\/speech$/, 'audio.speech'],
  [/\/audio\/transcriptions$/, 'audio.transcriptions'],
  [/\/audio\/translations$/, 'audio.translations'],
  [/\/batches$/, 'batches'],
  [/\/conversations(?:\/[^/]+\/items)?$/, 'conversations'],
  [/\/threads(?:\/runs|\/[^/]+\/(?:messages|runs(?:\/[^/]+\/submit_tool_outputs)?))?$/, 'threads'],
  [/\/assistants(?:\/[^/]+)?$/, 'assistants'],
];

/** Members of bodies and messages that say who speaks, to which model, how. */
export const NAMES: ReadonlySet<string> = new Set([
  ...['model', 'messages', 'role', 'content', 'stream', 'input', 'instructions', 'prompt', 'tools', 'functions'],
  ...['tool_calls', 'max_tokens', 'max_completion_tokens', 'max_output_tokens', 'type', 'text'],
]);

/** Azure and servers like it name the model in the path. */
const DEPLOYMENT = /\/deployments\/([^/]+)\//;

export const REQUESTS: ModelRequests = {
  provider: 'openai',
  places: OPENAI_PLACES,
  names: NAMES,
  maxTokens: ['max_completion_tokens', 'max_output_tokens', 'max_tokens'],
  tool: (entry) => {
    const described = member(entry, 'function') ?? member(entry, 'custom') ?? entry;
    const name = stringIn(described, 'name') || stringIn(described, 'server_label') || stringIn(described, 'type');
    return { name, description: stringIn(described, 'description') || stringIn(described, 'server_description') };
  },
  read(body, reader) {
    eachMember(body, reader, (name, value, parent) => readSaid(name, value, parent, reader));
  },
};

/** Reads a member as what is said to the model. @returns false where it is none of those */
export function readSaid(name: string, value: JsonNode, parent: JsonObject, reader: PromptReader): boolean {
  if (name === 'instructions') {
    if (value.kind !== 'array') reader.message('system', [value], name, parent);
    else for (const item of value.items) reader.message('system', [item], name, parent);
    return true;
  }
  if (!['messages', 'input', 'prompt', 'items', 'additional_messages'].includes(name)) return false;
  if (value.kind !== 'array') reader.message('user', [value], name, parent);
  else if (value.items.every(({ kind }) => kind === 'number')) reader.read(value, name, parent);
  else for (const item of value.items) reader.message(roleOf(item), [item], name, parent);
  return true;
}

/**
 * Reads a request to OpenAI's API, or to one that speaks like it.
 *
 * @see https://platform.openai.com/docs/api-reference
 */
export function readOpenAiRequest(request: HttpRequest, body: ReadBody | undefined): RequestReading {
  const name = endpointOf(request.path, ENDPOINTS);
  const read = modelReading(request, body, { name, model: modelNamedBy(request, name) }, REQUESTS);
  if (name === REALTIME && (body === undefined || body.bytes.length === 0)) return openedSession(read);
  const unknown = uncounted(request, body, read);
  return unknown === undefined ? read : { ...read, uncounted: unknown };
}

/** What opens a realtime session says which model, and nothing yet. */
function openedSession(read: RequestReading): RequestReading {
  const { model } = read;
  const said = { prompt: '', lastUser: '', messages: [], tools: [], maxTokens: null };
  const llm = { provider: REQUESTS.provider, model, stream: true, ...said };
  return { ...read, stream: true, facts: { ...read.facts, llm } };
}

/** The model that the address names: of a realtime session in its query, as Azure a deployment. */
function modelNamedBy({ path, query }: HttpRequest, endpoint: string): string {
  const ofPath = DEPLOYMENT.exec(path)?.[1];
  if (ofPath !== undefined || endpoint !== REALTIME) return ofPath ?? '';
  const named = queryPairs(query).filter(([name]) => name === 'model' || name === 'deployment');
  return [...new Set(named.map(([, value]) => value))].join(',');
}

/**
 * Reads a request to an endpoint that no dialect knows, of a server of models: all of its text may go to one. In JSON the
 * names of chat are read as such, as most APIs have them; what a mask may change is everything.
 *
 * Facts `llm` are there wherever there is a text to read; the endpoint stays empty.
 */
export function readOtherRequest(
  request: HttpRequest,
  body: ReadBody | undefined,
  provider: ModelRequests['provider'],
): RequestReading {
  const plain = plainReading(request, body);
  if (body === undefined || body.bytes.length === 0) return plain;
  if (body.json !== undefined) {
    const read = modelReading(request, body, { name: 'other', model: '' }, { ...REQUESTS, provider });
    return { ...read, endpoint: '', text: plain.text, from: 'user', places: FREE_BODY };
  }
  if (body.parts !== undefined)
    return { ...partsReading(plain, body.parts, { name: '', model: '' }, { ...REQUESTS, provider }), text: plain.text };
  if (body.text === '') return plain;
  const message = { role: 'user', text: body.text };
  const said = judged({ prompt: body.text, lastUser: body.text, messages: [message] });
  const llm = { provider, model: '', tools: [], stream: false, maxTokens: null, ...said };
  return { ...plain, facts: { ...plain.facts, llm } };
}

/** Who says an item of `messages` or `input`: items without a role are the model's calls and thoughts, and their results. */
export function roleOf(item: JsonNode): string {
  if (item.kind !== 'object') return 'user';
  const role = stringIn(item, 'role');
  if (role !== '') return role === 'function' ? 'tool' : role;
  const type = stringIn(item, 'type');
  if (type.endsWith('_output') || type === 'mcp_list_tools') return 'tool';
  return type === 'mcp_approval_response' || type === '' || type.startsWith('input_') || type === 'text'
    ? 'user'
    : 'assistant';
}
