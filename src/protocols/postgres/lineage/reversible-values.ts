import type { MaskRule } from '../../../core/mask.js';
import type { Catalog } from '../catalog/types.js';
import type { ReversibleValue } from '../masks.js';
import { strongest, type ColumnRules } from './column-rules.js';
import { placeOf, type Derivation } from './derivation.js';
import type { GivenValue } from './given-values.js';

/** Those of the values that columns have to equal whose column goes out as a pseudonym that can be turned back. */
export function reversibleValues(
  given: readonly GivenValue[],
  rules: ColumnRules,
  catalog: Catalog,
): readonly ReversibleValue[] {
  return given.flatMap(({ column, ...value }): readonly ReversibleValue[] => {
    const rule = ruleAsItStands(rules, column);
    const masked = [...column.origins].filter((place) => rules.at(place).rules.length > 0);
    const typeOid = typeAt(catalog, { ...column, origins: new Set(masked) });
    const turnsBack = rule?.strategy === 'hash' && rule.reversible === true && !rule.observed;
    return turnsBack && typeOid !== 0 ? [{ ...value, rule, typeOid }] : [];
  });
}

/** The rule by which a column goes out as it stands; undefined where nobody can tell. */
function ruleAsItStands(
  rules: ColumnRules,
  { plain, anything, unresolved, origins }: Derivation,
): MaskRule | undefined {
  if (!plain || anything || unresolved.length > 0) return undefined;
  return strongest([...origins].flatMap((place) => rules.at(place).rules));
}

/** The type of a column as it stands; 0 where it is no column of one table. */
export function typeAt(catalog: Catalog | undefined, { plain, origins }: Derivation): number {
  const [place] = origins;
  if (!plain || place === undefined || origins.size !== 1) return 0;
  const { relation, attribute } = placeOf(place);
  const columns = catalog?.relation(relation)?.columns ?? [];
  return columns.find((column) => column.attribute === attribute)?.typeOid ?? 0;
}
