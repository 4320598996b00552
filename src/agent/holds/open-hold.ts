import type { OpenInput } from '../../approvals/approvals.js';
import type { ApprovalRequest, Grant } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { Verdict } from '../../policy/types.js';
import type { Question } from '../../protocols/contract.js';
import { bindHash } from './bind-hash.js';
import type { Hold, HoldAnswer } from '../drive/drive-host.js';
import { NOT_TRIED } from './previews.js';
import { credentialName, type Caller, type SessionHost } from '../sessions/session-host.js';

/** The session whose statement needs approval. */
export interface HoldingSession {
  readonly host: SessionHost;
  readonly caller: Caller;
  readonly session: string;
  /** What an approval is bound to besides text and connection: a database's name; empty where there is none. */
  readonly place: string;
  /** What the client calls itself; empty where it doesn't say. */
  readonly application: string;
}

/** Asks people about a statement, unless a grant covers it already or its flow does not take it. */
export function openHold(holding: HoldingSession, question: Question, verdict: Verdict): HoldAnswer {
  const { host, caller, session, place } = holding;
  const { approvals } = host;
  const { identity, connection } = caller;
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
  if (granted !== undefined) return { kind: 'granted', runs: granted.map(runOf) };
  try {
    const { request, outcome } = approvals.open(inputOf(holding, question, verdict, bound));
    if (request.breakGlass === true) return { kind: 'broken', request };
    const tried = question.statement !== 0 && question.held?.() !== undefined;
    if (request.previewWanted === true && !tried)
      approvals.complete(request.id, { preview: { notes: [], refused: NOT_TRIED } });
    return {
      kind: 'wait',
      request,
      outcome,
      progress: approvals.progress(request),
      watch: (listener) => watchVotes(holding, request, listener),
      withdraw: (why) => {
        approvals.withdraw(request.id, why);
      },
      uncovered: (now, { flows }) => {
        if (flows.some((flow) => !request.flows.includes(flow))) return 'policy asks for another approval by now';
        const binds = bindHash(now.bindTo(), connection.name, credential, identity, place);
        return binds === bound ? undefined : 'what it would do has changed while it waited';
      },
    };
  } catch (error) {
    if (!(error instanceof HoopError) || !REFUSING.has(error.code)) throw error;
    return { kind: 'refused', message: `${error.message}; ${error.suggestion}` };
  }
}

/** What is said of a request that its flow does not take, or that is one too many. */
const REFUSING: ReadonlySet<string> = new Set(['usage', 'approval_denied', 'limit']);

function runOf({ id, request, approvedBy }: Grant): { grant: string; request: string; by: string } {
  return { grant: id, request, by: approvedBy };
}

function inputOf(holding: HoldingSession, question: Question, verdict: Verdict, bound: string): OpenInput {
  const { caller, session, application } = holding;
  const { withoutSecrets } = holding.host;
  const { identity, connection, correlationId, reason, address } = caller;
  const { subject, email, groups, issuer, machine } = identity;
  const shown = question.event();
  return {
    kind: 'statement',
    session,
    statement: question.statement,
    connection: connection.name,
    connectionType: connection.type,
    credential: credentialName(caller),
    requester: { subject, email, groups, issuer, machine },
    client: {
      ...(address === '' ? {} : { address }),
      ...(application === '' ? {} : { application: withoutSecrets(application) }),
    },
    text: withoutSecrets(question.reviewText()),
    ...(shown?.type === 'statement' && shown.params !== undefined
      ? { params: shown.params.map((value) => (value === null ? null : withoutSecrets(value))) }
      : {}),
    ...(shown?.facts === undefined ? {} : { facts: shown.facts }),
    bindHash: bound,
    rules: verdict.matches
      .filter((match) => !match.observed)
      .map((match) => ({ rule: `${match.policy}/${match.rule}`, message: match.message })),
    flows: verdict.flows,
    reason: withoutSecrets(reason),
    correlationId: withoutSecrets(correlationId),
  };
}

/** Tells of each further approval. */
function watchVotes(
  { host: { approvals } }: HoldingSession,
  { id }: ApprovalRequest,
  listener: Parameters<Hold['watch']>[0],
): () => void {
  const known = new Set<string>();
  return approvals.watch(id, (now) => {
    if (now.state !== 'pending') return;
    for (const vote of now.votes) {
      const person = JSON.stringify([vote.issuer, vote.subject]);
      if (known.has(person)) continue;
      known.add(person);
      listener(approvals.progress(now), vote);
    }
  });
}
