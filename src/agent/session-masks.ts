import type { KeyedHash, MaskPlan } from '../core/mask.js';
import type { EntityResource } from '../core/resources.js';
import { sharedMasker } from '../masking/shared-masker.js';
import { maskWhole } from '../masking/text-masker.js';
import type { Catalog } from '../protocols/postgres/catalog/types.js';
import { columnRule, touchesColumns } from './fronts/postgres/masked-columns.js';
import type { SessionMasks } from '../protocols/postgres/masks.js';

/**
 * The masks of one session from the plan that policy made: entity scanners for answers and for the
 * record, and the way to find a column's rule in what is known of the catalogue.
 */
export function sessionMasks(
  plan: MaskPlan,
  custom: readonly EntityResource[],
  hash: KeyedHash,
  catalog: () => Catalog | undefined,
): SessionMasks {
  const entityRules = plan.rules.filter((rule) => rule.entities.length > 0 && rule.on.answers);
  const enforced = entityRules.filter((rule) => !rule.observed);
  const columnRules = plan.rules.filter((rule) => rule.columns.length > 0 && rule.on.answers);
  const masker = (rules: typeof entityRules): SessionMasks['answers'] =>
    rules.length === 0
      ? undefined
      : sharedMasker({ rules: rules.map((rule) => ({ ...rule, observed: false })), custom, hash });
  const answers = masker(enforced);
  return {
    answers,
    record: enforced.length === entityRules.length ? answers : masker(entityRules),
    columnsMasked: columnRules.length > 0,
    known: catalog,
    types: catalog,
    column: (column) => columnRule(columnRules, catalog(), column),
    copyTouchesColumns: (facts) => touchesColumns(columnRules, catalog(), facts.reads),
    maskWhole,
    hash,
  };
}
