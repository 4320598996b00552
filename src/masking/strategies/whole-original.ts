import type { KeyedHash, MaskRule } from '../../core/mask.js';
import type { PseudonymShape } from '../finding/entity.js';
import { reveal } from './pseudonym-reversible.js';
import { maskWhole } from './whole-value.js';

const SHAPES: readonly PseudonymShape[] = ['email', 'token', 'card', 'ssn', 'digits', 'iban', 'ip', 'uuid'];

/**
 * The text that `maskWhole` makes this pseudonym of under a reversible rule.
 *
 * @returns undefined where there is none, or where two values of different kinds have the same pseudonym
 */
export function wholeOriginal(rule: MaskRule, pseudonym: string, hash: KeyedHash): string | undefined {
  const found = new Set<string>();
  for (const shape of SHAPES) {
    const original = reveal(shape, pseudonym, hash);
    if (original !== undefined && isPseudonymOf(rule, original, pseudonym, hash)) found.add(original);
  }
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

function isPseudonymOf(rule: MaskRule, original: string, pseudonym: string, hash: KeyedHash): boolean {
  const masked = maskWhole(rule, new TextEncoder().encode(original), '', hash);
  return masked !== null && new TextDecoder().decode(masked) === pseudonym;
}
