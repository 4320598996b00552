import { matchesGlob } from '../core/glob.js';
import { meetsGroups } from '../core/identity.js';
import type { CompiledPolicy, CompiledRule, PolicySet } from './compile.js';
import { GROUPS_OF_TYPE } from './fact-types.js';
import type { Context } from './types.js';

/** The policies whose `match` holds for this caller on this connection. */
export function policiesFor(set: PolicySet, context: Context): CompiledPolicy[] {
  return set.policies.filter((policy) => applies(policy.match, context));
}

/** The policies whose `match` holds for anybody on this connection. */
export function policiesForAnyone(set: PolicySet, { connection }: Pick<Context, 'connection'>): CompiledPolicy[] {
  return set.policies.filter(({ match }) => appliesTo(match, connection));
}

/** All parts of `match` are optional; all that are there must hold. */
function applies(match: CompiledPolicy['match'], context: Context): boolean {
  if (match.groups !== undefined && !meetsGroups(match.groups, context.user)) return false;
  return appliesTo(match, context.connection);
}

/** All but who calls. */
function appliesTo(match: CompiledPolicy['match'], { name, type, labels }: Context['connection']): boolean {
  if (match.connections !== undefined && !match.connections.some((pattern) => matchesGlob(pattern, name))) return false;
  if (match.types !== undefined && !match.types.some((wanted) => wanted === type)) return false;
  return Object.entries(match.labels ?? {}).every(
    ([label, value]) => Object.hasOwn(labels, label) && labels[label] === value,
  );
}

/**
 * Does an enforcing policy with a rule on `sql` apply? Then statements that can't be parsed are not
 * forwarded, and a statement over the size limit is refused: something would have had to read it.
 */
export function readsSql(set: PolicySet, context: Context): boolean {
  return policiesFor(set, context).some((policy) => !policy.observed && policy.readsSql);
}

/** Does an enforcing policy apply that has to know what is bound to a statement, whole? Then what is bound has a limit. */
export function readsParams(set: PolicySet, context: Context): boolean {
  return policiesFor(set, context).some((policy) => !policy.observed && policy.readsParams);
}

/** Could any rule, enforcing or observing, match or block? If not, there is nothing to decide. */
export function anyRule(set: PolicySet, context: Context): boolean {
  return policiesFor(set, context).some((policy) => policy.rules.length > 0 || policy.blocksByDefault);
}

/**
 * Does a rule, enforcing or observing, need the body of a request, or is there an approval to be bound to it? Rules on
 * `http.method`, `path`, `query`, `headers` and `host` don't.
 */
export function readsBody(set: PolicySet, context: Context): boolean {
  return policiesFor(set, context).some((policy) =>
    triableRules(policy, context).some(
      (rule) => rule.condition.readsBody || (rule.action === 'approve' && !policy.observed),
    ),
  );
}

/** As `readsBody`, of policies that enforce: without the body there is no decision. */
export function needsBody(set: PolicySet, context: Context): boolean {
  return policiesFor(set, context).some(
    (policy) =>
      !policy.observed &&
      triableRules(policy, context).some((rule) => rule.condition.readsBody || rule.action === 'approve'),
  );
}

/** Does an enforcing policy have a rule on the body? Then what can't be read is refused, unless the connection lets it pass. */
export function blocksUninspected(set: PolicySet, context: Context): boolean {
  return policiesFor(set, context).some(
    (policy) => !policy.observed && triableRules(policy, context).some((rule) => rule.condition.readsBody),
  );
}

/** Rules, as `policy/rule`, that read of a request only what any of the same address and headers has too. */
export function rulesOfHead(set: PolicySet): ReadonlySet<string> {
  const ofHead = set.policies.flatMap((policy) =>
    policy.rules
      .filter(({ condition }) => !condition.readsBody && condition.groups.every((group) => group === 'http'))
      .map((rule) => `${policy.name}/${rule.name}`),
  );
  return new Set(ofHead);
}

/** Rules whose facts connections of this type have; others are never tried on it. */
function triableRules(policy: CompiledPolicy, context: Context): CompiledRule[] {
  const groups = GROUPS_OF_TYPE[context.connection.type] ?? [];
  return policy.rules.filter((rule) => rule.condition.groups.every((group) => groups.includes(group)));
}
