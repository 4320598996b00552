import type { JsonNode, JsonObject } from '../../core/json-tree.js';
import { FREE_BODY, wordOrText } from '../http/bodies/body-places.js';
import type { BodyPlaces } from '../http/bodies/body-places.js';
import type { HttpRequest, ReadBody } from '../http/dialect.js';
import type { MessageReading } from '../http/message-side.js';
import { eachMember, modelReading, newestOf } from '../http/model-reading.js';
import type { ModelRequests } from '../http/model-reading.js';
import { stringIn } from '../http/prompt-reader.js';
import type { PromptMessage, PromptReader } from '../http/prompt-reader.js';
import { OPENAI_PLACES } from './places.js';
import { NAMES, readSaid, REQUESTS, roleOf } from './request.js';

/** Asks for an answer. */
const CREATE = 'response.create';
/** What their senders say with them is in their type and ids alone. */
const STEERING = new Set([
  ...['input_audio_buffer.append', 'input_audio_buffer.commit', 'input_audio_buffer.clear'],
  ...['output_audio_buffer.clear', 'response.cancel'],
  ...['conversation.item.delete', 'conversation.item.retrieve', 'conversation.item.truncate'],
]);
/** What is known to bring text, and to ask for no answer. */
const SAYING = new Set(['session.update', 'transcription_session.update', 'conversation.item.create']);

/** Names, ids and kinds besides those that requests have. */
const WORDS = new Set([
  ...['event_id', 'previous_item_id', 'response_id', 'output_modalities', 'language', 'eagerness'],
  ...['input_audio_format', 'output_audio_format', 'delay'],
]);
const AUDIO_KINDS = new Set(['audio', 'output_audio']);
/** What stands in the place of audio and is no base64 is read. */
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Where content stands in events that clients send. */
const PLACES: BodyPlaces = {
  place: (name, value, parent) => {
    if (name === 'audio' && BASE64.test(value)) return { foreign: 'audio' };
    return WORDS.has(name) ? wordOrText(value) : OPENAI_PLACES.place(name, value, parent);
  },
  free: (name, parent) => OPENAI_PLACES.free(name, parent),
  unknown: (object, name) =>
    AUDIO_KINDS.has(stringIn(object, 'type')) ? undefined : OPENAI_PLACES.unknown(object, name),
};

const EVENTS: ModelRequests = {
  ...REQUESTS,
  places: PLACES,
  names: new Set([...NAMES, 'session', 'response', 'item', 'audio', 'output', 'arguments', 'event_id']),
  maxTokens: [...REQUESTS.maxTokens, 'max_response_output_tokens'],
  streams: () => true,
  read(event, reader) {
    eachMember(event, reader, (name, value, parent) => {
      if (isInner(name, value)) {
        eachMember(value, reader, (inner, of, around) => readSaid(inner, of, around, reader));
        return true;
      }
      return readItem(name, value, parent, reader) || readSaid(name, value, parent, reader);
    });
  },
  // Model, tools and tokens stand in what an event sets, or in the event itself.
  batched: (event) =>
    event.kind === 'object'
      ? [event, ...event.members.flatMap(({ name, value }) => (isInner(name, value) ? [value] : []))]
      : undefined,
};

/** Of an event of a kind that is not known, all that stands in it is content, names too. */
const UNKNOWN_EVENTS: ModelRequests = {
  ...EVENTS,
  places: FREE_BODY,
  read(event, reader) {
    reader.message('user', [event], '', undefined);
  },
};

/**
 * Reads one message of a client on a stream of the Realtime API, or of the Responses API over a WebSocket.
 *
 * @see https://platform.openai.com/docs/api-reference/realtime-client-events
 * @see https://platform.openai.com/docs/guides/websocket-mode
 */
export function readClientEvent(
  endpoint: 'realtime' | 'responses',
  upgrade: HttpRequest,
  model: string,
  body: ReadBody,
): MessageReading {
  const type = stringIn(body.json, 'type');
  const known = type === CREATE || SAYING.has(type) || STEERING.has(type);
  const request = { ...upgrade, contentType: JSON_TYPE };
  const read = modelReading(request, body, { name: endpoint, model }, known ? EVENTS : UNKNOWN_EVENTS);
  const llm = read.facts.llm ?? saidPlainly(body.text, model);
  const silent = llm['prompt'] === '' && (llm['tools'] as readonly unknown[]).length === 0;
  const asks = !SAYING.has(type) && !STEERING.has(type);
  const named = namedModel(read.model, model);
  return {
    ...read,
    model: named,
    facts: { ...read.facts, llm: { ...llm, model: named } },
    ...newIn(llm, type),
    quiet: silent && STEERING.has(type),
    asks,
    id: stringIn(body.json, 'event_id'),
    ...(asks && named === '' ? { uncounted: 'the model, and no message has named it' } : {}),
    places: read.places ?? FREE_BODY,
  };
}

const JSON_TYPE = 'application/json';

/** A message that is no JSON. */
function saidPlainly(text: string, model: string): Record<string, unknown> {
  const messages = text === '' ? [] : [{ role: 'user', text }];
  return {
    provider: REQUESTS.provider,
    model,
    prompt: text,
    lastUser: text,
    messages,
    tools: [],
    stream: true,
    maxTokens: null,
  };
}

/** `session.update` and `response.create` of the Realtime API hold what is set in an object of their own. */
function isInner(name: string, value: JsonNode): value is JsonObject {
  return (name === 'session' || name === 'response') && value.kind === 'object';
}

function readItem(name: string, value: JsonNode, parent: JsonObject, reader: PromptReader): boolean {
  if (name !== 'item' || value.kind !== 'object') return false;
  // As one of a list of items: of what kind it is says its type.
  reader.message(roleOf(value), [value], 'items', parent);
  return true;
}

/** An event that names another model than the stream was opened for is judged and counted by both. */
function namedModel(read: string, opened: string): string {
  return [...new Set([...opened.split(','), ...read.split(',')])].filter((name) => name !== '').join(',');
}

/** What people and searches see of it. */
function newIn(llm: Readonly<Record<string, unknown>>, type: string): Pick<MessageReading, 'text' | 'from'> {
  const newest = newestOf(llm['messages'] as readonly PromptMessage[]);
  return newest === undefined ? { text: type } : { text: newest.text, from: newest.role };
}
