import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { EventReading, TextPiece } from '../http/answers/answer-layout.js';

const BLOCK_DELTA = 'content_block_delta';
/** Of a block's and a delta's strings, those that come whole. */
const WHOLE = new Set(['type', 'id', 'name', 'signature', 'data', 'tool_use_id', 'encrypted_content']);
/** Of a block that begins, the strings that deltas go on with. */
const BLOCK_TEXTS = ['text', 'thinking'];
const TOOL_USE = /tool_use$/;
const KINDS = /^(?:message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping|error|completion)$/;

/** Is it one of the events that `readMessageEvent` reads? */
export function isMessageEvent(tree: JsonNode, name: string): boolean {
  return KINDS.test(kindOf(tree, name));
}

/**
 * One event of a message. The texts of a block are named by its index and the member that holds them.
 *
 * @see https://docs.anthropic.com/en/docs/build-with-claude/streaming
 */
export function readMessageEvent(tree: JsonNode, _data: string, name: string): EventReading {
  const kind = kindOf(tree, name);
  const index = indexOf(tree);
  const place = `${index}.`;
  const block = member(tree, 'content_block');
  const ofMessage = kind === 'message_delta' || kind === 'message_stop' || kind === 'error';
  const startsBlock = kind === 'content_block_start';
  return {
    pieces: startsBlock
      ? blockPieces(block, index)
      : kind === 'completion'
        ? completionPieces(tree)
        : deltaPieces(tree, kind, index),
    ends:
      ofMessage || completed(tree, kind) ? () => true : (key) => kind === 'content_block_stop' && key.startsWith(place),
    begins: (key) => startsBlock && key.startsWith(place),
    usage: member(tree, 'usage') ?? member(member(tree, 'message'), 'usage'),
    toolCalls: startsBlock ? toolNamesOf(block) : [],
  };
}

/** The tool that a block of content calls. */
export function toolNamesOf(block: JsonNode | undefined): string[] {
  const type = member(block, 'type');
  const name = member(block, 'name');
  return type?.kind === 'string' && TOOL_USE.test(type.value) && name?.kind === 'string' ? [name.value] : [];
}

function kindOf(tree: JsonNode, name: string): string {
  const type = member(tree, 'type');
  return type?.kind === 'string' ? type.value : name;
}

function blockPieces(block: JsonNode | undefined, index: string): TextPiece[] {
  return BLOCK_TEXTS.flatMap((name) => {
    const node = member(block, name);
    return node?.kind === 'string' ? [pieceOf(node, index, `${name}_delta`, name)] : [];
  });
}

/** Known deltas and unknown ones alike: each string right in a delta is a piece. */
function deltaPieces(tree: JsonNode, kind: string, index: string): TextPiece[] {
  const delta = member(tree, 'delta');
  if (kind !== BLOCK_DELTA || delta?.kind !== 'object') return [];
  const type = member(delta, 'type');
  const deltaType = type?.kind === 'string' ? type.value : '';
  return delta.members.flatMap(({ name, value }) =>
    value.kind === 'string' && !WHOLE.has(name) ? [pieceOf(value, index, deltaType, name)] : [],
  );
}

function pieceOf(node: JsonNode & { readonly kind: 'string' }, index: string, type: string, name: string): TextPiece {
  return {
    key: `${index}.${name}`,
    kind: name === 'partial_json' ? 'json' : 'text',
    node,
    extra: (token) => ({
      name: BLOCK_DELTA,
      data: `{"type":"${BLOCK_DELTA}","index":${index},"delta":{"type":${JSON.stringify(type)},${JSON.stringify(name)}:${token}}}`,
    }),
  };
}

/** The legacy text completions: one text, over with its `stop_reason`. */
function completionPieces(tree: JsonNode): TextPiece[] {
  const node = member(tree, 'completion');
  if (node?.kind !== 'string') return [];
  const extra = (token: string) => ({
    name: 'completion',
    data: `{"type":"completion","completion":${token},"stop_reason":null}`,
  });
  return [{ key: 'completion', kind: 'text', node, extra }];
}

function completed(tree: JsonNode, kind: string): boolean {
  return kind === 'completion' && member(tree, 'stop_reason')?.kind === 'string';
}

function indexOf(tree: JsonNode): string {
  const index = member(tree, 'index');
  return index?.kind === 'number' ? String(index.value) : '0';
}
