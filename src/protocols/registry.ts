import type { HttpType } from '../core/resources.js';
import { anthropicEvents, anthropicEventStream, anthropicJson } from './anthropic/answer.js';
import { anthropicRequests } from './anthropic/requests.js';
import { answerLines } from './http/answers/answer-lines.js';
import type { Dialect, RequestReading } from './http/dialect.js';
import { httpRequests } from './http/http-requests.js';
import { layoutOf } from './http/answers/known-events.js';
import type { KnownTexts } from './http/answers/known-texts.js';
import type { MessageSide } from './http/message-side.js';
import { modelUsageOf } from './http/model-usage.js';
import { plainEventStream, plainJson } from './http/answers/plain-answer.js';
import { openaiEvents, openaiEventStream, openaiJson } from './openai/answer.js';
import { OLLAMA_TEXTS, ollamaJson } from './ollama/answer.js';
import { readOllamaRequest } from './ollama/request.js';
import { ollamaRefusal } from './ollama/requests.js';
import { REALTIME_TEXTS } from './openai/realtime-layout.js';
import { readOtherRequest } from './openai/request.js';
import { MESSAGES } from './openai/message-events.js';
import { openaiRequests } from './openai/requests.js';

/** Ways of sending a text in pieces that are known whatever the connection's type. */
export const KNOWN_TEXTS: readonly KnownTexts[] = [OLLAMA_TEXTS, REALTIME_TEXTS];

/** How the messages of a stream are read that an upgrade to this endpoint opens; undefined where that is not known. */
export function messagesOf({ endpoint }: Pick<RequestReading, 'endpoint'>): MessageSide | undefined {
  return endpoint === 'realtime' || endpoint === 'responses' ? MESSAGES[endpoint] : undefined;
}

/** Lines of a stream that was asked for hold pieces, whoever's they are; those of a file or list are a record each. */
const streamed = (): KnownTexts => ({
  hint: /^\s*\{/,
  knows: (tree) => tree.kind === 'object',
  layout: layoutOf([openaiEvents, anthropicEvents]),
  usageOf: modelUsageOf,
});

const lines: Dialect['lines'] = (options, parted) => {
  const known = options.request.stream ? [...KNOWN_TEXTS, streamed()] : KNOWN_TEXTS;
  return answerLines(options, known, { plain: false, parted });
};
const openai: Dialect = {
  ...openaiRequests,
  eventStream: (options) => openaiEventStream(options, [anthropicEvents]),
  json: openaiJson,
  lines,
};
const anthropic: Dialect = {
  ...anthropicRequests,
  eventStream: (options) => anthropicEventStream(options, [openaiEvents]),
  json: anthropicJson,
  lines,
};
/** What is streamed is lines; of events nothing is known. */
const ollama: Pick<Dialect, 'json' | 'eventStream' | 'refusal'> = {
  json: ollamaJson,
  eventStream: (options) => openai.eventStream(options),
  refusal: ollamaRefusal,
};

/**
 * How each type of connection that speaks HTTP is spoken to: requests as one side knows them, answers as the other.
 *
 * Servers of models often speak both dialects, and others beside: a request of the other one, or of Ollama's own API, is
 * read as such, and of one that none knows all text is a prompt, so that it is no way round rules on prompts.
 */
export const DIALECTS: Readonly<Record<HttpType, Dialect>> = {
  http: {
    ...httpRequests,
    eventStream: plainEventStream,
    json: plainJson,
    lines: (options, parted) => answerLines(options, KNOWN_TEXTS, { plain: true, parted }),
  },
  openai: knowing(openai, anthropic),
  anthropic: knowing(anthropic, openai),
};

function knowing(own: Dialect, other: Dialect): Dialect {
  const provider = own.provider === 'anthropic' ? 'anthropic' : 'openai';
  const foreign = new WeakMap<RequestReading, Pick<Dialect, 'json' | 'eventStream' | 'refusal'>>();
  const spoken = (reading: RequestReading | undefined): Pick<Dialect, 'json' | 'eventStream' | 'refusal'> =>
    (reading && foreign.get(reading)) ?? own;
  return {
    ...own,
    read: (request, body) => {
      const reading = own.read(request, body);
      if (reading.endpoint !== '') return reading;
      const second = other.read(request, body);
      if (second.endpoint !== '') {
        foreign.set(second, other);
        return second;
      }
      const third = readOllamaRequest(request, body, provider);
      if (third.endpoint === '') return readOtherRequest(request, body, provider);
      foreign.set(third, ollama);
      return third;
    },
    refusal: (refusal, request) => spoken(request).refusal(refusal),
    eventStream: (options) => spoken(options.request).eventStream(options),
    json: (options) => spoken(options.request).json(options),
  };
}
