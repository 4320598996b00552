import type { ApprovalOutcome, ApprovalRequest } from '../../core/approval.js';
import type { DecisionEvent } from '../../core/events.js';
import type { RuleMatch, Verdict } from '../../policy/types.js';
import type { Decision, Question } from '../../protocols/contract.js';

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
