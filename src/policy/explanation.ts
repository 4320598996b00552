import { policiesFor } from './applies.js';
import { bindFacts, type BoundFacts, type DecisionContext } from './bound-facts.js';
import type { CompiledPolicy, PolicySet } from './compile.js';
import { traceExpression, type TracedPart } from './expression-trace.js';
import { tryRules, type RuleOutcome } from './outcomes.js';
import type { Action, Facts } from './types.js';

/** What became of one rule, and why. */
export interface ExplainedRule extends RuleOutcome {
  /** Of a rule that blocks beside the written ones: block. */
  readonly action: Action;
  /** From a policy in observe mode: recorded, and decides nothing. */
  readonly observed: boolean;
  /** The parts of the condition that decided; undefined where it was not tried, or there is none. */
  readonly why: TracedPart | undefined;
}

/**
 * What each rule that could apply made of one statement or request, tried or not: for `hoop policy explain`.
 * By the same way as `decide`, so that both always agree.
 */
export function explain(set: PolicySet, context: DecisionContext, facts: Facts): readonly ExplainedRule[] {
  const policies = policiesFor(set, context);
  let bound: BoundFacts | undefined;
  return tryRules(policies, context, facts, 'run').map((outcome) => {
    const policy = policies.find(({ name }) => name === outcome.policy) as CompiledPolicy;
    const rule = policy.rules.find(({ name }) => name === outcome.rule);
    const tried = rule !== undefined && outcome.result !== 'not-tried';
    return {
      ...outcome,
      action: rule?.action ?? 'block',
      observed: policy.observed,
      why: tried ? traceExpression(rule.condition.text, (bound ??= bindFacts(context, facts))) : undefined,
    };
  });
}
