import type { Context, RuleMatch, Verdict } from '../../../policy/types.js';
import { blocksUninspected, needsBody } from '../../../policy/applies.js';
import type { PolicySet } from '../../../policy/compile.js';
import { decide } from '../../../policy/decide.js';
import { maskPlanFor } from '../../../policy/mask-plan.js';
import type { Question } from '../../../protocols/contract.js';
import type { HttpConnection } from '../../../core/resources.js';
import { isJsonType } from '../../../protocols/http/bodies/body.js';
import { looksLikeJson } from '../../../protocols/http/bodies/json-texts.js';
import { issuedBy } from '../../../protocols/http/credentials/issued-keys.js';
import type { HttpRequest, ReadBody, RequestReading } from '../../../protocols/http/dialect.js';
import type { MessageReading } from '../../../protocols/http/message-side.js';
import type { SessionHost } from '../../sessions/session-host.js';
import type { ConnectionRules } from './connection-rules.js';

/** What hoop itself has against a request, whatever the rules say of it. */
export interface Objection {
  /** What the record calls it, behind `hoop/`. */
  readonly rule: 'uninspected' | 'issued-keys';
  readonly message: string;
}

/** @param unread why a rule can't read what it has to; empty where it can, or need not */
export function unreadable(unread: string): Objection | undefined {
  return unread === '' ? undefined : { rule: 'uninspected', message: `blocked: not inspected: ${unread}` };
}

/** A provider that gives out keys would be reached past the agent: what is asked there nobody judges, masks or records. */
export function issuesKeys(
  connection: Pick<HttpConnection, 'type' | 'issuedKeys'>,
  request: Pick<HttpRequest, 'method' | 'path'>,
): Objection | undefined {
  if (connection.type === 'http' || connection.issuedKeys === 'allow') return undefined;
  const issued = issuedBy(request);
  return issued === ''
    ? undefined
    : {
        rule: 'issued-keys',
        message: `blocked: this would give out ${issued}, which \`issuedKeys\` of the connection does not allow`,
      };
}

/** Policy's word on one request, as it is now. */
export function judgeRequest(
  host: Pick<SessionHost, 'policy' | 'clock'>,
  rules: ConnectionRules,
  context: Context,
  question: Pick<Question, 'facts' | 'phase'>,
  objection: Objection | undefined,
): Verdict {
  const now = host.policy();
  const verdict = decide(now, { nowMs: host.clock.nowMs(), ...context }, question.facts, question.phase);
  if (verdict.action === 'block') return verdict;
  if (objection !== undefined) return blocked(verdict, objection.rule, objection.message);
  return readForOthers(rules, now, context)
    ? blocked(verdict, 'changed', 'blocked: policy has changed while the request was on its way; send it again')
    : verdict;
}

function blocked(verdict: Verdict, rule: string, message: string): Verdict {
  const match: RuleMatch = { policy: 'hoop', rule, action: 'block', message, observed: false };
  return {
    ...verdict,
    action: 'block',
    rule: `hoop/${rule}`,
    message,
    flows: [],
    matches: [match, ...verdict.matches],
  };
}

/** A body takes its time, and so do people: was the request read, and will it be masked, by other rules than hold by now? */
function readForOthers(rules: ConnectionRules, now: PolicySet, context: Context): boolean {
  if (now === rules.policy) return false;
  if (!rules.needsBody && needsBody(now, context)) return true;
  if (!rules.blocksUninspected && blocksUninspected(now, context)) return true;
  return JSON.stringify(maskPlanFor(now, context)) !== JSON.stringify(rules.plan);
}

/**
 * Could it be a model's request that no one could read? It would be nobody's, and cost nothing: that is refused, whatever
 * the connection allows, as is what has no price.
 */
function isUncounted(contentType: string, { bytes, json, parts }: ReadBody, { endpoint }: RequestReading): boolean {
  if (json !== undefined || parts !== undefined) return false;
  return endpoint !== '' || isJsonType(contentType) || looksLikeJson(bytes);
}

/** What is to be said against a request that was read. */
export function objectionTo(
  rules: ConnectionRules,
  connection: HttpConnection,
  request: HttpRequest,
  body: ReadBody | undefined,
  reading: RequestReading,
): Objection | undefined {
  return issuesKeys(connection, request) ?? unreadable(unreadOf(rules, connection, request, body, reading));
}

/** What is to be said against a message of a stream whose messages are requests of their own. */
export function objectionToMessage(
  rules: ConnectionRules,
  connection: Pick<HttpConnection, 'uninspected'>,
  reading: MessageReading,
  binary: boolean,
): Objection | undefined {
  if (rules.needsBody && reading.ambiguous) return unreadable('a name stands twice in one object of the message');
  if (rules.countsBody && reading.uncounted !== undefined)
    return unreadable(`a limit has to know ${reading.uncounted}`);
  if (connection.uninspected === 'allow') return undefined;
  if (rules.countsBody && binary) return unreadable('a limit counts what a binary message does not tell');
  if (!rules.blocksUninspected) return undefined;
  return unreadable(binary ? 'a binary message' : (reading.uninspected ?? []).join(', '));
}

/** Why what a rule or mask has to read of a request can't be read; empty where it can, or need not be. */
function unreadOf(
  rules: ConnectionRules,
  connection: Pick<HttpConnection, 'type' | 'uninspected'>,
  { contentType }: Pick<HttpRequest, 'contentType'>,
  body: ReadBody | undefined,
  reading: RequestReading,
): string {
  if (body === undefined || body.bytes.length === 0) return '';
  if (connection.type !== 'http' && rules.countsBody && isUncounted(contentType, body, reading))
    return 'a limit has to know the model, and the body can not be read';
  if (connection.type !== 'http' && rules.countsBody && reading.uncounted !== undefined)
    return `a limit has to know ${reading.uncounted}`;
  if (!rules.blocksUninspected || connection.uninspected === 'allow') return '';
  const { json, text, parts } = body;
  if (json === undefined && text === '' && parts === undefined) return 'the body is no text';
  if (parts !== undefined && rules.paths.requests.length > 0) return 'a multipart body, of which places are masked';
  return (reading.uninspected ?? []).join(', ');
}
