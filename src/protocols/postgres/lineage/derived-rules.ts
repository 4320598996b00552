/** The rules for what is made of masked columns. */
import type { MaskRule } from '../../../core/mask.js';
import { strongest } from './column-rules.js';
import { nullsAsColumns, type Derivation } from './derivation.js';

/**
 * Of something made of a column nothing may stay: the last letters of many parts of a value, or pseudonyms of
 * its letters, would give it away. Nor may be seen where it is NULL: `nullif(left(ssn, 1), '9')` would tell the letter.
 */
export function forDerived(value: Derivation, rule: MaskRule | undefined): MaskRule | undefined {
  if (rule === undefined || value.plain) return rule;
  const strategy = rule.strategy === 'partial' || rule.strategy === 'hash' ? 'redact' : rule.strategy;
  if (strategy === rule.strategy && nullsAsColumns(value)) return rule;
  return { ...rule, strategy, ...(nullsAsColumns(value) ? {} : { hidesNulls: true as const }) };
}

/** The strongest of these, which hides what any of them hides. */
export function together(rules: readonly (MaskRule | undefined)[]): MaskRule | undefined {
  const rule = strongest(rules);
  const hides = rules.some((one) => one?.hidesNulls === true && (!one.observed || rule?.observed === true));
  return rule === undefined || !hides || rule.hidesNulls === true ? rule : { ...rule, hidesNulls: true };
}
