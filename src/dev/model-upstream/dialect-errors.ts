import { jsonAnswer, type Answer, type StreamEvent } from './answer.js';

export type ProviderName = 'openai' | 'anthropic';

interface ErrorWords {
  readonly type: string;
  readonly code: string | null;
}

/** @see https://platform.openai.com/docs/guides/error-codes */
const OPENAI: Readonly<Record<number, ErrorWords>> = {
  400: { type: 'invalid_request_error', code: null },
  401: { type: 'invalid_request_error', code: 'invalid_api_key' },
  403: { type: 'invalid_request_error', code: 'unsupported_country_region_territory' },
  404: { type: 'invalid_request_error', code: 'model_not_found' },
  429: { type: 'requests', code: 'rate_limit_exceeded' },
};

/** @see https://docs.claude.com/en/api/errors */
const ANTHROPIC: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** An error as the provider's SDK expects it. */
export function errorAnswer(provider: ProviderName, status: number, message: string): Answer {
  const headers = {
    ...(status === 429 ? { 'retry-after': '1' } : {}),
    [provider === 'openai' ? 'x-request-id' : 'request-id']: 'req_error',
  };
  return jsonAnswer(errorBody(provider, status, message), status, headers);
}

function errorBody(provider: ProviderName, status: number, message: string): unknown {
  if (provider === 'openai') {
    const { type, code } = OPENAI[status] ?? { type: 'server_error', code: null };
    return { error: { message, type, param: null, code } };
  }
  const type = ANTHROPIC[status] ?? 'api_error';
  return { type: 'error', error: { type, message }, request_id: 'req_error' };
}

/** The error inside of a stream that has begun. */
export function errorEvent(provider: ProviderName, message: string): StreamEvent {
  const data = JSON.stringify(errorBody(provider, provider === 'openai' ? 500 : 529, message));
  return provider === 'openai' ? { data } : { name: 'error', data };
}
