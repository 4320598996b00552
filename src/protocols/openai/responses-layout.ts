import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { EventReading, TextPiece } from '../http/answers/answer-layout.js';

const DELTA = '.delta';
/** The text before it is what the deltas before it have too. */
const OVER = /^(.*)\.(?:done|completed)$/;
/** Of the strings in a delta that is an object, those that come whole. */
const WHOLE = new Set(['type', 'id', 'role', 'object', 'name', 'call_id', 'file_id', 'status', 'format']);
/** What tells the texts of one kind apart, from the outer to the inner. */
const PLACES = ['id', 'response_id', 'output_index', 'item_id', 'call_id', 'content_index', 'summary_index'];
/** Base64: cut elsewhere it can't be read, and nothing is found in it. */
export const AUDIO = new Set(['response.audio.delta', 'response.output_audio.delta', 'speech.audio.delta']);
/** After these nothing of the answer follows. */
const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled', 'error']);
/** With these an item or a part of it is over, and all its texts. */
const OUTER = new Map([
  ['response.output_item.done', ['output_index']],
  ['response.content_part.done', ['item_id', 'content_index']],
  ['response.reasoning_summary_part.done', ['item_id', 'summary_index']],
]);
const ADDED = '.added';
type BegunTexts = ReadonlyMap<string, readonly [text: string, stem: string]>;
/** Kinds of parts and items: the member that their deltas go on with, and what these are called. */
const BEGUN_PARTS: BegunTexts = new Map([
  ['output_text', ['text', 'response.output_text']],
  ['text', ['text', 'response.text']],
  ['refusal', ['refusal', 'response.refusal']],
  ['reasoning_text', ['text', 'response.reasoning_text']],
  ['summary_text', ['text', 'response.reasoning_summary_text']],
  ['audio', ['transcript', 'response.audio_transcript']],
  ['output_audio', ['transcript', 'response.output_audio_transcript']],
]);
const BEGUN_ITEMS: BegunTexts = new Map([
  ['function_call', ['arguments', 'response.function_call_arguments']],
  ['mcp_call', ['arguments', 'response.mcp_call_arguments']],
  ['custom_tool_call', ['input', 'response.custom_tool_call_input']],
  ['code_interpreter_call', ['code', 'response.code_interpreter_call_code']],
]);
/** The end of one of several responses of a session. */
const RESPONSE_DONE = 'response.done';
const CALL = /_call$/;
/** What this API and those beside it call their events. */
const FAMILIES =
  /^(?:response|conversation|session|transcription_session|transcript|thread|image_generation|image_edit|speech|rate_limits)\./;

/** Is it one of the events that `readResponseEvent` reads, or of the same make? */
export function isResponseEvent(tree: JsonNode, name: string): boolean {
  const type = stringOf(tree, 'type') || name;
  if (type.endsWith(DELTA) && !AUDIO.has(type)) return member(tree, 'delta') !== undefined;
  return type === 'error' || FAMILIES.test(type) || OVER.test(type);
}

/**
 * One event of the Responses API, of transcriptions, or of the Assistants API (which says the type in `event:` alone).
 * Texts come in events whose type ends in `.delta`, known or not; each is named by that type, the places it stands at
 * and, where the delta is no string, its path in it.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
export function readResponseEvent(tree: JsonNode, data: string, name: string): EventReading {
  const type = stringOf(tree, 'type') || name;
  const response = member(tree, 'response');
  return {
    pieces:
      type.endsWith(DELTA) && !AUDIO.has(type)
        ? deltaPieces(tree, type, data, name)
        : type.endsWith(ADDED)
          ? begunPieces(tree, name)
          : [],
    ends: endsOf(tree, type),
    repeats: OVER.test(type) || response !== undefined,
    unread: AUDIO.has(type) ? 'audio' : undefined,
    usage: member(response, 'usage'),
    toolCalls: type === 'response.output_item.added' ? toolNamesOf(member(tree, 'item')) : [],
  };
}

/** The tool that an output item calls: its name, or of the API's own tools the type. */
export function toolNamesOf(item: JsonNode | undefined): string[] {
  const type = stringOf(item, 'type');
  return CALL.test(type) ? [stringOf(item, 'name') || type] : [];
}

function deltaPieces(tree: JsonNode, type: string, data: string, name: string): TextPiece[] {
  const stem = type.slice(0, -DELTA.length);
  const place = keyOf(tree, stem);
  const pieces: TextPiece[] = [];
  const walk = (node: JsonNode, path: string, named: string): void => {
    if (node.kind === 'array')
      node.items.forEach((item, position) => {
        walk(item, `${path}/${indexOf(item, position)}`, named);
      });
    else if (node.kind === 'object')
      for (const inner of node.members) walk(inner.value, `${path}/${inner.name}`, inner.name);
    else if (node.kind === 'string' && !WHOLE.has(named))
      pieces.push({
        key: place + path,
        kind: stem.includes('arguments') || named === 'arguments' ? 'json' : 'text',
        node,
        extra: (token) => ({ name, data: data.slice(0, node.from) + token + data.slice(node.to) }),
      });
  };
  const delta = member(tree, 'delta');
  if (delta !== undefined) walk(delta, '', '');
  return pieces;
}

/** What an item or a part has already when it is added, which the deltas that follow go on with. */
function begunPieces(tree: JsonNode, name: string): TextPiece[] {
  const part = member(tree, 'part');
  const holder = part ?? member(tree, 'item');
  const [text, stem] = (part === undefined ? BEGUN_ITEMS : BEGUN_PARTS).get(stringOf(holder, 'type')) ?? [];
  const node = text === undefined ? undefined : member(holder, text);
  if (stem === undefined || node?.kind !== 'string') return [];
  // The deltas of an item name it by its id, those of a session its call as well.
  const placed = (mark: string): JsonNode | undefined => {
    if (part !== undefined || !(mark === 'item_id' || mark === 'call_id')) return member(tree, mark);
    if (mark === 'item_id') return member(holder, 'id');
    return member(tree, 'response_id') === undefined ? undefined : member(holder, mark);
  };
  const marks = PLACES.map((mark) => [mark, placed(mark)] as const);
  const members = [...marks, ['sequence_number', member(tree, 'sequence_number')] as const].flatMap(([mark, at]) =>
    at?.kind === 'string' || at?.kind === 'number' ? [`${JSON.stringify(mark)}:${JSON.stringify(at.value)},`] : [],
  );
  const type = stem + DELTA;
  return [
    {
      key: `${stem};${marks.map(([mark, at]) => markOf(mark, at)).join('')}`,
      kind: stem.includes('arguments') ? 'json' : 'text',
      node,
      extra: (token) => ({
        name: name === '' ? '' : type,
        data: `{"type":${JSON.stringify(type)},${members.join('')}"delta":${token}}`,
      }),
    },
  ];
}

function endsOf(tree: JsonNode, type: string): (key: string) => boolean {
  if (LAST.has(type)) return () => true;
  if (type === RESPONSE_DONE) {
    const id = stringOf(member(tree, 'response'), 'id');
    return (key) => id === '' || key.includes(`response_id=${JSON.stringify(id)};`);
  }
  const outer = OUTER.get(type);
  if (outer !== undefined) {
    const marks = outer.map((name) => markOf(name, member(tree, name)));
    return (key) => marks.every((mark) => mark !== '' && key.includes(mark));
  }
  const stem = OVER.exec(type)?.[1];
  if (stem === undefined) return () => false;
  const place = keyOf(tree, stem);
  return (key) => key.startsWith(place);
}

/** Each mark ends in `;`, so that none is the beginning of another. */
function keyOf(tree: JsonNode, stem: string): string {
  return `${stem};${PLACES.map((name) => markOf(name, member(tree, name))).join('')}`;
}

function markOf(name: string, value: JsonNode | undefined): string {
  return value?.kind === 'string' || value?.kind === 'number' ? `${name}=${JSON.stringify(value.value)};` : '';
}

function indexOf(node: JsonNode, position: number): string {
  const index = member(node, 'index');
  return String(index?.kind === 'number' ? index.value : position);
}

function stringOf(node: JsonNode | undefined, name: string): string {
  const value = member(node, name);
  return value?.kind === 'string' ? value.value : '';
}
