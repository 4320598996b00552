import { rulesOfHead } from '../../../policy/applies.js';
import type { PolicySet } from '../../../policy/compile.js';
import type { RuleMatch, Verdict } from '../../../policy/types.js';
import { verdictOf } from '../../../policy/decide.js';

/** Rules that asked for approval, or warned, of the request that opened a stream: what they read is the same for all its messages. */
export interface SettledRules {
  readonly policyHash: string;
  /** `policy/rule` */
  readonly names: ReadonlySet<string>;
}

const named = ({ policy, rule }: RuleMatch): string => `${policy}/${rule}`;

/** @param verdict on the request that opens a stream */
export function settledBy(policy: PolicySet, { matches }: Verdict): SettledRules {
  const ofHead = rulesOfHead(policy);
  const names = matches.filter(({ action }) => action === 'approve' || action === 'warn').map(named);
  return { policyHash: policy.hash, names: new Set(names.filter((name) => ofHead.has(name))) };
}

/** The verdict on a message, besides what the request that opened its stream was asked for already. */
export function besides(verdict: Verdict, settled: SettledRules | undefined): Verdict {
  if (settled?.policyHash !== verdict.policyHash || settled.names.size === 0) return verdict;
  const left = verdict.matches.filter(
    (match) => match.observed || match.action === 'block' || !settled.names.has(named(match)),
  );
  return left.length === verdict.matches.length ? verdict : verdictOf(left, verdict.policyHash);
}
