import { policiesFor } from './applies.js';
import { bindFacts, type BoundFacts, type DecisionContext } from './bound-facts.js';
import type { CompiledPolicy, CompiledRule, PolicySet } from './compile.js';
import { traceExpression, type TracedPart } from './expression-trace.js';
import { tryRules, type RuleOutcome } from './outcomes.js';
import { pathReadings } from './path-readings.js';
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
  let bound: readonly BoundFacts[] | undefined;
  return tryRules(policies, context, facts, 'run').map((outcome) => {
    const policy = policies.find(({ name }) => name === outcome.policy) as CompiledPolicy;
    const rule = policy.rules.find(({ name }) => name === outcome.rule);
    const tried = rule !== undefined && outcome.result !== 'not-tried';
    return {
      ...outcome,
      action: rule?.action ?? 'block',
      observed: policy.observed,
      why: tried
        ? traceExpression(rule.condition.text, tellingReading(rule, outcome, (bound ??= readings(context, facts))))
        : undefined,
    };
  });
}

function readings(context: DecisionContext, facts: Facts): readonly BoundFacts[] {
  return pathReadings(facts).map((reading) => bindFacts(context, reading));
}

/** Of several ways to read a request, the first that shows why the rule matched, or did not. */
function tellingReading(
  { condition }: CompiledRule,
  { result }: RuleOutcome,
  bound: readonly BoundFacts[],
): BoundFacts {
  const telling = bound.find((read) => {
    try {
      return condition.evaluate(read) === (result === 'matched');
    } catch {
      return result === 'failed';
    }
  });
  return telling ?? (bound[0] as BoundFacts);
}
