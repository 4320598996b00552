import type { MaskRule } from '../../../core/mask.js';
import type { Catalog } from '../catalog/types.js';
import type { ReversibleValue } from '../masks.js';
import { strongest, type ColumnRules } from './column-rules.js';
import { placeOf, type Derivation } from './derivation.js';
import { executedValues, type GivenValue } from './given-values.js';
import type { StatementReading } from './reading.js';
import type { TextLineage } from './text-lineage.js';

/**
 * Those of the values that columns have to equal whose column goes out as a pseudonym that can be turned back. One that
 * is compared with another column as well stays as it is: there it would find, or be tried for, what is behind it.
 */
export function reversibleValues(given: readonly GivenValue[], rules: ColumnRules): readonly ReversibleValue[] {
  const kept = new Set<string>();
  const values = given.flatMap(({ column, ...value }): readonly ReversibleValue[] => {
    const rule = ruleAsItStands(rules, column);
    const typeOid = rules.typeOf(column);
    if (rule !== undefined && typeOid !== 0) return [{ ...value, rule, typeOid }];
    kept.add(spelledPlace(value.place));
    return [];
  });
  return kept.size === 0 ? values : values.filter(({ place }) => !kept.has(spelledPlace(place)));
}

function spelledPlace(place: GivenValue['place']): string {
  return place.kind === 'literal' ? `at ${String(place.location)}` : `$${String(place.number)}`;
}

/**
 * The values that the EXECUTE of a text gives to parameters that columns have to equal.
 *
 * None behind another statement than a PREPARE: what that runs may give the name to another text.
 *
 * @param prepared what the parameters of a statement that was prepared before are compared with
 */
export function valuesOfExecute(
  statements: readonly StatementReading[],
  prepared: (name: string) => readonly GivenValue[],
): readonly GivenValue[] {
  const at = statements.findIndex(({ holds }) => holds?.kind !== 'prepared');
  const runs = statements[at]?.runs;
  if (runs?.kind !== 'prepared' || runs.given === undefined || runs.given.length === 0) return [];
  const here = statements.slice(0, at).findLast(({ holds }) => holds?.name === runs.name);
  return executedValues(here?.holds?.parameters ?? (here === undefined ? prepared(runs.name) : []), runs.given);
}

/** What the parameters of a statement that the session holds under that name are compared with. */
export function parametersOf({ statements, given }: TextLineage, name: string, bySql: boolean): readonly GivenValue[] {
  if (!bySql) return given.filter(({ place }) => place.kind === 'parameter');
  return statements.findLast(({ holds }) => holds?.kind === 'prepared' && holds.name === name)?.holds?.parameters ?? [];
}

/** The rule by which a column goes out as a pseudonym, whichever of several it is; undefined where nobody can tell. */
function ruleAsItStands(rules: ColumnRules, column: Derivation): MaskRule | undefined {
  if (!column.plain || column.anything || column.unresolved.length > 0) return undefined;
  const [rule, ...others] = rules.ownPlaces(column).map((place) => strongest(rules.at(place).rules));
  return [rule, ...others].every(turnsBack) ? rule : undefined;
}

function turnsBack(rule: MaskRule | undefined): boolean {
  return rule?.strategy === 'hash' && rule.reversible === true && !rule.observed;
}

/** The type of a column as it stands; 0 where it is no column of one table. */
export function typeAt(catalog: Catalog | undefined, { plain, origins }: Derivation): number {
  const [place] = origins;
  if (!plain || place === undefined || origins.size !== 1) return 0;
  const { relation, attribute } = placeOf(place);
  const columns = catalog?.relation(relation)?.columns ?? [];
  return columns.find((column) => column.attribute === attribute)?.typeOid ?? 0;
}
