import { HoopError, isFault } from '../../../core/errors.js';
import { member, parseJsonTree } from '../../../core/json-tree.js';
import type { JsonNode } from '../../../core/json-tree.js';
import type { EventLayout, EventReading, TextPiece } from './answer-layout.js';
import { hasUnreadEscapes } from '../bodies/unread-escapes.js';

/** What APIs call a piece of a text that goes on in the next event. */
const PIECES = new Set(
  `delta text content token chunk completion partial_json arguments thinking reasoning reasoning_content refusal
   transcript response answer generated_text`.split(/\s+/),
);
const JSON_PIECES = new Set(['partial_json', 'arguments']);
/** Below a delta everything goes on, but for these. */
const IN_DELTA = /\.delta\./;
const WHOLE = new Set(['type', 'id', 'role', 'object', 'name', 'call_id', 'signature']);
/** What tells texts of one kind apart. */
const PLACES = ['response_id', 'output_index', 'item_id', 'index', 'content_index', 'summary_index'];
/** Of these nothing is a piece: they hold whole texts. */
const OUTLINE = /(?:^|[._-])(?:start|started|created|added)$/;
const OVER =
  /(?:^|[._-])(?:done|complete|completed|incomplete|failed|error|stop|stopped|end|ended|final|finish|finished)$/;
const REASONS = ['finish_reason', 'stop_reason', 'finishReason', 'done_reason'];
const FLAGS = ['done', 'stop', 'is_finished'];

/** Where pieces of text stand in an event stream of which nothing is known. One for each stream. */
export class PlainLayout {
  /** Names of events that held text and no JSON: what looks like JSON later is a part of that text. */
  readonly #textual = new Set<string>();

  /** The reading of data that is a piece of text itself; undefined where it is JSON. */
  readonly text = (data: string, name: string): EventReading | undefined => {
    if (!this.#textual.has(name)) {
      const tree = parseJsonTree(data);
      if (!isFault(tree) && tree.kind !== 'number' && tree.kind !== 'literal') return undefined;
      if (/^\s*[[{"]/.test(data) && hasUnreadEscapes(data))
        throw new HoopError('protocol', 'data is no JSON, and has escapes that can not be read');
      this.#textual.add(name);
    }
    return this.bare(data, name);
  };

  /** The reading of data that is a piece of text, whatever it looks like. */
  bare(data: string, name: string): EventReading {
    const node = { kind: 'string', from: 0, to: data.length, value: data } as const;
    const piece: TextPiece = {
      key: `;${name}`,
      kind: 'text',
      node,
      bare: true,
      extra: (rest) => ({ name, data: rest }),
    };
    return { pieces: [piece], ends: () => false, toolCalls: [] };
  }

  /**
   * JSON: strings under the names of `PIECES` are pieces of one text for each path to them, except in a JSON-RPC
   * message, which is whole.
   */
  readonly json: EventLayout = (tree, data, name) => {
    const type = typeOf(tree) || name;
    const whole = member(tree, 'jsonrpc') !== undefined || OUTLINE.test(type) || OVER.test(type);
    const marks = PLACES.flatMap((place) => markOf(tree, place));
    const pieces: TextPiece[] = [];
    const prefix = `${marks.join('')};`;
    const ended: string[] = [];
    const walk = (node: JsonNode, path: string, named: string): void => {
      if (node.kind === 'string') {
        if (!whole && (PIECES.has(named) || path === '' || (IN_DELTA.test(path) && !WHOLE.has(named))))
          pieces.push(pieceOf(node, `${prefix}${path}`, named, data, name));
      } else if (node.kind === 'array') {
        node.items.forEach((item, position) => {
          walk(item, `${path}.${indexOf(item, position)}`, named);
        });
      } else if (node.kind === 'object') {
        if (isOver(node)) ended.push(`${prefix}${path}`);
        for (const { name: inner, value } of node.members) walk(value, `${path}.${inner}`, inner);
      }
    };
    walk(tree, '', '');
    const over = OVER.test(type);
    return {
      pieces,
      ends: (key) => (over && marks.every((mark) => key.includes(mark))) || ended.some((path) => key.startsWith(path)),
      begins: () => true,
      toolCalls: [],
    };
  };
}

function pieceOf(
  node: JsonNode & { readonly kind: 'string' },
  key: string,
  named: string,
  data: string,
  name: string,
): TextPiece {
  return {
    key,
    kind: JSON_PIECES.has(named) ? 'json' : 'text',
    node,
    extra: (token) => ({ name, data: data.slice(0, node.from) + token + data.slice(node.to) }),
  };
}

function isOver(node: JsonNode): boolean {
  return (
    REASONS.some((name) => {
      const reason = member(node, name);
      return reason?.kind === 'string' && reason.value !== '';
    }) ||
    FLAGS.some((name) => {
      const flag = member(node, name);
      return flag?.kind === 'literal' && flag.value === true;
    })
  );
}

function typeOf(tree: JsonNode): string {
  const type = member(tree, 'type');
  return type?.kind === 'string' ? type.value : '';
}

function markOf(tree: JsonNode, name: string): string[] {
  const value = member(tree, name);
  return value?.kind === 'string' || value?.kind === 'number' ? [`${name}=${JSON.stringify(value.value)};`] : [];
}

function indexOf(node: JsonNode, position: number): string {
  const index = member(node, 'index');
  return String(index?.kind === 'number' ? index.value : position);
}
