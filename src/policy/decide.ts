import { policiesFor } from './applies.js';
import type { DecisionContext } from './bound-facts.js';
import type { PolicySet } from './compile.js';
import { tryRules, type Phase } from './outcomes.js';
import { IMPLICIT_RULES } from './schema.js';
import type { Action, Facts, RuleMatch, Verdict } from './types.js';

const SEVERITY: Readonly<Record<Action, number>> = { block: 0, approve: 1, warn: 2, allow: 3 };
const IMPLICIT = new Set<string>(Object.values(IMPLICIT_RULES));

/**
 * What policy says of one statement or request: of all rules that match, the severest wins, whatever
 * their order. Never throws for what a condition does: a rule that can't be evaluated blocks.
 *
 * @param beside what matched besides the rules: masks that a statement would get round
 */
export function decide(
  set: PolicySet,
  context: DecisionContext,
  facts: Facts,
  phase: Phase = 'run',
  beside: readonly RuleMatch[] = [],
): Verdict {
  const matches = tryRules(policiesFor(set, context), context, facts, phase)
    .flatMap((outcome) => (outcome.match === undefined ? [] : [outcome.match]))
    .concat(beside)
    .sort(bySeverity);
  return verdictOf(matches, set.hash);
}

/** @param matches severest first */
export function verdictOf(matches: readonly RuleMatch[], policyHash: string): Verdict {
  const enforced = matches.filter((match) => !match.observed);
  const deciding = enforced[0];
  const action = deciding?.action ?? 'allow';
  return {
    action,
    rule: deciding === undefined ? '' : `${deciding.policy}/${deciding.rule}`,
    message: deciding?.message ?? '',
    ...(deciding?.hint === undefined ? {} : { hint: deciding.hint }),
    flows: action === 'approve' ? flowsOf(enforced) : [],
    matches: [...enforced, ...matches.filter((match) => match.observed)],
    policyHash,
  };
}

/** Severest first; among equals a written rule, which says more, before an implicit one; then by name. */
function bySeverity(left: RuleMatch, right: RuleMatch): number {
  return (
    SEVERITY[left.action] - SEVERITY[right.action] ||
    Number(IMPLICIT.has(left.rule)) - Number(IMPLICIT.has(right.rule)) ||
    compareText(left.policy, right.policy) ||
    compareText(left.rule, right.rule)
  );
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function flowsOf(matches: readonly RuleMatch[]): string[] {
  return [
    ...new Set(
      matches.flatMap((match) => (match.action === 'approve' && match.flow !== undefined ? [match.flow] : [])),
    ),
  ].sort();
}
