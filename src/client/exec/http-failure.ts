import { escapeControls } from '../../core/display.js';
import { type ErrorCode, HoopError, messageOf } from '../../core/errors.js';
import { fields, parsedJson } from './json-fields.js';

/** What the agent's own codes mean to the caller; every other answer is the upstream's. */
const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  hoop_blocked: 'blocked',
  hoop_denied: 'approval_denied',
  hoop_approval_timeout: 'approval_timeout',
  hoop_unauthorized: 'token_refused',
  hoop_no_access: 'no_access',
  hoop_too_large: 'limit',
  hoop_limit: 'limit',
  hoop_not_in_version: 'not_in_version',
  hoop_upstream: 'upstream_unreachable',
  hoop_upstream_unreachable: 'upstream_unreachable',
  hoop_upstream_auth: 'upstream_auth',
  hoop_recording_failed: 'recording_failed',
  hoop_unreachable: 'unreachable',
  hoop_failed: 'failed',
};

/** Most of an answer's own words, in characters. */
const MAX_WORDS = 500;

/** An answer with status 400 and above, as what it means to the caller. */
export function httpFailure(status: number, body: string): HoopError {
  const error = errorIn(parsedJson(body));
  const why = error === undefined ? words(body) : words(error.message);
  return failure(error?.code ?? '', `the answer is HTTP ${String(status)}`, why);
}

/** An error in the middle of an event stream; undefined for any other event. */
export function streamFailure(json: unknown): HoopError | undefined {
  const error = errorIn(json);
  return error === undefined
    ? undefined
    : failure(error.code, 'the answer broke off with an error', words(error.message));
}

/** A request that got no answer, or not all of it. */
export function lostAnswer(thrown: unknown, begun: boolean): HoopError {
  if (thrown instanceof HoopError) return thrown;
  return new HoopError('unreachable', begun ? 'the answer broke off' : 'the connection was lost', {
    why: `${messageOf(thrown)}; whether the request was carried out is not known`,
    suggestion: 'check what it changed before you send it again',
    cause: thrown,
  });
}

function failure(code: string, message: string, why: string): HoopError {
  const own = Object.hasOwn(BY_CODE, code) ? (BY_CODE[code] as ErrorCode) : 'http';
  // The agent's words say what: `blocked by policy …`. An upstream's say why.
  return own === 'http' || why === ''
    ? new HoopError(own, message, why === '' ? {} : { why })
    : new HoopError(own, why, { why: message });
}

/**
 * The error of OpenAI's, Anthropic's or the agent's own shape, whole or as an event.
 *
 * @see https://platform.openai.com/docs/guides/error-codes, https://docs.anthropic.com/en/api/errors
 */
function errorIn(json: unknown): { readonly code: string; readonly message: string } | undefined {
  const body = fields(json);
  const response = fields(body['response']);
  const found = [body['error'], response['error']].find((error) => typeof error === 'object' && error !== null);
  const error = found === undefined && body['type'] === 'error' ? body : fields(found);
  if (typeof error['message'] !== 'string') return undefined;
  const codes = [error['code'], error['type'], body['code']].filter((code) => typeof code === 'string');
  return { code: codes.find((code) => code.startsWith('hoop_')) ?? codes[0] ?? '', message: error['message'] };
}

/** One bounded line that acts on no terminal. */
function words(text: string): string {
  const line = escapeControls(text.replaceAll(/\s+/g, ' ').trim());
  return line.length <= MAX_WORDS ? line : `${line.slice(0, MAX_WORDS)}…`;
}
