import type { HttpRefusal, RequestReading, RequestSide } from '../http/dialect.js';
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
    // The event that the Responses API documents; by `error` in it the SDKs know that it is one, and read no further.
    const { code, message, param } = error;
    const told = { type: 'error', code, message, param, sequence_number: 0, error };
    // Codex passes over that one, and takes a stream that just ends for one that broke off: it would ask again, five times.
    const failed = { type: 'response.failed', sequence_number: 1, response: failedResponse(refusal, request) };
    return [told, failed].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  },
  ping: ': waiting for approval\n\n',
};

export function errorOf({ status, code, message }: HttpRefusal) {
  const type = TYPES.get(status) ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  return { message, type, param: null, code };
}

/**
 * A response that came to nothing. Its error's code is one of those that the API has: by them a client knows whether to ask
 * again.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/object#responses/object-error
 */
function failedResponse({ status, message }: HttpRefusal, request: RequestReading | undefined) {
  const code = status === 429 ? 'rate_limit_exceeded' : status >= 500 ? 'server_error' : 'invalid_prompt';
  const asked = { model: request?.model ?? '', tools: [], tool_choice: 'auto', parallel_tool_calls: false };
  const nothing = { incomplete_details: null, instructions: null, metadata: {}, output: [], usage: null };
  const response = { id: 'resp_hoop', object: 'response', created_at: 0, status: 'failed' };
  return { ...response, error: { code, message }, ...asked, ...nothing, temperature: null, top_p: null };
}
