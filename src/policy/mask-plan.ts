import { meetsGroups } from '../core/identity.js';
import type { MaskPlan, MaskRule, Strategy } from '../core/mask.js';
import { HTTP_TYPES } from '../core/resources.js';
import { policiesFor, policiesForAnyone } from './applies.js';
import type { CompiledMask, CompiledPolicy, PolicySet } from './compile.js';
import type { Context } from './types.js';

const STRENGTH: Readonly<Record<Strategy, number>> = { null: 0, redact: 1, replace: 2, hash: 3, partial: 4 };

/** Connection types whose requests can be masked: elsewhere a changed request would be another command. */
const REQUEST_TYPES = new Set(['http', 'openai', 'anthropic', 'mcp']);

/**
 * The masks that apply to this caller on this connection, strongest first. Holds for a whole session;
 * compute it again when policy changes.
 */
export function maskPlanFor(set: PolicySet, context: Context): MaskPlan {
  return planOf(policiesFor(set, context), context, (mask) => !meetsGroups(mask.exceptGroups, context.user));
}

/** The masks of everybody on this connection together: for what may be shown to people who are not known yet. */
export function maskPlanForAnyone(set: PolicySet, context: Pick<Context, 'connection'>): MaskPlan {
  return planOf(policiesForAnyone(set, context), context, () => true);
}

function planOf(
  policies: readonly CompiledPolicy[],
  context: Pick<Context, 'connection'>,
  counts: (mask: CompiledMask) => boolean,
): MaskPlan {
  const rules = policies
    .flatMap((policy) => policy.masks.filter(counts).map((mask) => ruleOf(policy, mask, context)))
    .filter((rule) => (rule.on.requests || rule.on.answers) && meetsSomething(rule, context.connection.type))
    .sort((left, right) => STRENGTH[left.strategy] - STRENGTH[right.strategy] || (left.name < right.name ? -1 : 1));
  return { rules, needsColumns: rules.some((rule) => rule.columns.length > 0) };
}

function ruleOf(policy: CompiledPolicy, mask: CompiledMask, context: Pick<Context, 'connection'>): MaskRule {
  return {
    name: `${policy.name}/${mask.name}`,
    entities: mask.entities,
    columns: mask.columns,
    ...(mask.paths.length === 0 ? {} : { paths: mask.paths }),
    strategy: mask.strategy,
    with: mask.with,
    ...(mask.reversible ? { reversible: true } : {}),
    on: { requests: mask.on.requests && REQUEST_TYPES.has(context.connection.type), answers: mask.on.answers },
    observed: policy.observed,
    inference: policy.inference,
    ...(policy.allowsOpaque ? { opaque: 'allow' as const } : {}),
    ...(policy.allowsWriteBack ? { writeBack: 'allow' as const } : {}),
  };
}

/** Columns are of databases and paths of JSON bodies: a mask of one alone never applies where the other is. */
function meetsSomething(rule: MaskRule, type: string): boolean {
  const overHttp = HTTP_TYPES.some((one) => one === type);
  return rule.entities.length > 0 || (overHttp ? rule.paths !== undefined : rule.columns.length > 0);
}
