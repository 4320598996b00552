import type { HttpType } from '../core/resources.js';
import { anthropicEventStream, anthropicJson } from './anthropic/answer.js';
import { anthropicRequests } from './anthropic/requests.js';
import type { Dialect, RequestReading } from './http/dialect.js';
import { httpRequests } from './http/http-requests.js';
import { plainEventStream, plainJson } from './http/plain-answer.js';
import { openaiEventStream, openaiJson } from './openai/answer.js';
import { readOtherRequest } from './openai/request.js';
import { openaiRequests } from './openai/requests.js';

const openai: Dialect = { ...openaiRequests, eventStream: openaiEventStream, json: openaiJson };
const anthropic: Dialect = { ...anthropicRequests, eventStream: anthropicEventStream, json: anthropicJson };

/**
 * How each type of connection that speaks HTTP is spoken to: requests as one side knows them, answers as the other.
 *
 * Servers of models often speak both dialects, and others beside: a request of the other one is read as such, and of
 * one that neither knows all text is a prompt, so that it is no way round rules on prompts.
 */
export const DIALECTS: Readonly<Record<HttpType, Dialect>> = {
  http: { ...httpRequests, eventStream: plainEventStream, json: plainJson },
  openai: knowing(openai, anthropic),
  anthropic: knowing(anthropic, openai),
};

function knowing(own: Dialect, other: Dialect): Dialect {
  const foreign = new WeakSet<RequestReading>();
  const spoken = (reading: RequestReading): Dialect => (foreign.has(reading) ? other : own);
  return {
    ...own,
    read: (request, body) => {
      const reading = own.read(request, body);
      if (reading.endpoint !== '') return reading;
      const second = other.read(request, body);
      if (second.endpoint === '')
        return readOtherRequest(request, body, own.provider === 'anthropic' ? 'anthropic' : 'openai');
      foreign.add(second);
      return second;
    },
    eventStream: (options) => spoken(options.request).eventStream(options),
    json: (options) => spoken(options.request).json(options),
  };
}
