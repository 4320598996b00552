import type { MaskRule } from '../../../core/mask.js';
import { meets, type ColumnRules } from './column-rules.js';
import { MAX_COMPARED_VALUES } from './compared-values.js';
import type { ManyValued } from './comparison.js';
import type { Derivation } from './derivation.js';
import type { TextLineage } from './text-lineage.js';
import type { ColumnName, Computed, Use } from './uses.js';

/** A masked column is used where the answer would tell of it, or brought where no mask is. */
export interface Refusal {
  /** `policy/mask` of the rule that masks the column. */
  readonly rule: string;
  readonly observed: boolean;
  readonly message: string;
  /** What one may do instead. */
  readonly hint?: string;
}

/**
 * What is refused in a text: comparing by `spec.inference: block`, moving always. One refusal for each policy's mask,
 * the first use of it.
 *
 * @param keysHold are the keys that the catalogue tells of those that the server checks now?
 */
export function inferenceRefusals(lineage: TextLineage, rules: ColumnRules, keysHold = true): readonly Refusal[] {
  const refusals = new Map<string, Refusal>();
  for (const use of lineage.uses) {
    for (const { rule, column } of refusedIn(use, rules, keysHold)) {
      if (refusals.has(rule.name)) continue;
      const message = messageOf(use, column);
      refusals.set(rule.name, { rule: rule.name, observed: rule.observed, message, hint: hintOf(use, rule.name) });
    }
  }
  return [...refusals.values()];
}

/**
 * What is refused because a statement compares masked columns with more values than one may.
 *
 * @param countOf how many values a parameter stands for
 */
export function comparedTooOften(
  { compared }: TextLineage,
  rules: ColumnRules,
  countOf: (parameter: ManyValued) => number,
): readonly Refusal[] {
  const refusals = new Map<string, Refusal>();
  for (const comparisons of compared) {
    const masked = comparisons.flatMap(({ column, count, parameters }) => {
      const found = guarded(column, rules);
      return found.length === 0 ? [] : [{ found, count: parameters.reduce((sum, one) => sum + countOf(one), count) }];
    });
    const total = masked.reduce((sum, { count }) => sum + count, 0);
    if (total <= MAX_COMPARED_VALUES) continue;
    for (const { rule, column } of masked.flatMap(({ found }) => found))
      if (!refusals.has(rule.name))
        refusals.set(rule.name, { rule: rule.name, observed: rule.observed, message: tooOften(column) });
  }
  return [...refusals.values()];
}

/** The masked columns of which something is made that may fail by what they hold. */
export function computedOver(computed: readonly Computed[], rules: ColumnRules): readonly Ruled[] {
  return computed.flatMap(({ value }) => guarded(value, rules));
}

function tooOften(column: string): string {
  const what = column === '' ? 'what may hold masked columns' : `masked column ${column}`;
  const limit = MAX_COMPARED_VALUES.toLocaleString('en');
  return `${what} may be compared with no more than ${limit} values in one statement (inference)`;
}

/** A masked column, and a rule that masks it. */
export interface Ruled {
  readonly rule: MaskRule;
  /** Empty where it is not known which. */
  readonly column: string;
}

function refusedIn(use: Use, rules: ColumnRules, keysHold: boolean): readonly Ruled[] {
  switch (use.kind) {
    case 'compared':
      return keysHold && (use.unlessSettled === true || rules.determines(use.by ?? [], use.value))
        ? []
        : guarded(use.value, rules);
    case 'matched': {
      // That the other column is masked too proves nothing: whoever fills it with guesses sees which of them join.
      if (keysHold && rules.shareKey(use.left, use.right)) return [];
      return [...guarded(use.left, rules), ...guarded(use.right, rules)];
    }
    case 'keyed': {
      const [left, right] = [guarded(use.left, rules), guarded(use.right, rules)];
      // What is put in there is masked as well, and told one value at a time by whether it may be.
      return left.length > 0 && right.length > 0 ? [] : [...left, ...right];
    }
    case 'unread':
      return rules.rules.filter((rule) => rule.opaque !== 'allow').map((rule) => ({ rule, column: '' }));
    case 'renamed':
      return use.to.flatMap((to, index) =>
        rules.rules
          .filter((rule) => blocks(rule) && meetsColumn(rule, to) && !meetsColumn(rule, use.from[index]))
          .map((rule) => ({ rule, column: `${to.table}.${to.column}` })),
      );
    case 'moved': {
      // Whatever `inference` says: at its new place no mask would follow it.
      const moved = guarded(use.value, rules, always);
      const { value, to } = use;
      // A part of a value could be told by equality there, whatever masks it.
      return to === undefined || !value.plain || !rules.areAlike(value, to)
        ? moved
        : moved.filter(({ rule }) => !rules.maskAlike(to, rule));
    }
  }
}

function meetsColumn(rule: MaskRule, name: ColumnName | undefined): boolean {
  return (
    name !== undefined && rule.columns.some((pattern) => meets(pattern, { ...name, name: name.table }, name.column))
  );
}

const always = (): boolean => true;
const blocks = (rule: MaskRule): boolean => rule.inference !== 'allow';

/** The rules of masked columns behind a value. */
function guarded(
  value: Derivation,
  rules: ColumnRules,
  counts: (rule: MaskRule) => boolean = blocks,
): readonly Ruled[] {
  const found: Ruled[] = [];
  for (const place of value.origins) {
    const { rules: ruled, name } = rules.at(place);
    for (const rule of ruled) if (counts(rule)) found.push({ rule, column: name });
  }
  // A name of a relation that nobody knows: the name has to do.
  for (const name of value.unresolved) {
    for (const rule of rules.rules.filter(counts))
      if (rule.columns.some((pattern) => pattern.column === name)) found.push({ rule, column: name });
  }
  if (value.anything) for (const rule of rules.rules.filter(counts)) found.push({ rule, column: '' });
  return found;
}

function messageOf(use: Use, column: string): string {
  if (use.kind === 'unread')
    return `what nobody can follow may not be done by ${use.clause} where columns are masked (opaque)`;
  if (use.kind === 'renamed') return `nothing may become masked column ${column} by RENAME (inference)`;
  const what = column === '' ? 'what may hold masked columns' : `masked column ${column}`;
  return use.kind === 'moved'
    ? `${what} may not be moved by ${use.clause} to where it is not masked`
    : `${what} may not be used in ${use.clause} (inference)`;
}

/** @param rule `policy/mask` */
function hintOf({ kind }: Use, rule: string): string {
  const [policy = '', mask = ''] = rule.split('/');
  const group = `run it as a group that the mask ${mask} names in exceptGroups`;
  switch (kind) {
    case 'compared':
    case 'matched':
      return `Compare it by = or IN with values of your own, or sort, group and join by another column; for more, ${group}, or let policy ${policy} say inference: allow.`;
    case 'unread':
      return `Write it without computed statements, or ${group}; else policy ${policy} has to say opaque: allow.`;
    default:
      return `A masked value may only go where it is masked as well; else ${group}, as for migrations.`;
  }
}
