import { createHash } from 'node:crypto';
import { isObject, textIn, type Answer, type JsonObject, type ModelRequest } from './answer.js';
import { countTokens, messages } from './anthropic-messages.js';
import { errorAnswer, type ProviderName } from './dialect-errors.js';
import { newestMessage } from './newest-message.js';
import { chatCompletions } from './openai-chat.js';
import { completions, embeddings, models } from './openai-others.js';
import { responses } from './openai-responses.js';
import { arrived, plainAnswer } from './plain-http.js';
import { scriptOf, tokensIn } from './script.js';
import type { SeenRequest } from './seen-request.js';
import { steeringOf, type Steering } from './steering.js';

/** What each provider takes as its key. */
export interface UpstreamKeys {
  readonly openaiKey: string;
  readonly anthropicKey: string;
}

interface Endpoint {
  readonly provider: ProviderName;
  answer(request: ModelRequest): Answer;
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': { provider: 'openai', answer: chatCompletions },
  '/v1/responses': { provider: 'openai', answer: responses },
  '/v1/completions': { provider: 'openai', answer: completions },
  '/v1/embeddings': { provider: 'openai', answer: embeddings },
  '/v1/messages': { provider: 'anthropic', answer: messages },
  '/v1/messages/count_tokens': { provider: 'anthropic', answer: countTokens },
};

const PLAIN = steeringOf('');

/**
 * What is answered to a request, and how it is sent.
 *
 * @throws Error where the request's steering is not known
 */
export function answerTo(
  seen: SeenRequest,
  keys: UpstreamKeys,
): { readonly answer: Answer; readonly steering: Steering } {
  const { pathname, searchParams } = new URL(seen.url, 'http://upstream');
  if (pathname.startsWith('/plain/')) {
    const steer = searchParams.get('steer');
    return { answer: plainAnswer(seen), steering: steer === null ? PLAIN : steeringOf(`;${steer}`) };
  }
  const endpoint = ENDPOINTS[pathname];
  const refused = refusalOfKey(seen, endpoint?.provider ?? 'openai', keys);
  if (refused !== undefined) return { answer: refused, steering: PLAIN };
  const model = /^\/v1\/models(?:\/([^/]+))?$/.exec(pathname);
  const listed = model === null ? undefined : models(model[1]);
  if (listed !== undefined) return { answer: listed, steering: PLAIN };
  if (endpoint === undefined)
    return { answer: errorAnswer('openai', 404, `unknown path ${pathname}`), steering: PLAIN };
  const body = parsed(seen.body);
  if (body === undefined) {
    return { answer: errorAnswer(endpoint.provider, 400, 'the body is no JSON object'), steering: PLAIN };
  }
  const asked = modelRequest(seen, body);
  const { steering } = asked;
  if (steering.status === 0) return { answer: endpoint.answer(asked), steering };
  const message = `could not be done: ${newestMessage(body).text}`;
  return { answer: errorAnswer(endpoint.provider, steering.status, message), steering };
}

/** As the providers refuse a key that is not theirs, and a request that says no version. */
export function refusalOfKey({ headers }: SeenRequest, provider: ProviderName, keys: UpstreamKeys): Answer | undefined {
  if (provider === 'openai') {
    const key = headers['authorization'] ?? '';
    if (key === `Bearer ${keys.openaiKey}`) return undefined;
    return errorAnswer('openai', 401, key === '' ? 'You did not provide an API key.' : 'Incorrect API key provided.');
  }
  // The SDK sends its key as a bearer's token since its version 1.
  const key = headers['x-api-key'] ?? headers['authorization']?.replace(/^Bearer /, '');
  if (key !== keys.anthropicKey) return errorAnswer('anthropic', 401, 'invalid x-api-key');
  if (headers['anthropic-version'] !== undefined) return undefined;
  return errorAnswer('anthropic', 400, 'anthropic-version: header is required');
}

function parsed(body: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function modelRequest(seen: SeenRequest, body: JsonObject): ModelRequest {
  const model = textIn(body['model']);
  const steering = steeringOf(model);
  return {
    body,
    model,
    id: createHash('sha256').update(seen.url).update(seen.body).digest('hex').slice(0, 24),
    steering,
    script: scriptOf(newestMessage(body), steering, () => JSON.stringify(arrived(seen))),
    inputTokens: tokensIn(seen.body),
  };
}
