import { member } from '../../core/json-tree.js';
import type { JsonNode, JsonObject } from '../../core/json-tree.js';
import type { HttpRequest, ReadBody, RequestReading } from '../http/dialect.js';
import { eachMember, endpointOf, modelReading } from '../http/model-reading.js';
import type { Endpoints, ModelRequests } from '../http/model-reading.js';
import { stringIn } from '../http/prompt-reader.js';
import type { PromptReader } from '../http/prompt-reader.js';
import { ANTHROPIC_PLACES } from './places.js';

const ENDPOINTS: Endpoints = [
  [/\/messages\/count_tokens$/, 'messages.count_tokens'],
  [/\/messages\/batches$/, 'messages.batches'],
  [/\/messages$/, 'messages'],
  [/\/complete$/, 'complete'],
];

/** Members of bodies and messages that say who speaks, to which model, how. */
const NAMES = new Set([
  ...['model', 'messages', 'role', 'content', 'system', 'stream', 'prompt', 'tools', 'type', 'text'],
  ...['max_tokens', 'max_tokens_to_sample', 'requests', 'params'],
]);

const REQUESTS: ModelRequests = {
  provider: 'anthropic',
  places: ANTHROPIC_PLACES,
  names: NAMES,
  maxTokens: ['max_tokens', 'max_tokens_to_sample'],
  tool: (entry) => ({
    name: stringIn(entry, 'name') || stringIn(entry, 'mcp_server_name') || stringIn(entry, 'type'),
    description: stringIn(entry, 'description'),
  }),
  read: readConversation,
  batched(body) {
    const list = member(body, 'requests');
    if (list?.kind !== 'array') return undefined;
    return list.items.flatMap((item) => member(item, 'params') ?? []);
  },
};

/**
 * Reads a request to Anthropic's API, or to one that speaks like it.
 *
 * @see https://docs.anthropic.com/en/api/messages
 */
export function readAnthropicRequest(request: HttpRequest, body: ReadBody | undefined): RequestReading {
  return modelReading(request, body, { name: endpointOf(request.path, ENDPOINTS), model: '' }, REQUESTS);
}

function readConversation(body: JsonNode, reader: PromptReader): void {
  eachMember(body, reader, (name, value, parent) => {
    if (name === 'system') reader.message('system', [value], name, parent);
    else if (name === 'prompt') reader.message('user', [value], name, parent);
    else if (name === 'messages' && value.kind === 'array')
      for (const item of value.items) readMessage(item, reader, parent);
    // A batch: each request has a conversation of its own.
    else if (name === 'requests' && value.kind === 'array') for (const item of value.items) readBatched(item, reader);
    else return false;
    return true;
  });
}

function readBatched(request: JsonNode, reader: PromptReader): void {
  eachMember(request, reader, (name, value) => {
    if (name === 'params') readConversation(value, reader);
    return name === 'params';
  });
}

/** A message of the user may hold results of tools: those are messages of the role `tool`. */
function readMessage(item: JsonNode, reader: PromptReader, body: JsonObject): void {
  const role = stringIn(item, 'role') || 'user';
  const content = member(item, 'content');
  if (item.kind !== 'object' || content?.kind !== 'array') {
    reader.message(role, [item], 'messages', body);
    return;
  }
  for (const { name, value } of item.members) if (name !== 'content') reader.read(value, name, item);
  let run: JsonNode[] = [];
  let speaker = role;
  const said = (): void => {
    if (run.length > 0) reader.message(speaker, run, 'content', item);
    run = [];
  };
  for (const block of content.items) {
    const next = stringIn(block, 'type').endsWith('tool_result') && role === 'user' ? 'tool' : role;
    if (next !== speaker) said();
    speaker = next;
    run.push(block);
  }
  said();
}
