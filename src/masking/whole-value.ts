import type { KeyedHash, MaskRule } from '../core/mask.js';
import { isCard } from './entities/credit-card.js';
import { isEmail } from './entities/email.js';
import { isPhone } from './entities/phone.js';
import { isSsn } from './entities/us-ssn.js';
import type { PartialShape, PseudonymShape } from './entity.js';
import { partialOf } from './partial.js';
import { pseudonymOf } from './pseudonym.js';

/**
 * Masks the whole value of a column by its rule's strategy. A value that is as a whole an address, a card, an
 * SSN or a phone number keeps that shape under `partial` and `hash`.
 *
 * @param label what `redact` shows in brackets: the name of the column or mask
 * @returns null for NULL
 */
export function maskWhole(rule: MaskRule, value: Uint8Array, label: string, hash: KeyedHash): Uint8Array | null {
  switch (rule.strategy) {
    case 'null':
      return null;
    case 'redact':
      return new TextEncoder().encode(`[${label}]`);
    case 'replace':
      return new TextEncoder().encode(rule.with);
    case 'hash':
      return pseudonymOf(value, shapesOf(value).pseudonym, label, hash);
    case 'partial':
      return partialOf(value, 0, value.length, shapesOf(value).partial, label);
  }
}

function shapesOf(value: Uint8Array): { readonly partial: PartialShape; readonly pseudonym: PseudonymShape } {
  if (isEmail(value)) return { partial: 'domain', pseudonym: 'email' };
  if (isCard(value)) return { partial: 'last4', pseudonym: 'card' };
  if (isSsn(value)) return { partial: 'last4', pseudonym: 'ssn' };
  if (isPhone(value)) return { partial: 'last4', pseudonym: 'digits' };
  return { partial: 'third', pseudonym: 'token' };
}
