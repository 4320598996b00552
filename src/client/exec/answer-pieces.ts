import type { TextEndpoint } from './http-input.js';
import { type Fields, fields } from './json-fields.js';

/** What an answer, or one event of it, holds for a reader. */
export type AnswerPiece =
  | { readonly kind: 'text'; readonly choice: number; readonly text: string }
  /** Pieces with one `key` are one call: the name comes first, the arguments in parts. */
  | { readonly kind: 'tool'; readonly key: string; readonly name: string; readonly arguments: string }
  /** Why it ended, where it is not complete. */
  | { readonly kind: 'stop'; readonly reason: string };

/** Ends that need no word. */
const ORDINARY: ReadonlySet<string> = new Set([
  'stop',
  'tool_calls',
  'function_call',
  'end_turn',
  'tool_use',
  'stop_sequence',
]);

/** The pieces of a whole answer or of one event of a stream, in the order in which they are shown. Reads each member by its type. */
export function piecesOf(endpoint: TextEndpoint, json: unknown): AnswerPiece[] {
  const body = fields(json);
  switch (endpoint) {
    case 'chat':
    case 'completions':
      return items(body['choices']).flatMap(ofChoice);
    case 'responses':
      return ofResponses(body);
    case 'messages':
      return ofMessages(body);
  }
}

/** @see https://platform.openai.com/docs/api-reference/chat and …/chat-streaming: `message` whole, `delta` in a stream */
function ofChoice(choice: Fields): AnswerPiece[] {
  const index = number(choice['index']);
  const message = fields(choice['delta'] ?? choice['message']);
  const tools = items(message['tool_calls']).map((call, at): AnswerPiece => {
    const called = fields(call['function']);
    const key = `${String(index)}/${String(call['index'] === undefined ? at : number(call['index']))}`;
    return { kind: 'tool', key, name: text(called['name']), arguments: text(called['arguments']) };
  });
  return [
    ...texts(index, choice['text'], message['content'], message['refusal']),
    ...tools,
    ...stop(choice['finish_reason']),
  ];
}

/** @see https://platform.openai.com/docs/api-reference/responses-streaming */
function ofResponses(body: Fields): AnswerPiece[] {
  switch (body['type']) {
    case 'response.output_text.delta':
    case 'response.refusal.delta':
      return texts(0, body['delta']);
    case 'response.output_item.done':
      return ofOutputTool(fields(body['item']), number(body['output_index']));
    case 'response.incomplete':
      return stop(fields(fields(body['response'])['incomplete_details'])['reason']);
    case undefined:
      break;
    default:
      return [];
  }
  const output = items(body['output']).flatMap((item, at) => [
    ...items(item['content']).flatMap((part) => texts(0, part['text'], part['refusal'])),
    ...ofOutputTool(item, at),
  ]);
  return [...output, ...stop(fields(body['incomplete_details'])['reason'])];
}

function ofOutputTool(item: Fields, at: number): AnswerPiece[] {
  if (item['type'] !== 'function_call') return [];
  return [{ kind: 'tool', key: String(at), name: text(item['name']), arguments: text(item['arguments']) }];
}

/** @see https://docs.anthropic.com/en/docs/build-with-claude/streaming */
function ofMessages(body: Fields): AnswerPiece[] {
  const key = String(number(body['index']));
  switch (body['type']) {
    case 'content_block_start':
      return ofBlock(fields(body['content_block']), key, false);
    case 'content_block_delta': {
      const delta = fields(body['delta']);
      if (delta['type'] === 'text_delta') return texts(0, delta['text']);
      if (delta['type'] !== 'input_json_delta') return [];
      return [{ kind: 'tool', key, name: '', arguments: text(delta['partial_json']) }];
    }
    case 'message_delta':
      return stop(fields(body['delta'])['stop_reason']);
    case 'message':
      return [
        ...items(body['content']).flatMap((block, at) => ofBlock(block, String(at), true)),
        ...stop(body['stop_reason']),
      ];
    default:
      return [];
  }
}

/** @param whole in a stream the input begins as `{}` and comes in deltas */
function ofBlock(block: Fields, key: string, whole: boolean): AnswerPiece[] {
  if (block['type'] === 'text') return texts(0, block['text']);
  if (block['type'] !== 'tool_use') return [];
  const input = whole ? JSON.stringify(block['input'] ?? {}) : '';
  return [{ kind: 'tool', key, name: text(block['name']), arguments: input }];
}

function texts(choice: number, ...values: readonly unknown[]): AnswerPiece[] {
  return values
    .map(text)
    .filter((value) => value !== '')
    .map((value) => ({ kind: 'text', choice, text: value }));
}

function stop(reason: unknown): AnswerPiece[] {
  return typeof reason === 'string' && !ORDINARY.has(reason) ? [{ kind: 'stop', reason }] : [];
}

function items(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
