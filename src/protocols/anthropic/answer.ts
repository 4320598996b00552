import { jsonValue, member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import { answerDocument } from '../http/answers/answer-document.js';
import { answerEventStream } from '../http/answers/answer-event-stream.js';
import { textsIn } from '../http/answers/answer-layout.js';
import type { DocumentReading } from '../http/answers/answer-layout.js';
import type { AnswerBody, AnswerOptions } from '../http/dialect.js';
import { layoutOf } from '../http/answers/known-events.js';
import type { KnownEvents } from '../http/answers/known-events.js';
import { modelUsageOf } from '../http/model-usage.js';
import { isMessageEvent, readMessageEvent, toolNamesOf } from './messages-layout.js';

/**
 * The events of a message, and of the legacy text completions; what is neither and none of `others` is masked as in a stream
 * of which nothing is known.
 */
export function anthropicEventStream(options: AnswerOptions, others: readonly KnownEvents[] = []): AnswerBody {
  return answerEventStream(options, { layout: layoutOf([anthropicEvents, ...others]), usageOf: modelUsageOf });
}

/** Events of this API, and no others. */
export const anthropicEvents: KnownEvents = (tree, data, name) =>
  isMessageEvent(tree, name) ? readMessageEvent(tree, data, name) : undefined;

/** A message, a token count, a batch, a list, an error: any document of the API. */
export function anthropicJson(options: AnswerOptions): AnswerBody {
  return answerDocument(options, readDocument, modelUsageOf);
}

function readDocument(tree: JsonNode): DocumentReading {
  const content = member(tree, 'content');
  const blocks = content?.kind === 'array' ? content.items : [];
  return {
    usage: member(tree, 'usage'),
    toolCalls: blocks.flatMap((block) => toolNamesOf(block)),
    toolArguments: blocks.filter((block) => toolNamesOf(block).length > 0).map((block) => inputOf(block)),
    texts: [...textsIn(tree, ['completion']), ...blocks.flatMap((block) => textsIn(block, ['thinking', 'text']))],
  };
}

/** What a tool is called with; empty where nothing stands there. */
function inputOf(block: JsonNode): string {
  const input = member(block, 'input');
  return input === undefined ? '' : JSON.stringify(jsonValue(input));
}
