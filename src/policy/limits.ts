import { matchesGlob } from '../core/glob.js';
import { meetsGroups } from '../core/identity.js';
import { HTTP_TYPES } from '../core/resources.js';
import { policiesFor } from './applies.js';
import type { CompiledLimit, CompiledPolicy, PolicySet } from './compile.js';
import type { Context, LimitAmount } from './types.js';

/** One limit that counts a request, with the counters that it is counted by. */
export interface ApplyingLimit {
  readonly policy: string;
  readonly name: string;
  /** Empty where the policy says none. */
  readonly message: string;
  /** Counts, and never refuses. */
  readonly observed: boolean;
  readonly amounts: readonly LimitAmount[];
  /** Of each the amounts must hold: one, or one for each of the caller's groups. */
  readonly keys: readonly string[];
}

/** Longer names of models share a counter: callers choose them. */
const MAX_MODEL_CHARACTERS = 200;

/**
 * The limits that count this caller's request.
 *
 * @param model as the request names it; empty where it is none of a model
 */
export function limitsFor(set: PolicySet, context: Context, model: string): ApplyingLimit[] {
  return limitedPolicies(set, context).flatMap((policy) =>
    policy.limits
      .filter((limit) => counts(limit, context, model))
      .map((limit) => applying(policy, limit, context, model)),
  );
}

/** Could a limit count requests of this caller? If not, there is nothing to count. */
export function anyLimit(set: PolicySet, context: Context): boolean {
  return limitedPolicies(set, context).some((policy) => policy.limits.some((limit) => forCaller(limit, context)));
}

/** Must the body be read for a limit: for the model that it names, or for the tokens that it will take? */
export function limitsReadBody(set: PolicySet, context: Context): boolean {
  return limitedPolicies(set, context).some((policy) =>
    policy.limits.some((limit) => limit.readsBody && forCaller(limit, context)),
  );
}

function limitedPolicies(set: PolicySet, context: Context): CompiledPolicy[] {
  const { type } = context.connection;
  return HTTP_TYPES.some((one) => one === type) ? policiesFor(set, context).filter((one) => one.limits.length > 0) : [];
}

function forCaller(limit: CompiledLimit, context: Context): boolean {
  return limit.groups === undefined || meetsGroups(limit.groups, context.user);
}

function counts(limit: CompiledLimit, context: Context, model: string): boolean {
  if (!forCaller(limit, context)) return false;
  // Providers take names in any case where they do: spelling must not be a way round.
  const name = model.toLowerCase();
  return limit.models === undefined || (model !== '' && limit.models.some((pattern) => matchesGlob(pattern, name)));
}

function applying(policy: CompiledPolicy, limit: CompiledLimit, context: Context, model: string): ApplyingLimit {
  const { issuer, subject } = context.user;
  const parts: string[][] = [[policy.name, limit.name]];
  if (limit.per.includes('user')) parts.push(['user', issuer, subject]);
  if (limit.per.includes('model')) parts.push(['model', model.toLowerCase().slice(0, MAX_MODEL_CHARACTERS)]);
  if (limit.per.includes('connection')) parts.push(['connection', context.connection.name]);
  const groups = limit.per.includes('group') ? countedGroups(policy, limit, context) : undefined;
  return {
    policy: policy.name,
    name: limit.name,
    message: limit.message,
    observed: policy.observed,
    amounts: limit.amounts,
    keys: (groups ?? [undefined]).map((group) =>
      JSON.stringify(group === undefined ? parts : [...parts, ['group', group]]),
    ),
  };
}

/** The caller's groups among those that the limit names, else the policy's `match`; all where neither names any. */
function countedGroups(policy: CompiledPolicy, limit: CompiledLimit, context: Context): readonly string[] {
  const named = limit.groups ?? policy.match.groups ?? ['*'];
  const own = [...new Set(context.user.groups)].filter((group) => named.includes('*') || named.includes(group));
  // Someone in no group at all is counted too, together with all others of that kind.
  return own.length === 0 ? [''] : own;
}
