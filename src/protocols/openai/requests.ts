import type { HttpRefusal, RequestSide } from '../http/dialect.js';
import { readOpenAiRequest } from './request.js';

/** What the API calls errors of a status; the SDKs go by the status, people by this. */
const TYPES = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
]);

/**
 * Requests to OpenAI's API, and refusals that its SDKs turn into their usual exceptions.
 *
 * @see https://platform.openai.com/docs/guides/error-codes
 */
export const openaiRequests: RequestSide = {
  provider: 'openai',
  read: readOpenAiRequest,
  refusal: (refusal) => ({ contentType: 'application/json', body: JSON.stringify({ error: errorOf(refusal) }) }),
  streamRefusal(refusal, request) {
    const error = errorOf(refusal);
    if (request?.endpoint !== 'responses') return `data: ${JSON.stringify({ error })}\n\n`;
    // The event that the Responses API documents; by `error` in it the SDKs know that it is one.
    const { code, message, param } = error;
    return `event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param, sequence_number: 0, error })}\n\n`;
  },
  ping: ': waiting for approval\n\n',
};

export function errorOf({ status, code, message }: HttpRefusal) {
  const type = TYPES.get(status) ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  return { message, type, param: null, code };
}
