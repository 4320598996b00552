import type { HttpRefusal, RequestSide } from '../http/dialect.js';
import { readAnthropicRequest } from './request.js';

const TYPES = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

/**
 * Requests to Anthropic's API, and refusals that its SDKs turn into their usual exceptions.
 *
 * @see https://docs.anthropic.com/en/api/errors
 */
export const anthropicRequests: RequestSide = {
  provider: 'anthropic',
  read: readAnthropicRequest,
  refusal: (refusal) => ({ contentType: 'application/json', body: JSON.stringify(errorOf(refusal)) }),
  streamRefusal: (refusal) => `event: error\ndata: ${JSON.stringify(errorOf(refusal))}\n\n`,
  ping: 'event: ping\ndata: {"type": "ping"}\n\n',
};

/** `error_code` is where the SDK looks for a code of its own; `code` is where other dialects have it. */
function errorOf({ status, code, message }: HttpRefusal) {
  const type = TYPES.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type, message, code, details: { error_code: code } }, request_id: null };
}
