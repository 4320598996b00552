import * as fc from 'fast-check';
import type { MaskCounts, Strategy } from '../../src/core/mask.js';
import { createStreamMasker } from '../../src/masking/streams/stream-masker.js';
import type { MaskedStream, StreamMasker } from '../../src/masking/streams/stream-masker.js';
import { createTextMasker } from '../../src/masking/text-masker.js';
import type { CustomEntity, TextMasker } from '../../src/masking/text-masker.js';
import { chars, LOWER, planted } from './secrets.js';
import { hash, ruleOf } from './support.js';

export const STRATEGIES: readonly Strategy[] = ['redact', 'replace', 'partial', 'hash', 'null'];

/** Both ways of masking by the same rules. */
export interface Pair {
  readonly stream: StreamMasker;
  readonly whole: TextMasker;
}

export function pairOf(entities: readonly string[], strategy: Strategy, custom: readonly CustomEntity[] = []): Pair {
  const options = { rules: [ruleOf(entities, strategy, 'REPLACED')], custom, hash };
  return { stream: createStreamMasker(options), whole: createTextMasker({ ...options, spellings: true }) };
}

export interface Outcome {
  /** One character for each byte. */
  readonly text: string;
  readonly counts: readonly (readonly [string, number])[];
}

/** Everything that comes out for these parts, and what was counted. */
export function through(stream: (counts: MaskCounts) => MaskedStream, parts: readonly Uint8Array[]): Outcome {
  const counts: MaskCounts = new Map();
  const masked = stream(counts);
  const out = parts.map((part) => Buffer.from(masked.push(part)));
  out.push(Buffer.from(masked.end()));
  return { text: Buffer.concat(out).toString('latin1'), counts: [...counts].sort() };
}

export function wholeText(masker: TextMasker, text: string): Outcome {
  const counts: MaskCounts = new Map();
  const masked = masker.maskText(text, counts);
  return { text: Buffer.from(masked).toString('latin1'), counts: [...counts].sort() };
}

export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((to, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], to));
}

/** Longer texts are not cut once at every place, but at this many. */
const MAX_CUTS = 160;

/** Every way of cutting that is tried: not at all, once at every place, into single bytes, and as `cuts` say. */
export function* cuttings(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array[]> {
  yield [bytes];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  yield cutAt(bytes, cuts);
  const step = Math.ceil(bytes.length / MAX_CUTS);
  for (let cut = 1 + ((cuts[0] ?? 0) % step); cut < bytes.length; cut += step)
    yield [bytes.subarray(0, cut), bytes.subarray(cut)];
}

/** What stands around secrets: words, numbers, other scripts, and what looks like the beginning or end of one. */
const glue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(' ', '\n', ', ', '"', "'", ' "', '" ', '.', '-', '@', ':', '://', '/', '') },
  { weight: 2, arbitrary: chars(`${LOWER}0123456789 .-_@:/+()"\\`, 0, 12) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['eyJ', 'sk-', 'sk-ant', 'AKIA', '-----', '-----BEGIN ', '-----END ', '4111 ', '+1 (', '1-', 'DE89', '::'],
      ...['http://u:', 'db://joe:', 'fe80:', '123-45-', '…', '“', 'é', '用', '😀', '\u00a0', '\u2011', '\\n', '1.2.3'],
      ...['x@y.', '\u0001'],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);

export const mixedText = fc
  .array(fc.oneof({ weight: 3, arbitrary: glue }, { weight: 2, arbitrary: planted.map(({ value }) => value) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((pieces) => wellFormed(pieces.join('')));

/** Without lone surrogates, which UTF-8 can't write. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '');
}
