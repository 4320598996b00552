import type { HttpType } from '../core/resources.js';
import { anthropicEventStream, anthropicJson } from './anthropic/answer.js';
import { anthropicRequests } from './anthropic/requests.js';
import type { Dialect } from './http/dialect.js';
import { httpRequests } from './http/http-requests.js';
import { plainEventStream, plainJson } from './http/plain-answer.js';
import { openaiEventStream, openaiJson } from './openai/answer.js';
import { openaiRequests } from './openai/requests.js';

/** How each type of connection that speaks HTTP is spoken to: requests as one side knows them, answers as the other. */
export const DIALECTS: Readonly<Record<HttpType, Dialect>> = {
  http: { ...httpRequests, eventStream: plainEventStream, json: plainJson },
  openai: { ...openaiRequests, eventStream: openaiEventStream, json: openaiJson },
  anthropic: { ...anthropicRequests, eventStream: anthropicEventStream, json: anthropicJson },
};
