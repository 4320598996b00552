import { RE2JS } from 're2js';
import type { Fault } from '../../core/errors.js';
import type { EntityResource } from '../../core/resources.js';
import { isDigit } from '../finding/byte-classes.js';
import { codes } from '../finding/entity.js';
import { longestMatch } from '../finding/pattern-reach.js';
import { BUILT_IN_ENTITY_NAMES } from './built-in.js';

/** A kind of its own that a resource file declares. */
export type CustomEntity = Pick<EntityResource, 'name' | 'pattern' | 'validate'>;

/** More findings than this in one value: the rest of the value counts as found, which bounds the work. */
export const MAX_FINDINGS = 10_000;

/** A compiled custom kind. Patterns have RE2's syntax and cost, linear in the value, with no back-references. */
export class CustomFinder {
  readonly name: string;
  /** Bytes that every match holds; empty where the pattern promises none. */
  readonly literal: readonly number[];
  /** No match has more bytes; Infinity where the pattern gives no bound. */
  readonly maxBytes: number;
  readonly #pattern: RE2JS;
  readonly #luhn: boolean;

  /** @throws an error of the pattern compiler where the pattern is not of RE2's syntax; see `checkCustomEntity` */
  constructor(entity: CustomEntity) {
    this.name = entity.name;
    this.maxBytes = longestMatch(entity.pattern);
    this.literal = codes(leadingLiteral(entity.pattern));
    this.#pattern = RE2JS.compile(entity.pattern);
    this.#luhn = entity.validate === 'luhn';
  }

  /** Calls `found` with every match in bytes[start,end), in order. */
  findAll(bytes: Uint8Array, start: number, end: number, found: (from: number, to: number) => void): void {
    const value = bytes.subarray(start, end);
    if (!this.#pattern.test(value)) return;
    const matcher = this.#pattern.matcher(value);
    for (let count = 0; matcher.find(); count += 1) {
      const from = matcher.start();
      const to = count === MAX_FINDINGS ? value.length : matcher.end();
      if (to > from && (count === MAX_FINDINGS || this.accepts(value, from, to))) found(start + from, start + to);
      if (count === MAX_FINDINGS) return;
    }
  }
  /** The first match in bytes[0,end) that begins at `at` or behind; what is before `at` is looked at as its context. */
  matchFrom(bytes: Uint8Array, at: number, end: number): { readonly from: number; readonly to: number } | undefined {
    const matcher = this.#pattern.matcher(bytes.subarray(0, end));
    return matcher.find(at) ? { from: matcher.start(), to: matcher.end() } : undefined;
  }

  /** Does the match bytes[from,to) pass the check that the entity asks for? */
  accepts(bytes: Uint8Array, from: number, to: number): boolean {
    return !this.#luhn || passesLuhn(bytes, from, to);
  }
}

/** A fault where the name is a built-in kind's, or the pattern does not compile or meets the empty text. */
export function checkCustomEntity(entity: CustomEntity): Fault | undefined {
  if (BUILT_IN_ENTITY_NAMES.includes(entity.name)) {
    return { code: 'config_invalid', message: `entity ${entity.name}: a built-in entity has this name` };
  }
  try {
    if (!RE2JS.compile(entity.pattern).test('')) return undefined;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { code: 'config_invalid', message: `entity ${entity.name}: pattern is not of RE2 syntax: ${detail}` };
  }
  return { code: 'config_invalid', message: `entity ${entity.name}: pattern meets the empty text` };
}

/**
 * The text that every match of a pattern begins with, as far as plain reading shows: ASCII, without the
 * characters that JSON may escape with a backslash.
 */
function leadingLiteral(pattern: string): string {
  if (/[|]/.test(pattern)) return '';
  const plain = /^\^?(?:\\b)?([A-Za-z0-9_@#%&=:;,<>~!' -]*)/.exec(pattern);
  const literal = plain?.[1] ?? '';
  const next = pattern[plain?.[0].length ?? 0];
  return next === '*' || next === '?' || next === '{' || next === '+' ? literal.slice(0, -1) : literal;
}

/** Luhn's sum over the digits of bytes[from,to); other characters are passed over. */
function passesLuhn(bytes: Uint8Array, from: number, to: number): boolean {
  let [sum, count] = [0, 0];
  for (let index = to - 1; index >= from; index -= 1) {
    if (!isDigit(bytes[index] as number)) continue;
    const digit = (bytes[index] as number) - 0x30;
    const doubled = digit < 5 ? digit * 2 : digit * 2 - 9;
    sum += (count & 1) === 0 ? digit : doubled;
    count += 1;
  }
  return count > 1 && sum % 10 === 0;
}
