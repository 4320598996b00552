import type { CatalogRelation, CatalogRoutine } from '../catalog/types.js';

type Reached = CatalogRelation | CatalogRoutine;

/**
 * The same text for the same relations and routines that do the same: what a statement does by way of them is part of
 * what was approved. Sizes and names of columns may change without a word.
 */
export function reachedForm(reached: readonly { readonly oid: number }[]): string {
  const forms = reached.map((one) => JSON.stringify(formOf(one as Reached)));
  return JSON.stringify(forms.sort());
}

function formOf(one: Reached): readonly unknown[] {
  if ('source' in one) {
    const { oid, language, argumentList, returns, source, settings, support, withheld } = one;
    return [oid, language, argumentList, returns, source, settings, support, withheld];
  }
  const { oid, kind, definition, rules, triggers, columns, cascades, withheld } = one;
  const expressions = columns.map(({ expression }) => expression ?? '').filter((text) => text !== '');
  return [oid, kind, definition ?? '', rules, triggers, expressions, cascades, withheld];
}
