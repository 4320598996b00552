import type { Verdict } from '../policy/types.js';
import type { Question } from '../protocols/contract.js';
import { bindHash } from './bind-hash.js';
import type { Hold } from './drive/drive-host.js';
import { credentialName, type Caller, type SessionHost } from './session-host.js';

/** The session whose statement needs approval. */
export interface HoldingSession {
  readonly host: SessionHost;
  readonly caller: Caller;
  readonly session: string;
  /** What an approval is bound to besides text and connection: a database's name; empty where there is none. */
  readonly place: string;
}

/** Asks people about a statement; undefined where a grant covers it already. */
export function openHold(
  { host: { approvals, withoutSecrets }, caller, session, place }: HoldingSession,
  question: Question,
  verdict: Verdict,
): Hold | undefined {
  const { identity, connection, correlationId, reason } = caller;
  const credential = credentialName(caller);
  const bound = bindHash(question.bindTo(), connection.name, credential, identity, place);
  const granted = approvals.takeGrant({
    bindHash: bound,
    session,
    connection: connection.name,
    credential,
    requester: identity,
    flows: verdict.flows,
  });
  if (granted !== undefined) return undefined;
  const { subject, email, groups, issuer, machine } = identity;
  const { request, outcome } = approvals.open({
    session,
    statement: question.statement,
    connection: connection.name,
    connectionType: connection.type,
    credential,
    requester: { subject, email, groups, issuer, machine },
    text: withoutSecrets(question.reviewText()),
    bindHash: bound,
    rules: verdict.matches
      .filter((match) => !match.observed)
      .map((match) => ({ rule: `${match.policy}/${match.rule}`, message: match.message })),
    flows: verdict.flows,
    reason,
    correlationId,
  });
  return {
    request,
    outcome,
    withdraw: (why) => {
      approvals.withdraw(request.id, why);
    },
  };
}
