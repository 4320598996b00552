import type { KeyedHash } from '../core/mask.js';
import { createChunkMasker } from './chunks/chunk-masker.js';
import type { ChunkMasker } from './chunks/chunk-masker.js';
import { masksOf } from './mask-set.js';
import { createTextMasker } from './text-masker.js';
import type { TextMasker, TextMaskerOptions } from './text-masker.js';

export interface SharedMasker extends TextMasker {
  readonly chunks: ChunkMasker;
}

/** Plans kept; more than these are in use at once only where every caller has rules of their own. */
const MAX_KEPT = 64;

const kept = new WeakMap<KeyedHash, Map<string, SharedMasker>>();

/**
 * The masker of a plan, made once: sessions whose rules mask the same entities in the same way share it.
 *
 * @throws HoopError `config_invalid` as `createTextMasker`
 */
export function sharedMasker(options: TextMaskerOptions): SharedMasker {
  const plans = kept.get(options.hash) ?? new Map<string, SharedMasker>();
  kept.set(options.hash, plans);
  const key = keyOf(options);
  const known = plans.get(key);
  // What is used again becomes the youngest.
  plans.delete(key);
  const masker = known ?? make(options);
  plans.set(key, masker);
  if (plans.size > MAX_KEPT) plans.delete(plans.keys().next().value as string);
  return masker;
}

function make(options: TextMaskerOptions): SharedMasker {
  return Object.assign(createTextMasker(options), { chunks: createChunkMasker(masksOf(options)) });
}

/** What makes a difference to masking, and nothing else: neither the rules' names nor their columns. */
function keyOf({ rules, custom = [], spellings }: TextMaskerOptions): string {
  const used = new Set(rules.flatMap((rule) => rule.entities));
  return JSON.stringify([
    spellings === true,
    rules.map(({ entities, strategy, with: text, reversible }) => [entities, strategy, text, reversible === true]),
    custom.filter(({ name }) => used.has(name)).map(({ name, pattern, validate }) => [name, pattern, validate]),
  ]);
}
