import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { EventReading, TextPiece } from '../http/answer-layout.js';

const DELTA = '.delta';
const DONE = '.done';
/** What tells the texts of one kind apart, from the outer to the inner. */
const PLACES = ['response_id', 'output_index', 'item_id', 'call_id', 'content_index', 'summary_index'];
/** Base64: cut elsewhere it can't be read, and nothing is found in it. */
const AUDIO = new Set(['response.audio.delta', 'response.output_audio.delta']);
/** After these nothing of the answer follows. */
const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled', 'error']);
/** With these an item or a part of it is over, and all its texts. */
const OUTER = new Map([
  ['response.output_item.done', ['output_index']],
  ['response.content_part.done', ['item_id', 'content_index']],
  ['response.reasoning_summary_part.done', ['item_id', 'summary_index']],
]);
const CALL = /_call$/;

/**
 * One event of the Responses API. Its texts come in events whose type ends in `.delta`, known or not; each text is
 * named by that type and the places it stands at.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
export function readResponseEvent(tree: JsonNode, data: string, name: string): EventReading {
  const type = stringOf(tree, 'type') || name;
  const response = member(tree, 'response');
  return {
    pieces: type.endsWith(DELTA) && !AUDIO.has(type) ? deltaPieces(tree, type, data, name) : [],
    ends: endsOf(tree, type),
    repeats: type.endsWith(DONE) || response !== undefined,
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
  const delta = member(tree, 'delta');
  const stem = type.slice(0, -DELTA.length);
  const place = keyOf(tree, stem);
  const piece = (node: JsonNode & { readonly kind: 'string' }, path: string): TextPiece => ({
    key: place + path,
    kind: stem.includes('arguments') || path === '/arguments' ? 'json' : 'text',
    node,
    extra: (token) => ({ name, data: data.slice(0, node.from) + token + data.slice(node.to) }),
  });
  if (delta?.kind === 'string') return [piece(delta, '')];
  if (delta?.kind !== 'object') return [];
  return delta.members.flatMap(({ name: inner, value }) =>
    value.kind === 'string' && inner !== 'type' ? [piece(value, `/${inner}`)] : [],
  );
}

function endsOf(tree: JsonNode, type: string): (key: string) => boolean {
  if (LAST.has(type)) return () => true;
  const outer = OUTER.get(type);
  if (outer !== undefined) {
    const marks = outer.map((name) => markOf(tree, name));
    return (key) => marks.every((mark) => mark !== '' && key.includes(mark));
  }
  if (!type.endsWith(DONE)) return () => false;
  const place = keyOf(tree, type.slice(0, -DONE.length));
  return (key) => key.startsWith(place);
}

/** Each mark ends in `;`, so that none is the beginning of another. */
function keyOf(tree: JsonNode, stem: string): string {
  return `${stem};${PLACES.map((name) => markOf(tree, name)).join('')}`;
}

function markOf(tree: JsonNode, name: string): string {
  const value = member(tree, name);
  return value?.kind === 'string' || value?.kind === 'number' ? `${name}=${JSON.stringify(value.value)};` : '';
}

function stringOf(node: JsonNode | undefined, name: string): string {
  const value = member(node, name);
  return value?.kind === 'string' ? value.value : '';
}
