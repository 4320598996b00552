import { createHmac } from 'node:crypto';
import type { MaskRule, Strategy } from '../../src/core/mask.js';
import { MORE_TOKENS } from '../../src/masking/entities/access-keys.js';
import { NUMBER_KINDS } from '../../src/masking/entities/built-in.js';
import { BUILT_IN_ENTITY_NAMES, createTextMasker } from '../../src/masking/text-masker.js';
import type { CustomEntity, TextMasker } from '../../src/masking/text-masker.js';
import { maskRule } from '../core/mask-rule.js';

export const hash = (input: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', 'a key for tests').update(input).digest());

export function ruleOf(entities: readonly string[], strategy: Strategy = 'redact', replacement = ''): MaskRule {
  return maskRule({ name: 'policy/mask', entities, strategy, with: replacement });
}

const maskers = new Map<string, TextMasker>();

/** Made once of each kind: properties ask for thousands. */
export function maskerOf(
  entities: readonly string[],
  strategy: Strategy = 'redact',
  custom: readonly CustomEntity[] = [],
): TextMasker {
  const make = (): TextMasker => createTextMasker({ rules: [ruleOf(entities, strategy, 'REPLACED')], custom, hash });
  if (custom.length > 0) return make();
  const kind = `${strategy} ${entities.join()}`;
  const masker = maskers.get(kind) ?? make();
  maskers.set(kind, masker);
  return masker;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** What becomes of one value: its text, null for NULL; `unchanged` where the engine leaves it alone. */
export function masked(masker: TextMasker, value: string): string | null {
  const bytes = bytesOf(value);
  const result = masker.maskValue(bytes, 0, bytes.length, new Map());
  if (result === undefined) return 'unchanged';
  return result === null ? null : textOf(result);
}

export function maskedJson(masker: TextMasker, value: string): string | null {
  const bytes = bytesOf(value);
  const result = masker.maskJson(bytes, 0, bytes.length, new Map());
  if (result === undefined) return 'unchanged';
  return result === null ? null : textOf(result);
}

export const STANDARD = ['email', 'credit-card', 'us-ssn', 'phone', 'iban', 'api-key', 'jwt', 'private-key'];

const SHARED: ReadonlySet<string> = new Set([...NUMBER_KINDS, ...MORE_TOKENS].map(({ name }) => name));
/** Kinds with a detector of their own, and one vendor's tokens; the others are more layouts or prefixes for the same code. */
export const OWN_KINDS: readonly string[] = BUILT_IN_ENTITY_NAMES.filter((name) => !SHARED.has(name));
/** One of each way of writing that the shared detector knows. */
export const SOME_NUMBERS: readonly string[] =
  'nl-bsn es-dni fi-hetu cz-rodne-cislo se-personnummer ch-ahv cl-rut in-aadhaar uk-nino bitcoin-address mac-address'.split(
    ' ',
  );
