import type { Verdict } from '../../../policy/types.js';
import type { Question } from '../../../protocols/contract.js';
import { bindHash } from '../../bind-hash.js';
import type { Hold } from '../../drive/drive-host.js';
import type { Caller, SessionHost } from '../../session-host.js';

/** The session whose statement needs approval. */
export interface HoldingSession {
  readonly host: SessionHost;
  readonly caller: Caller;
  readonly session: string;
  readonly database: string;
}

/** Asks people about a statement; undefined where a grant covers it already. */
export function openHold(
  { host: { approvals }, caller, session, database }: HoldingSession,
  question: Question,
  verdict: Verdict,
): Hold | undefined {
  const { identity, connection, credential, correlationId, reason } = caller;
  const bound = bindHash(question.bindTo(), connection.name, credential.username, identity, database);
  const granted = approvals.takeGrant({
    bindHash: bound,
    session,
    connection: connection.name,
    credential: credential.username,
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
    credential: credential.username,
    requester: { subject, email, groups, issuer, machine },
    text: question.reviewText(),
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
