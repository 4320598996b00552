import { HoopError, type ErrorCode } from '../../../core/errors.js';
import type { Header, HttpRefusal } from '../../../protocols/http/dialect.js';
import { TooManyLogins } from '../../callers/login-limit.js';
import type { LimitRefusal } from '../../usage/usage-limits.js';
import type { Decision } from '../../../protocols/contract.js';

/** Status and code on the wire of what can go wrong with a request; the rest is `hoop_failed`, 500. */
const BY_ERROR: Partial<Record<ErrorCode, readonly [status: number, code: string]>> = {
  usage: [400, 'hoop_bad_request'],
  protocol: [400, 'hoop_bad_request'],
  not_logged_in: [401, 'hoop_unauthorized'],
  token_refused: [401, 'hoop_unauthorized'],
  no_access: [403, 'hoop_no_access'],
  not_allowed: [403, 'hoop_no_access'],
  access_needed: [403, 'hoop_no_access'],
  blocked: [403, 'hoop_blocked'],
  not_found: [404, 'hoop_not_found'],
  limit: [413, 'hoop_too_large'],
  not_in_version: [501, 'hoop_not_in_version'],
  upstream_unreachable: [502, 'hoop_upstream_unreachable'],
  upstream_auth: [502, 'hoop_upstream_auth'],
  // A credential without a value: there is nothing to be had upstream either.
  config_invalid: [502, 'hoop_upstream_auth'],
  recording_failed: [503, 'hoop_recording_failed'],
};

/** The SDKs of OpenAI and Anthropic send 429 and 5xx again by themselves, unless they are told. */
export const NOT_AGAIN: Header = ['x-should-retry', 'false'];
/** So long the SDKs would wait; where more is asked for they come again after a second or two. */
const LONGEST_PATIENCE_S = 60;

/** An answer of the upstream that can't be given on: broken, unreadable, or too large to be masked. */
export class UpstreamFault extends Error {}

/** @param what of the answer no mask can look into: its type or its coding */
export function unreadAnswer(what: string): UpstreamFault {
  return new UpstreamFault(
    `the ${what} of the answer can not be masked, and \`uninspected\` of the connection does not let it pass`,
  );
}

/** Any thrown thing as a refusal. What no `HoopError` foresaw shows nothing of itself. */
export function refusalOf(thrown: unknown): HttpRefusal {
  if (thrown instanceof UpstreamFault)
    return { status: 502, code: 'hoop_upstream', message: `hoop: ${thrown.message}` };
  if (!(thrown instanceof HoopError))
    return { status: 500, code: 'hoop_failed', message: 'hoop: the agent failed to answer' };
  const [status, code] = BY_ERROR[thrown.code] ?? [500, 'hoop_failed'];
  // Who has only this answer must read in it what to do.
  const todo = thrown.code === 'access_needed' ? `; ${thrown.suggestion}` : '';
  return { status, code, message: `hoop: ${thrown.message}${todo}` };
}

/** As `refusalOf`, of what keeps somebody from beginning at all: who asked too often is told when to come again. */
export function refusalAtDoor(thrown: unknown): [HttpRefusal, Header[]] {
  if (!(thrown instanceof TooManyLogins)) return [refusalOf(thrown), []];
  const refusal = { status: 429, code: 'hoop_limit', message: `hoop: ${thrown.error.message}` };
  return [refusal, [['retry-after', String(thrown.retryAfterS)]]];
}

/** What a client is told whose request the agent ends. @param reason as of `session.end` */
export function refusalOfEnd(reason: string, message: string): HttpRefusal {
  if (reason === 'revoked') return { status: 403, code: 'hoop_no_access', message: `hoop: ${message}` };
  return { status: 503, code: 'hoop_unreachable', message: `hoop: ${message}` };
}

/** What a client is told that policy or people refused. */
export function refusalOfDecision(decision: Exclude<Decision, { action: 'allow' | 'hold' }>): HttpRefusal {
  switch (decision.action) {
    case 'block':
      if (decision.code !== undefined) return refusalOf(new HoopError(decision.code, withoutName(decision.message)));
      return { status: 403, code: 'hoop_blocked', message: decision.message };
    case 'denied':
      return { status: 403, code: 'hoop_denied', message: decision.message };
    case 'timeout':
      return { status: 403, code: 'hoop_approval_timeout', message: decision.message };
    case 'cancelled':
      return { status: 403, code: 'hoop_denied', message: 'the request was withdrawn' };
  }
}

/** `refusalOf` puts the name before every message. */
function withoutName(message: string): string {
  return message.replace(/^hoop: /, '');
}

/** What a client is told that a limit is used up, and when to come again. */
export function refusalOfLimit({
  policy,
  rule,
  message,
  kind,
  retryAfterSeconds,
}: LimitRefusal): [HttpRefusal, Header[]] {
  const headers: Header[] = retryAfterSeconds === 0 ? [] : [['retry-after', String(retryAfterSeconds)]];
  if (retryAfterSeconds > LONGEST_PATIENCE_S) headers.push(NOT_AGAIN);
  // SDKs send 429 again: where waiting does not help, that would be in vain.
  const status = kind === 'price' ? 403 : kind === 'store' ? 503 : 429;
  return [{ status, code: 'hoop_limit', message: `limited by policy ${policy}/${rule}: ${message}` }, headers];
}

/** What went wrong between here and the upstream, without its address: that is the operator's. */
export function upstreamError(fault: Error): Error {
  if (fault instanceof UpstreamFault || fault instanceof HoopError) return fault;
  const why = WHY.get((fault as NodeJS.ErrnoException).code ?? '');
  return new HoopError('upstream_unreachable', why === undefined ? 'the upstream failed' : `the upstream ${why}`);
}

const WHY: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refuses connections'],
  ['ENOTFOUND', 'has no such host name'],
  ['ECONNRESET', 'cut the connection'],
  ['UND_ERR_SOCKET', 'cut the connection'],
  ['EPIPE', 'closed the connection before it had taken the whole request'],
  ['UND_ERR_CONNECT_TIMEOUT', 'can not be reached in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'did not answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'stopped in the middle of its answer'],
]);
