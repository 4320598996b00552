import { member } from '../../core/json-tree.js';
import type { JsonNode, JsonObject } from '../../core/json-tree.js';
import { stringsIn } from '../http/answers/answer-layout.js';
import type { EventReading, ExtraEvent, TextPiece } from '../http/answers/answer-layout.js';

/** Of a delta's strings, those that come whole. */
const WHOLE = new Set(['role', 'id', 'type', 'name', 'format', 'signature', 'data', 'encrypted_content']);
/** Below the delta's own members, strings with these names go on from event to event. */
const NESTED_TEXTS = new Set(['arguments', 'input', 'text', 'thinking', 'content', 'summary', 'transcript']);
/** What every chunk of one answer repeats. */
const HEAD = ['id', 'object', 'created', 'model', 'system_fingerprint', 'service_tier'];

type Step = string | { readonly index: string; readonly type: string };

interface Choice {
  readonly index: number;
  /** The whole event. */
  readonly chunk: JsonObject;
  readonly data: string;
}

/**
 * One chunk of a chat completion or a legacy completion. Every choice has its texts, named by their path in it:
 * `delta.content`, `delta.tool_calls[1].function.arguments`, `text`.
 *
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 */
export function readChunk(tree: JsonNode, data: string): EventReading {
  const pieces: TextPiece[] = [];
  const toolCalls: string[] = [];
  const ended: string[] = [];
  const choices = member(tree, 'choices');
  if (tree.kind === 'object' && choices?.kind === 'array')
    choices.items.forEach((node, position) => {
      const choice = { index: indexOf(node, position), chunk: tree, data };
      choicePieces(node, choice, pieces);
      toolCalls.push(...toolNames(member(node, 'delta')));
      const finish = member(node, 'finish_reason');
      if (finish?.kind === 'string' && finish.value !== '') ended.push(`${String(choice.index)}.`);
    });
  return {
    pieces,
    ends: (key) => ended.some((prefix) => key.startsWith(prefix)),
    usage: member(tree, 'usage'),
    toolCalls,
  };
}

/** Names of the tools that a delta or a message calls. */
export function toolNames(delta: JsonNode | undefined): string[] {
  return called(delta).flatMap((call) => stringsIn(call, ['name']));
}

/** One for each of these names. */
export function toolArguments(message: JsonNode | undefined): string[] {
  const named = called(message).filter((call) => stringsIn(call, ['name']).length > 0);
  return named.map((call) => stringsIn(call, ['arguments', 'input'])[0] ?? '');
}

function called(delta: JsonNode | undefined): (JsonNode | undefined)[] {
  const calls = member(delta, 'tool_calls');
  const functions =
    calls?.kind === 'array' ? calls.items.map((call) => member(call, 'function') ?? member(call, 'custom')) : [];
  return [...functions, member(delta, 'function_call')];
}

function choicePieces(node: JsonNode, choice: Choice, pieces: TextPiece[]): void {
  const text = member(node, 'text');
  if (text?.kind === 'string') pieces.push(pieceOf(text, ['text'], choice));
  const delta = member(node, 'delta');
  if (delta?.kind !== 'object') return;
  for (const { name, value } of delta.members) {
    if (value.kind !== 'string') nestedPieces(value, ['delta', name], choice, pieces);
    else if (!WHOLE.has(name)) pieces.push(pieceOf(value, ['delta', name], choice));
  }
}

function nestedPieces(node: JsonNode, path: readonly Step[], choice: Choice, pieces: TextPiece[]): void {
  if (node.kind === 'array')
    node.items.forEach((item, position) => {
      const type = member(item, 'type');
      const step = { index: String(indexOf(item, position)), type: type?.kind === 'string' ? type.value : '' };
      nestedPieces(item, [...path, step], choice, pieces);
    });
  if (node.kind !== 'object') return;
  for (const { name, value } of node.members) {
    if (value.kind !== 'string') nestedPieces(value, [...path, name], choice, pieces);
    else if (NESTED_TEXTS.has(name)) pieces.push(pieceOf(value, [...path, name], choice));
  }
}

function pieceOf(node: JsonNode & { readonly kind: 'string' }, path: readonly Step[], choice: Choice): TextPiece {
  const steps = path.map((step) => (typeof step === 'string' ? step : step.index));
  return {
    key: `${String(choice.index)}.${steps.join('.')}`,
    kind: path.at(-1) === 'arguments' ? 'json' : 'text',
    node,
    extra: (token) => extraChunk(choice, path, token),
  };
}

/** A chunk that holds one piece of one choice. */
function extraChunk({ index, chunk, data }: Choice, path: readonly Step[], token: string): ExtraEvent {
  const head = HEAD.flatMap((name) => {
    const value = member(chunk, name);
    return value === undefined ? [] : [`${JSON.stringify(name)}:${data.slice(value.from, value.to)}`];
  });
  const choice = `{"index":${String(index)},${nested(path, token).slice(1, -1)},"finish_reason":null}`;
  return { name: '', data: `{${[...head, `"choices":[${choice}]`].join(',')}}` };
}

/** The JSON text in which `token` stands at the end of the path. */
function nested(path: readonly Step[], token: string): string {
  return path.reduceRight<string>((inner, step) => {
    if (typeof step === 'string') return `{${JSON.stringify(step)}:${inner}}`;
    if (inner.startsWith('[')) return `[${inner}]`;
    const type = step.type === '' ? '' : `"type":${JSON.stringify(step.type)},`;
    return `[{"index":${step.index},${type}${inner.slice(1)}]`;
  }, token);
}

function indexOf(node: JsonNode, position: number): number {
  const index = member(node, 'index');
  return index?.kind === 'number' ? index.value : position;
}
