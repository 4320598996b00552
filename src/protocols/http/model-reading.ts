import { hasDuplicates, member } from '../../core/json-tree.js';
import type { JsonNode, JsonObject } from '../../core/json-tree.js';
import { foldedName, hasFoldedNames } from './credentials/folded-names.js';
import type { BodyPart } from './bodies/multipart.js';
import type { BodyPlaces } from './bodies/body-places.js';
import type { HttpRequest, ReadBody, RequestReading } from './dialect.js';
import { judgedPrompt, numberIn, PromptReader, stringIn } from './prompt-reader.js';
import type { PromptMessage } from './prompt-reader.js';
import { plainReading } from './reading.js';

/** A tool that is offered to the model. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string;
}

/** What a dialect knows of the bodies of its model requests. */
export interface ModelRequests {
  readonly provider: 'openai' | 'anthropic';
  readonly places: BodyPlaces;
  /** Members of the body, besides the content, that the API reads: in another case they mean the same to some servers. */
  readonly names: ReadonlySet<string>;
  /** Members with the most tokens of an answer, the one that counts first. */
  readonly maxTokens: readonly string[];
  /** The member that they stand in; absent: in the body itself. */
  readonly maxTokensIn?: string;
  /** Is an answer asked for that comes in pieces? Absent: where `stream` is true. */
  streams?(body: JsonNode): boolean;
  /** Reads all of the body: messages as such, the rest as it comes. */
  read(body: JsonNode, reader: PromptReader): void;
  /** Of one entry of `tools` or `functions`. */
  readonly tool: (entry: JsonNode) => OfferedTool;
  /** The requests in a body that holds several; undefined where it is one itself. */
  batched?(body: JsonNode): readonly JsonNode[] | undefined;
}

export interface Endpoint {
  readonly name: string;
  /** Of a path that names the model; empty where it does not. */
  readonly model: string;
}

/** Endpoints by how their path ends; the first that matches counts. Whether the connection's `url` ends in `/v1` makes no difference. */
export type Endpoints = readonly (readonly [end: RegExp, name: string])[];

const TOOL_LISTS: readonly string[] = ['tools', 'functions'];

/** The endpoint of a path: capitals and a slash at the end make no difference, as to some servers they make none. */
export function endpointOf(path: string, endpoints: Endpoints): string {
  const plain = path.toLowerCase().replace(/\/$/, '');
  return endpoints.find(([end]) => end.test(plain))?.[1] ?? '';
}

/**
 * What a request to a model's endpoint says.
 *
 * Facts `llm`: `prompt` is all text of the body that is no name, id or kind, joined by newline; `messages` a list of
 * `{role, text}`; `tools` a list of `{name, description}`; `lastUser` the newest message of the user; `maxTokens` a
 * number or null. Of a batch: all its models, joined by `,`, all its tools and the sum of its tokens. Without a body in
 * JSON there are facts `http` alone.
 */
export function modelReading(
  request: HttpRequest,
  body: ReadBody | undefined,
  endpoint: Endpoint,
  requests: ModelRequests,
): RequestReading {
  const plain = plainReading(request, body);
  const { name } = endpoint;
  if (name === '') return plain;
  const unread = { ...plain, endpoint: name, model: endpoint.model };
  if (body === undefined || body.bytes.length === 0)
    return { ...unread, stream: /(?:^|&)stream=true(?:&|$)/.test(request.query) };
  const tree = body.json;
  if (body.parts !== undefined) return partsReading(plain, body.parts, endpoint, requests);
  if (tree === undefined)
    return plain.uninspected?.length === 0 ? { ...unread, uninspected: ['a body that is no JSON'] } : unread;
  const reader = new PromptReader(body.text, requests.places);
  requests.read(tree, reader);
  const asked = requests.batched?.(tree) ?? [tree];
  const stream = asked.some((one) => requests.streams?.(one) ?? isTrue(member(one, 'stream')));
  const model = Array.from(new Set(asked.map((one) => stringIn(one, 'model') || endpoint.model))).join(',');
  const { lastUser, messages, prompt } = reader;
  const newest = newestOf(messages);
  const tools = offersIn(tree, requests.places).map((entry) => requests.tool(entry));
  const maxTokens = sum(asked.map((one) => limitIn(one, requests)));
  return {
    facts: {
      llm: { provider: requests.provider, model, tools, stream, maxTokens, ...judged({ prompt, lastUser, messages }) },
      ...plain.facts,
    },
    endpoint: name,
    model,
    stream,
    text: newest?.text ?? plain.text,
    ...(newest === undefined ? {} : { from: newest.role }),
    ambiguous: hasDuplicates(tree) || hasFoldedNames(tree, requests.names, requests.places),
    uninspected: [...(plain.uninspected ?? []), ...reader.uninspected],
    mostTokens: sum(asked.map((one) => mostTokens(one, requests))),
    places: requests.places,
  };
}

const SETTING = /^(?:assistant|system|developer)$/;

/**
 * What is new in a conversation, which each request brings whole: the newest message of the user, with what tools have given
 * since the model spoke last; else what anybody said last. Undefined where nobody said anything.
 */
export function newestOf(messages: readonly PromptMessage[]): PromptMessage | undefined {
  const spoke = messages.findLastIndex(({ role }) => role === 'assistant');
  const since = messages.slice(spoke + 1).filter(({ role, text }) => text !== '' && !SETTING.test(role));
  if (since.length === 0) return messages.findLast(({ text }) => text !== '');
  const roles = new Set(since.map(({ role }) => role));
  if (roles.size === 1 && roles.has('user')) return since.at(-1);
  return { role: [...roles].join(', '), text: since.map(({ text }) => text).join('\n') };
}

interface Said {
  readonly prompt: string;
  readonly lastUser: string;
  readonly messages: readonly PromptMessage[];
}

/** What is said, as rules see it. */
export function judged({ prompt, lastUser, messages }: Said): Said {
  const text = judgedPrompt(prompt);
  // Where nothing of all of it is written in another way, no part of it is.
  if (text === prompt) return { prompt, lastUser, messages };
  return {
    prompt: text,
    lastUser: judgedPrompt(lastUser),
    messages: messages.map((message) => ({ ...message, text: judgedPrompt(message.text) })),
  };
}

/**
 * What the model may call: in lists of tools wherever they stand (of the body, of a namespace of tools, of an item or block
 * in the middle of a conversation), and where a block defines a single one.
 */
function offersIn(node: JsonNode, places: BodyPlaces): readonly JsonNode[] {
  if (node.kind === 'array') return node.items.flatMap((item) => offersIn(item, places));
  if (node.kind !== 'object') return [];
  return node.members.flatMap(({ name, value }) => {
    const isOne = name === 'definition' && stringIn(node, 'type') === 'tool_definition';
    const own = isOne ? [value] : TOOL_LISTS.includes(name) && value.kind === 'array' ? value.items : [];
    // What is the caller's own, as a schema, has names of its own.
    return places.free(name, node) ? own : [...own, ...offersIn(value, places)];
  });
}

/** Of a form in parts, as endpoints have them that take files: the model hears of the fields, and of the files that are text. */
export function partsReading(
  plain: RequestReading,
  parts: readonly BodyPart[],
  endpoint: Endpoint,
  { places, names, provider }: ModelRequests,
): RequestReading {
  const reader = new PromptReader('', places);
  const fields = parts.filter(({ fileName }) => fileName === undefined);
  for (const part of parts) reader.part(part);
  const given = (name: string): string =>
    fields.flatMap((field) => (field.name === name && 'text' in field.content ? [field.content.text] : [])).at(-1) ??
    '';
  const prompt = reader.prompt;
  const lastUser = given('prompt') || given('input') || prompt;
  const model = given('model') || endpoint.model;
  const stream = given('stream').toLowerCase() === 'true';
  const messages = [{ role: 'user', text: prompt }];
  const fieldNames = fields.map(({ name }) => name);
  const twice = fieldNames.some((name, at) => names.has(name) && fieldNames.indexOf(name) !== at);
  const said = judged({ prompt, lastUser, messages });
  const llm = { provider, model, ...said, tools: [], stream, maxTokens: null };
  return {
    ...plain,
    facts: { ...plain.facts, llm },
    endpoint: endpoint.name,
    model,
    stream,
    text: lastUser || plain.text,
    ambiguous: twice || fieldNames.some((name) => !names.has(name) && names.has(foldedName(name))),
    uninspected: [...reader.uninspected],
  };
}

function limitIn(body: JsonNode, { maxTokens, maxTokensIn }: ModelRequests): number | null {
  const limit = numberIn(maxTokensIn === undefined ? body : member(body, maxTokensIn), maxTokens);
  // Below zero it means no limit.
  return limit !== null && limit < 0 ? null : limit;
}

/** Each prompt of a list is answered, in as many choices as are asked for, of the best of as many tries. */
function mostTokens(body: JsonNode, requests: ModelRequests): number | null {
  const most = limitIn(body, requests);
  if (most === null) return null;
  const prompts = member(body, 'prompt');
  const texts = prompts?.kind === 'array' ? prompts.items.filter(({ kind }) => kind !== 'number').length : 1;
  const tries = Math.max(1, numberIn(body, ['n']) ?? 1, numberIn(body, ['best_of']) ?? 1);
  return most * tries * Math.max(1, texts);
}

function isTrue(node: JsonNode | undefined): boolean {
  return node?.kind === 'literal' && node.value === true;
}

/** Null where no number is known. */
function sum(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce((total, number) => (number === null ? total : (total ?? 0) + number), null);
}

/** Members of the body in order; where it is no object, all of it at once. */
export function eachMember(
  body: JsonNode,
  reader: PromptReader,
  take: (name: string, value: JsonNode, body: JsonObject) => boolean,
): void {
  if (body.kind !== 'object') {
    reader.read(body, '', undefined);
    return;
  }
  for (const { name, value } of body.members) if (!take(name, value, body)) reader.read(value, name, body);
}
