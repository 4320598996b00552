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

/** Longer names of models are cut for their counter, and of a batch so many are told apart: callers choose them. */
const MAX_MODEL_CHARACTERS = 200;
const MAX_MODELS = 20;

/**
 * The limits that count this caller's request.
 *
 * @param model as the request names it, those of a batch joined by `,`; empty where it is none of a model
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

/** As `limitsReadBody`, of limits that refuse: what observing ones can't count goes on uncounted. */
export function limitsRefuseUnread(set: PolicySet, context: Context): boolean {
  return limitedPolicies(set, context).some(
    (policy) => !policy.observed && policy.limits.some((limit) => limit.readsBody && forCaller(limit, context)),
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
  if (limit.models === undefined) return true;
  const { models } = limit;
  return modelNames(model).some((name) => name !== '' && models.some((pattern) => matchesGlob(pattern, name)));
}

function applying(policy: CompiledPolicy, limit: CompiledLimit, context: Context, model: string): ApplyingLimit {
  const { issuer, subject } = context.user;
  let keys: string[][][] = [[[policy.name, limit.name]]];
  const apart = (name: string, values: readonly string[][]): void => {
    keys = keys.flatMap((key) => values.map((value) => [...key, [name, ...value]]));
  };
  if (limit.per.includes('user')) apart('user', [[issuer, subject]]);
  if (limit.per.includes('model'))
    apart(
      'model',
      countedModels(limit, model).map((name) => [name]),
    );
  if (limit.per.includes('connection')) apart('connection', [[context.connection.name]]);
  if (limit.per.includes('group'))
    apart(
      'group',
      countedGroups(policy, limit, context).map((group) => [group]),
    );
  const { amounts, message } = limit;
  const observed = policy.observed;
  return {
    policy: policy.name,
    name: limit.name,
    message,
    observed,
    amounts,
    keys: keys.map((key) => JSON.stringify(key)),
  };
}

/** In lower case: providers take names in any case where they do, and spelling must not be a way round. */
function modelNames(model: string): string[] {
  return model.toLowerCase().split(',');
}

function countedModels({ models }: CompiledLimit, model: string): string[] {
  const counted = modelNames(model).filter(
    (name) => models === undefined || models.some((pattern) => matchesGlob(pattern, name)),
  );
  return [...new Set(counted.map((name) => name.slice(0, MAX_MODEL_CHARACTERS)))].slice(0, MAX_MODELS);
}

/** The caller's groups among those that the limit names, else the policy's `match`; all where neither names any. */
function countedGroups(policy: CompiledPolicy, limit: CompiledLimit, context: Context): readonly string[] {
  const named = limit.groups ?? policy.match.groups ?? ['*'];
  const own = [...new Set(context.user.groups)].filter((group) => named.includes('*') || named.includes(group));
  // Someone in no group at all is counted too, together with all others of that kind.
  return own.length === 0 ? [''] : own;
}
