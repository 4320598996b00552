import type { ApprovalOutcome, ApprovalRequest, ApprovalVote } from '../../core/approval.js';
import type { ApprovalRequested, ApprovalResolved, ApprovalVoted, DecisionEvent } from '../../core/events.js';
import type { RuleMatch, Verdict } from '../../policy/types.js';
import type { Decision, Question } from '../../protocols/contract.js';
import type { Hold, HoldAnswer } from './drive-host.js';

const named = (match: RuleMatch): string => `${match.policy}/${match.rule}`;

/** What the record says of a verdict: what decided first, then all else that matched. */
export function decisionEvent(question: Question, verdict: Verdict): DecisionEvent {
  // Nearly all statements meet no rule at all.
  if (verdict.matches.length === 0 && verdict.rule === '' && verdict.message === '') {
    const { action, policyHash } = verdict;
    return { type: 'decision', statement: question.statement, action, rules: [], policyHash };
  }
  const deciding = verdict.matches.filter((match) => !match.observed);
  const observed = verdict.matches.filter((match) => match.observed);
  return {
    type: 'decision',
    statement: question.statement,
    action: verdict.action,
    rules: deciding.length === 0 && verdict.rule !== '' ? [verdict.rule] : deciding.map(named),
    ...(verdict.message === '' ? {} : { message: verdict.message }),
    policyHash: verdict.policyHash,
    ...(observed.length === 0
      ? {}
      : { observed: observed.map((match) => ({ rule: named(match), action: match.action })) }),
  };
}

/** A block that no rule of a policy asked for. */
export function blockedBy(rule: `hoop/${string}`, why: string): Verdict {
  return { action: 'block', rule, message: `blocked: ${why}`, flows: [], matches: [], policyHash: '' };
}

/** What the record says of a request that waits. */
export function requestedEvent({ statement }: Question, request: ApprovalRequest): ApprovalRequested {
  const { id, flows, reason, breakGlass } = request;
  return {
    type: 'approval.requested',
    statement,
    request: id,
    flow: flows.join(', '),
    ...(reason === '' ? {} : { reason }),
    ...(breakGlass === true ? { breakGlass } : {}),
  };
}

/** What it says of an approval to which others must come. */
export function votedEvent({ statement }: Question, request: ApprovalRequest, vote: ApprovalVote): ApprovalVoted {
  const { email, subject, durationMs } = vote;
  return {
    type: 'approval.voted',
    statement,
    request: request.id,
    by: email === '' ? subject : email,
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

/** What the record says of how a wait ended. */
export function resolvedEvent(question: Question, request: string, outcome: ApprovalOutcome): ApprovalResolved {
  const { state, by, reason } = outcome;
  return {
    type: 'approval.resolved',
    statement: question.statement,
    request,
    outcome: state,
    ...(by === '' ? {} : { by }),
    ...(reason === '' ? {} : { reason }),
  };
}

type Unheld = Exclude<HoldAnswer, Hold>;

/** What the record says of a statement that needs approval and did not wait for it. */
export function unheldEvents(question: Question, hold: Unheld): readonly (ApprovalRequested | ApprovalResolved)[] {
  switch (hold.kind) {
    case 'granted':
      return hold.runs.map(({ grant, request, by }) => ({
        ...resolvedEvent(question, request, { state: 'approved', by, reason: '' }),
        grant,
      }));
    case 'broken': {
      const { id, decidedBy, decisionReason } = hold.request;
      return [
        requestedEvent(question, hold.request),
        resolvedEvent(question, id, { state: 'approved', by: decidedBy, reason: decisionReason }),
      ];
    }
    case 'refused':
      return [resolvedEvent(question, '', { state: 'denied', by: '', reason: hold.message })];
  }
}

/** How such a statement goes on. @param hold undefined where it needs no approval */
export function unheldDecision(hold: Unheld | undefined, notices: readonly string[]): Decision {
  if (hold?.kind === 'refused') return { action: 'denied', message: `approval denied: ${hold.message}` };
  if (hold?.kind !== 'broken') return { action: 'allow', notices };
  const told = `break-glass: goes ahead without approval; request ${hold.request.id} is reported and waits for review`;
  return { action: 'allow', notices: [told, ...notices] };
}

/** What a client reads while its statement is held. */
export function holdMessage(request: ApprovalRequest, verdict: Verdict): string {
  const rule = verdict.message === '' ? verdict.rule : `${verdict.rule}: ${verdict.message}`;
  return `waiting for approval by policy ${rule}\nrequest ${request.id} until ${request.expiresAt}; a reviewer runs: hoop approve ${request.id}`;
}

/** What a client reads beside its result. */
export function warnings(verdict: Verdict): string[] {
  return verdict.matches
    .filter((match) => match.action === 'warn' && !match.observed)
    .map((match) => `warning by policy ${match.policy}/${match.rule}: ${match.message}`);
}

/** How a wait ended, as the session is told. */
export function outcomeDecision(
  request: ApprovalRequest,
  outcome: ApprovalOutcome,
  notices: readonly string[],
): Decision {
  const why = outcome.reason === '' ? '' : `: ${outcome.reason}`;
  switch (outcome.state) {
    case 'approved':
      return { action: 'allow', notices: [`approved by ${outcome.by}${why}`, ...notices] };
    case 'denied':
      return { action: 'denied', message: `approval denied by ${outcome.by}${why}` };
    case 'expired':
      return { action: 'timeout', message: `approval not given in time (request ${request.id})` };
    case 'cancelled':
      return { action: 'cancelled' };
  }
}
