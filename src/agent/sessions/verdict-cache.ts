import type { PolicySet } from '../../policy/compile.js';
import type { Verdict } from '../../policy/types.js';

/**
 * Verdicts of one session, kept as long as the facts they were made from. Used only where the policy
 * is steady, so that the same facts always meet the same verdict; forgotten when the policy changes.
 */
export class VerdictCache {
  #verdicts = new WeakMap<object, Verdict>();
  #policy: PolicySet | undefined;

  /** @param basis the same object for the same facts, whatever is bound */
  judge(policy: PolicySet, basis: object, decide: () => Verdict): Verdict {
    if (!policy.steady) return decide();
    if (this.#policy !== policy) this.#verdicts = new WeakMap();
    this.#policy = policy;
    const known = this.#verdicts.get(basis);
    if (known !== undefined) return known;
    const verdict = decide();
    this.#verdicts.set(basis, verdict);
    return verdict;
  }
}
