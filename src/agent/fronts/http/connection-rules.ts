import type { MaskPlan, MaskRule } from '../../../core/mask.js';
import { createStreamMasker, type StreamMasker } from '../../../masking/streams/stream-masker.js';
import { sharedMasker } from '../../../masking/shared-masker.js';
import type { TextMasker } from '../../../masking/text-masker.js';
import { blocksUninspected, needsBody, readsBody } from '../../../policy/applies.js';
import type { PolicySet } from '../../../policy/compile.js';
import { anyLimit, limitsReadBody, limitsRefuseUnread } from '../../../policy/limits.js';
import { maskPlanFor } from '../../../policy/mask-plan.js';
import type { Context } from '../../../policy/types.js';
import type { SessionHost } from '../../sessions/session-host.js';

/** What policy holds for callers of the same groups on one connection, worked out once. */
export interface ConnectionRules {
  readonly policy: PolicySet;
  readonly plan: MaskPlan;
  /** Does a rule, a mask or a limit read the body, where it can? What only observes refuses nothing that it can't read. */
  readonly readsBody: boolean;
  /** Has one of them to, or an approval to be bound to it? Then it is refused where it can't be read. */
  readonly needsBody: boolean;
  /** Must what they read be readable, or the request is blocked? */
  readonly blocksUninspected: boolean;
  /** Masks what goes to the client; undefined where nothing is masked. */
  readonly answers: StreamMasker | undefined;
  /** Masks what is recorded: what observing policies would mask, too. The same object as `answers` where both are alike. */
  readonly record: StreamMasker | undefined;
  readonly recordText: TextMasker | undefined;
  /** Masks what goes to the upstream. */
  readonly requests: TextMasker | undefined;
  /** Rules that name places of JSON bodies. */
  readonly paths: {
    readonly answers: readonly MaskRule[];
    readonly requests: readonly MaskRule[];
    readonly record: readonly MaskRule[];
  };
  /** Has a limit to read the body that refuses what it can't? */
  readonly countsBody: boolean;
  /** Could a limit count requests of this caller? */
  readonly limited: boolean;
}

/** Callers of one policy that are remembered; more differ in their groups only where nearly everybody has groups of their own. */
const MAX_KEPT = 2_000;

/** Works out what policy holds for a caller, and keeps it until policy changes. */
export class RulesBook {
  #policy: PolicySet | undefined;
  #rules = new Map<string, ConnectionRules>();

  constructor(private readonly host: Pick<SessionHost, 'policy' | 'entities' | 'hash'>) {}

  /** @param context only the connection and the caller's groups matter */
  rulesFor(context: Context): ConnectionRules {
    const policy = this.host.policy();
    if (policy !== this.#policy) this.#rules = new Map();
    this.#policy = policy;
    const key = JSON.stringify([context.connection.name, context.user.groups]);
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rules = this.#make(policy, context);
    if (this.#rules.size >= MAX_KEPT) this.#rules.delete(this.#rules.keys().next().value as string);
    this.#rules.set(key, rules);
    return rules;
  }

  #make(policy: PolicySet, context: Context): ConnectionRules {
    const plan = maskPlanFor(policy, context);
    const { entities, hash } = this.host;
    const options = (rules: MaskPlan['rules']) => ({
      rules: rules.map((rule) => ({ ...rule, observed: false })),
      custom: entities(),
      hash,
    });
    const ofEntities = plan.rules.filter((rule) => rule.entities.length > 0);
    const ofPaths = plan.rules.filter((rule) => (rule.paths ?? []).length > 0);
    const enforced = ofEntities.filter((rule) => !rule.observed);
    const answering = enforced.filter((rule) => rule.on.answers);
    const asking = enforced.filter((rule) => rule.on.requests);
    const stream = (rules: MaskPlan['rules']): StreamMasker | undefined =>
      rules.length === 0 ? undefined : createStreamMasker(options(rules));
    const answers = stream(answering);
    const masksRequests = asking.length > 0 || ofPaths.some((rule) => rule.on.requests && !rule.observed);
    return {
      policy,
      plan,
      readsBody:
        masksRequests ||
        ofPaths.some((rule) => rule.on.requests) ||
        limitsReadBody(policy, context) ||
        readsBody(policy, context),
      needsBody: masksRequests || limitsRefuseUnread(policy, context) || needsBody(policy, context),
      blocksUninspected: masksRequests || blocksUninspected(policy, context),
      answers,
      record: answering.length === ofEntities.length ? answers : stream(ofEntities),
      recordText: ofEntities.length === 0 ? undefined : sharedMasker(options(ofEntities)),
      requests: asking.length === 0 ? undefined : sharedMasker(options(asking)),
      paths: {
        answers: ofPaths.filter((rule) => !rule.observed && rule.on.answers),
        requests: ofPaths.filter((rule) => !rule.observed && rule.on.requests),
        record: ofPaths,
      },
      countsBody: limitsRefuseUnread(policy, context),
      limited: anyLimit(policy, context),
    };
  }
}

/** Is anything of an answer masked? */
export function masksAnswers({ answers, paths }: Pick<ConnectionRules, 'answers' | 'paths'>): boolean {
  return answers !== undefined || paths.answers.length > 0;
}
