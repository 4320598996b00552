import type { KeyedHash, MaskPlan, MaskRule } from '../../core/mask.js';
import type { EntityResource } from '../../core/resources.js';
import { sharedMasker } from '../../masking/shared-masker.js';
import { maskWhole } from '../../masking/text-masker.js';
import type { Catalog } from '../../protocols/postgres/catalog/types.js';
import { WriteBackGuard } from '../../protocols/postgres/write-back/write-back.js';
import type { SessionMasks, WholeColumns } from '../../protocols/postgres/masks.js';

/**
 * The masks of one session from the plan that policy made: entity scanners for answers and for the
 * record, and the masks of whole columns.
 *
 * @param columns makes those, where there are rules for columns
 */
export function sessionMasks(
  plan: MaskPlan,
  custom: readonly EntityResource[],
  hash: KeyedHash,
  catalog: () => Catalog | undefined,
  columns: (rules: readonly MaskRule[]) => WholeColumns,
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
    known: catalog,
    types: catalog,
    columns: columnRules.length > 0 ? columns(columnRules) : undefined,
    writeBack: new WriteBackGuard(plan.rules),
    maskWhole,
    hash,
  };
}
