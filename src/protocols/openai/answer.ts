import type { ModelUsage } from '../../core/events.js';
import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import { answerDocument } from '../http/answer-document.js';
import { answerEventStream } from '../http/answer-event-stream.js';
import type { DocumentReading, EventLayout } from '../http/answer-layout.js';
import { stringsIn } from '../http/answer-layout.js';
import type { AnswerBody, AnswerOptions } from '../http/dialect.js';
import { PlainLayout } from '../http/plain-layout.js';
import { readChunk, toolNames } from './chat-layout.js';
import { readResponseEvent, toolNamesOf } from './responses-layout.js';

/**
 * The events of chat completions, legacy completions and the Responses API. What is none of them is masked as in a stream
 * of which nothing is known, by the names that pieces of text usually have.
 */
export function openaiEventStream(options: AnswerOptions): AnswerBody {
  const plain = new PlainLayout();
  const layout: EventLayout = (tree, data, name) => {
    if (member(tree, 'choices') !== undefined) return readChunk(tree, data);
    const typed = name !== '' || member(tree, 'type')?.kind === 'string';
    // `{"content":"…","stop":false}`: servers of models have streams of their own beside.
    return typed ? readResponseEvent(tree, data, name) : plain.json(tree, data, name);
  };
  return answerEventStream(options, { layout, usageOf: openaiUsageOf });
}

/** A completion, a response, embeddings, a list, an error: any document of the API. */
export function openaiJson(options: AnswerOptions): AnswerBody {
  return answerDocument(options, readDocument, openaiUsageOf);
}

const CHOICE_TEXTS = ['reasoning_content', 'reasoning', 'content', 'refusal'];
const ITEM_TEXTS = ['summary', 'content'];

function readDocument(tree: JsonNode): DocumentReading {
  const choices = itemsOf(member(tree, 'choices'));
  const output = itemsOf(member(tree, 'output'));
  const messages = choices.map((choice) => member(choice, 'message'));
  const texts = [
    ...choices.flatMap((choice) => stringsIn(choice, ['text'])),
    ...messages.flatMap((message) => stringsIn(message, CHOICE_TEXTS)),
    ...output.flatMap((item) =>
      ITEM_TEXTS.flatMap((name) => itemsOf(member(item, name)).flatMap((part) => stringsIn(part, ['text', 'refusal']))),
    ),
  ];
  return {
    usage: member(tree, 'usage'),
    toolCalls: [...messages.flatMap((message) => toolNames(message)), ...output.flatMap((item) => toolNamesOf(item))],
    texts,
  };
}

/** Chat completions and embeddings say `prompt_tokens`, Responses `input_tokens`; what was cached is counted in both. */
export function openaiUsageOf(members: ReadonlyMap<string, number>): ModelUsage | undefined {
  const inputTokens = members.get('prompt_tokens') ?? members.get('input_tokens');
  const outputTokens = members.get('completion_tokens') ?? members.get('output_tokens');
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 };
}

function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}
