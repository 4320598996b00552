import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import { answerDocument } from '../http/answers/answer-document.js';
import { answerEventStream } from '../http/answers/answer-event-stream.js';
import type { DocumentReading, NamedText } from '../http/answers/answer-layout.js';
import { stringsIn, textsIn } from '../http/answers/answer-layout.js';
import type { AnswerBody, AnswerOptions } from '../http/dialect.js';
import { layoutOf } from '../http/answers/known-events.js';
import type { KnownEvents } from '../http/answers/known-events.js';
import { modelUsageOf } from '../http/model-usage.js';
import { readChunk, toolArguments, toolNames } from './chat-layout.js';
import { isResponseEvent, readResponseEvent, toolNamesOf } from './responses-layout.js';

/**
 * The events of chat completions, legacy completions and the Responses API; what is none of them and none of `others` is
 * masked as in a stream of which nothing is known, by the names that pieces of text usually have.
 */
export function openaiEventStream(options: AnswerOptions, others: readonly KnownEvents[] = []): AnswerBody {
  return answerEventStream(options, { layout: layoutOf([openaiEvents, ...others]), usageOf: modelUsageOf });
}

/** Events of this API, and no others. */
export const openaiEvents: KnownEvents = (tree, data, name) => {
  if (member(tree, 'choices') !== undefined) return readChunk(tree, data);
  return isResponseEvent(tree, name) ? readResponseEvent(tree, data, name) : undefined;
};

/** A completion, a response, embeddings, a list, an error: any document of the API. */
export function openaiJson(options: AnswerOptions): AnswerBody {
  return answerDocument(options, readDocument, modelUsageOf);
}

const CHOICE_TEXTS = ['reasoning_content', 'reasoning', 'content', 'refusal'];
/** Summaries are those of a reasoning. */
const ITEM_TEXTS = [
  ['summary', 'reasoning'],
  ['content', 'content'],
] as const;

function readDocument(tree: JsonNode): DocumentReading {
  const choices = itemsOf(member(tree, 'choices'));
  const output = itemsOf(member(tree, 'output'));
  const messages = choices.map((choice) => member(choice, 'message'));
  const texts = [
    ...choices.flatMap((choice) => textsIn(choice, ['text'])),
    ...messages.flatMap((message) => textsIn(message, CHOICE_TEXTS)),
    ...output.flatMap((item) =>
      ITEM_TEXTS.flatMap(([name, of]) =>
        itemsOf(member(item, name)).flatMap((part) =>
          stringsIn(part, ['text', 'refusal']).map((text): NamedText => [of, text]),
        ),
      ),
    ),
  ];
  return {
    usage: member(tree, 'usage'),
    toolCalls: [...messages.flatMap((message) => toolNames(message)), ...output.flatMap((item) => toolNamesOf(item))],
    toolArguments: [
      ...messages.flatMap((message) => toolArguments(message)),
      ...output.flatMap((item) => argumentsOf(item)),
    ],
    texts,
  };
}

/** One for each name of `toolNamesOf`. */
function argumentsOf(item: JsonNode): string[] {
  if (toolNamesOf(item).length === 0) return [];
  return [stringsIn(item, ['arguments', 'input', 'code'])[0] ?? ''];
}

function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}
