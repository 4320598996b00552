import type { ModelUsage } from '../../core/events.js';
import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import { answerDocument } from '../http/answers/answer-document.js';
import { stringsIn, textsIn } from '../http/answers/answer-layout.js';
import type { DocumentReading, EventReading, TextPiece } from '../http/answers/answer-layout.js';
import type { AnswerBody, AnswerOptions } from '../http/dialect.js';
import type { KnownTexts } from '../http/answers/known-texts.js';

/** What every line of one answer repeats. */
const HEAD = ['model', 'created_at'];
const TEXTS = ['response', 'thinking'];
const MESSAGE_TEXTS = ['content', 'thinking'];

/**
 * Lines of a streamed answer: `{"model":…,"message":{"role":…,"content":"…"},"done":false}` of a chat,
 * `{"model":…,"response":"…","done":false}` of a generation. The last one has `done: true`, and the counts.
 *
 * @see https://docs.ollama.com/api/streaming
 */
export const OLLAMA_TEXTS: KnownTexts = {
  hint: /"done"/,
  knows: (tree) => {
    const done = member(tree, 'done');
    if (done?.kind !== 'literal' || done.value === null || member(tree, 'model')?.kind !== 'string') return false;
    return TEXTS.some((name) => member(tree, name)?.kind === 'string') || member(tree, 'message')?.kind === 'object';
  },
  layout: readLine,
  usageOf,
};

/** An answer in one document, embeddings, an error. */
export function ollamaJson(options: AnswerOptions): AnswerBody {
  return answerDocument(options, readDocument, usageOf);
}

function readLine(tree: JsonNode, data: string): EventReading {
  const message = member(tree, 'message');
  const done = member(tree, 'done');
  return {
    pieces: [
      ...piecesIn(tree, TEXTS, data, (name, token) => `${JSON.stringify(name)}:${token}`, tree),
      ...piecesIn(
        message,
        MESSAGE_TEXTS,
        data,
        (name, token) =>
          `"message":{"role":"assistant",${name === 'content' ? '' : '"content":"",'}${JSON.stringify(name)}:${token}}`,
        tree,
      ),
    ],
    ends: () => done?.kind === 'literal' && done.value === true,
    usage: tree,
    toolCalls: toolNames(message),
  };
}

/** @param inside what stands for the piece in a line of its own */
function piecesIn(
  holder: JsonNode | undefined,
  names: readonly string[],
  data: string,
  inside: (name: string, token: string) => string,
  tree: JsonNode,
): TextPiece[] {
  return names.flatMap((name) => {
    const node = member(holder, name);
    if (node?.kind !== 'string') return [];
    const extra = (token: string) => ({ name: '', data: `{${headOf(tree, data)}${inside(name, token)},"done":false}` });
    return [{ key: `${holder === tree ? '' : 'message.'}${name}`, kind: 'text', node, extra }];
  });
}

function headOf(tree: JsonNode, data: string): string {
  return HEAD.map((name) => {
    const value = member(tree, name);
    return value === undefined ? '' : `${JSON.stringify(name)}:${data.slice(value.from, value.to)},`;
  }).join('');
}

function toolNames(message: JsonNode | undefined): string[] {
  const calls = member(message, 'tool_calls');
  return calls?.kind === 'array' ? calls.items.flatMap((call) => stringsIn(member(call, 'function'), ['name'])) : [];
}

function readDocument(tree: JsonNode): DocumentReading {
  const message = member(tree, 'message');
  return {
    usage: tree,
    toolCalls: toolNames(message),
    toolArguments: [],
    texts: [...textsIn(tree, TEXTS), ...textsIn(message, MESSAGE_TEXTS)],
  };
}

function usageOf(members: ReadonlyMap<string, number>): ModelUsage | undefined {
  const inputTokens = members.get('prompt_eval_count');
  const outputTokens = members.get('eval_count');
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 };
}
