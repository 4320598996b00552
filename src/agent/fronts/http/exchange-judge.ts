import type { Context, RuleMatch, Verdict } from '../../../policy/types.js';
import { decide } from '../../../policy/decide.js';
import type { Question } from '../../../protocols/contract.js';
import type { HttpConnection } from '../../../core/resources.js';
import type { ReadBody, RequestReading } from '../../../protocols/http/dialect.js';
import type { SessionHost } from '../../session-host.js';
import type { ConnectionRules } from './connection-rules.js';

/**
 * Policy's word on one request.
 *
 * @param unread why a rule could not read the body; it blocks unless the connection allows that
 */
export function judgeRequest(
  host: SessionHost,
  rules: ConnectionRules,
  context: Context,
  question: Question,
  unread: string,
): Verdict {
  const verdict = decide(rules.policy, { ...context, nowMs: host.clock.nowMs() }, question.facts, question.phase);
  host.decided(unread !== '' && verdict.action !== 'block' ? 'block' : verdict.action);
  if (unread === '' || verdict.action === 'block') return verdict;
  const message = `blocked: not inspected: ${unread}`;
  const match: RuleMatch = { policy: 'hoop', rule: 'uninspected', action: 'block', message, observed: false };
  return {
    ...verdict,
    action: 'block',
    rule: 'hoop/uninspected',
    message,
    flows: [],
    matches: [match, ...verdict.matches],
  };
}

/** Why what a rule or mask has to read of a request can't be read; empty where it can, or need not be. */
export function unreadOf(
  rules: ConnectionRules,
  connection: Pick<HttpConnection, 'uninspected'>,
  body: ReadBody | undefined,
  reading: RequestReading,
): string {
  if (!rules.blocksUninspected || connection.uninspected === 'allow') return '';
  if (body === undefined || body.bytes.length === 0) return '';
  if (body.json === undefined && body.text === '') return 'the body is no text';
  return (reading.uninspected ?? []).join(', ');
}
