import type { KeyedHash, MaskRule } from '../../core/mask.js';
import { isCard } from '../entities/credit-card.js';
import { isEmail } from '../entities/email.js';
import { iban } from '../entities/iban.js';
import { ipAddress } from '../entities/ip-address.js';
import { isPhone } from '../entities/phone.js';
import { isSsn } from '../entities/us-ssn.js';
import { newSpan } from '../finding/entity.js';
import type { EntityDetector, PartialShape, PseudonymShape } from '../finding/entity.js';
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
      // Not the column's name: the same value has the same pseudonym in whatever column it stands.
      return pseudonymOf(value, shapesOf(value).pseudonym, HASHED, hash, rule.reversible);
    case 'partial':
      return partialOf(value, 0, value.length, shapesOf(value).partial, label);
  }
}

/** What the pseudonym of a whole value of no shape begins with. */
const HASHED = 'hash';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UUID_BYTES = 36;

function shapesOf(value: Uint8Array): { readonly partial: PartialShape; readonly pseudonym: PseudonymShape } {
  if (isEmail(value)) return { partial: 'domain', pseudonym: 'email' };
  if (isCard(value)) return { partial: 'last4', pseudonym: 'card' };
  if (isSsn(value)) return { partial: 'last4', pseudonym: 'ssn' };
  if (isPhone(value)) return { partial: 'last4', pseudonym: 'digits' };
  if (isWhole(iban, value)) return { partial: 'last4', pseudonym: 'iban' };
  if (isWhole(ipAddress, value)) return { partial: 'quad', pseudonym: 'ip' };
  if (value.length === UUID_BYTES && UUID.test(String.fromCharCode(...value)))
    return { partial: 'third', pseudonym: 'uuid' };
  return { partial: 'third', pseudonym: 'token' };
}

/** Is the value one such entity from end to end? */
function isWhole(detector: EntityDetector, value: Uint8Array): boolean {
  if (value.length > MAX_WHOLE_BYTES) return false;
  const span = newSpan();
  for (let at = 0; at < value.length; at += 1) {
    if (!detector.triggers.includes(value[at] as number)) continue;
    if (detector.find(value, at, 0, value.length, span)) return span.from === 0 && span.to === value.length;
  }
  return false;
}

/** The longest account number, in groups, and the longest address are shorter. */
const MAX_WHOLE_BYTES = 64;
