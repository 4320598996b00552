import type { MaskRule } from '../../core/mask.js';
import { luhnDigit } from '../finding/check-digits.js';

/** What `redact` shows of a column, by whatever name the query gave it, and `partial` of a value without a shape. */
const LABEL = /^\[[\p{L}_][\p{L}\p{N}_ .$-]*\]$/u;
const ADDRESS = /^\*{5}@[^\s@]+$/;
/** The same with something around it. */
const ADDRESS_WITHIN = /(?:^|[^\w*])\*{5}@[\w-]+\.\w/;
const NUMBER_WITHIN = /(?:^|[^\w*])\+?(?:\*[ ().-]*){5,}\d{4}(?!\w)/;
const COUNTED = /[\p{L}\p{N}]/u;
const MAX_SHOWN = 4;
/** Stars before the four that are shown of a number that has its last four shown always. */
const LEAST_BEFORE_FOUR = 5;
/** Longer values are no column's that `partial` or `hash` would show so; looking at them would take time. */
const MAX_LENGTH = 512;

const MASKED_ADDRESS = /^(?:u_[0-9a-f]{12}|r_[a-z2-7]+)@masked\.invalid$/;
const TOKEN = /^\w+_(?:[0-9a-f]{16}|r[a-z2-7]{16,})$/;
/** Neither an SSN nor an ITIN. */
const SSN = /^9\d\d([ -]?)[0-4]\d\1\d{4}$/;
const CARD = /^90(?:[ -]?\d){10,17}$/;

/**
 * May a text that is written into a column be what a mask of whole columns shows, instead of a value of the column's?
 * Whoever reads a row, masked, and writes it back would put it in the place of the value.
 *
 * Pseudonyms of numbers under `reversible`, of phones and of UUIDs can't be told from values.
 */
export function isShown(rule: Pick<MaskRule, 'strategy' | 'with'>, value: string): boolean {
  if (value.length > MAX_LENGTH) return false;
  return looksShown(rule, value, LABEL.test(value), () => ADDRESS.test(value) || isTail(value));
}

/** The same of masks that look for entities, which may stand in a longer text. */
export function holdsShown(rule: Pick<MaskRule, 'strategy' | 'with' | 'entities'>, value: string): boolean {
  if (rule.entities.length === 0 || value.length > MAX_LENGTH) return false;
  const isLabel = rule.entities.some((entity) => value === `[${entity}]`);
  return looksShown(rule, value, isLabel, () => ADDRESS_WITHIN.test(value) || NUMBER_WITHIN.test(value));
}

function looksShown(
  { strategy, with: text }: Pick<MaskRule, 'strategy' | 'with'>,
  value: string,
  isLabel: boolean,
  isPart: () => boolean,
): boolean {
  switch (strategy) {
    case 'null':
      return false;
    case 'replace':
      return value !== '' && value === text;
    case 'redact':
      return isLabel;
    case 'partial':
      return isLabel || isPart();
    case 'hash':
      return isPseudonym(value);
  }
}

/** Stars for the most, and up to four letters and digits behind the last of them. */
function isTail(value: string): boolean {
  const last = value.lastIndexOf('*');
  if (last === -1 || COUNTED.test(value.slice(0, last))) return false;
  const shown = [...value.slice(last)].filter((sign) => COUNTED.test(sign)).length;
  const stars = value.split('*').length - 1;
  return shown <= MAX_SHOWN && stars >= (shown === MAX_SHOWN ? LEAST_BEFORE_FOUR : 2 * shown);
}

function isPseudonym(value: string): boolean {
  return MASKED_ADDRESS.test(value) || TOKEN.test(value) || SSN.test(value) || isNobodysCard(value);
}

/** No issuer has 90. */
function isNobodysCard(value: string): boolean {
  if (!CARD.test(value)) return false;
  const digits = Array.from(value.replace(/[ -]/g, ''), Number);
  return luhnDigit(digits.slice(0, -1)) === digits.at(-1);
}
