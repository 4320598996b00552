import type { ModelUsage } from '../../core/events.js';
import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import { answerDocument } from '../http/answer-document.js';
import { answerEventStream } from '../http/answer-event-stream.js';
import { stringsIn } from '../http/answer-layout.js';
import type { DocumentReading } from '../http/answer-layout.js';
import type { AnswerBody, AnswerOptions } from '../http/dialect.js';
import { readMessageEvent, toolNamesOf } from './messages-layout.js';

/** The events of a message, and of the legacy text completions; what is neither is masked string by string. */
export function anthropicEventStream(options: AnswerOptions): AnswerBody {
  return answerEventStream(options, { layout: readMessageEvent, usageOf });
}

/** A message, a token count, a batch, a list, an error: any document of the API. */
export function anthropicJson(options: AnswerOptions): AnswerBody {
  return answerDocument(options, readDocument, usageOf);
}

function readDocument(tree: JsonNode): DocumentReading {
  const content = member(tree, 'content');
  const blocks = content?.kind === 'array' ? content.items : [];
  return {
    usage: member(tree, 'usage'),
    toolCalls: blocks.flatMap((block) => toolNamesOf(block)),
    texts: [...stringsIn(tree, ['completion']), ...blocks.flatMap((block) => stringsIn(block, ['thinking', 'text']))],
  };
}

/** What was read from a cache or written to one is input too. */
function usageOf(members: ReadonlyMap<string, number>): ModelUsage | undefined {
  if (!members.has('input_tokens') && !members.has('output_tokens')) return undefined;
  const count = (name: string): number => members.get(name) ?? 0;
  return {
    inputTokens: count('input_tokens') + count('cache_creation_input_tokens') + count('cache_read_input_tokens'),
    outputTokens: count('output_tokens'),
  };
}
