import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskCounts, Strategy } from '../../src/core/mask.js';
import { createStreamMasker } from '../../src/masking/stream-masker.js';
import type { MaskedStream, StreamMasker } from '../../src/masking/stream-masker.js';
import { BUILT_IN_ENTITY_NAMES, createTextMasker } from '../../src/masking/text-masker.js';
import type { CustomEntity, TextMasker } from '../../src/masking/text-masker.js';
import { chars, LOWER, planted } from './secrets.js';
import { bytesOf, hash, ruleOf, textOf } from './support.js';

const STRATEGIES: readonly Strategy[] = ['redact', 'replace', 'partial', 'hash', 'null'];

interface Pair {
  readonly stream: StreamMasker;
  readonly whole: TextMasker;
}

function pairOf(entities: readonly string[], strategy: Strategy, custom: readonly CustomEntity[] = []): Pair {
  const options = { rules: [ruleOf(entities, strategy, 'REPLACED')], custom, hash };
  return { stream: createStreamMasker(options), whole: createTextMasker(options) };
}

const ALL = new Map(STRATEGIES.map((strategy) => [strategy, pairOf(BUILT_IN_ENTITY_NAMES, strategy)]));

/** Everything that comes out for these parts, as text, and what was counted. */
function through(stream: (counts: MaskCounts) => MaskedStream, parts: readonly Uint8Array[]): unknown {
  const counts: MaskCounts = new Map();
  const masked = stream(counts);
  const out = parts.map((part) => Buffer.from(masked.push(part)));
  out.push(Buffer.from(masked.end()));
  return { text: Buffer.concat(out).toString('latin1'), counts: [...counts].sort() };
}

function whole(masker: TextMasker, text: string): unknown {
  const counts: MaskCounts = new Map();
  const masked = masker.maskText(text, counts);
  return { text: Buffer.from(masked).toString('latin1'), counts: [...counts].sort() };
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((to, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], to));
}

/** Text around secrets: words, numbers, other scripts, and what looks like the beginning or end of one. */
const glue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(' ', '\n', ', ', '"', "'", ' "', '" ', '.', '-', '@', ':', '://', '/', '') },
  { weight: 2, arbitrary: chars(`${LOWER}0123456789 .-_@:/+()"\\`, 0, 12) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'eyJ',
      'sk-',
      'sk-ant',
      'AKIA',
      '-----',
      '-----BEGIN ',
      '-----END ',
      '4111 ',
      '+1 (',
      '1-',
      'DE89',
      '::',
      'http://u:',
      'db://joe:',
      'fe80:',
      '123-45-',
      '…',
      '“',
      'é',
      '用',
      '😀',
      '\u00a0',
      '\u2011',
      '\\n',
      '1.2.3',
      'x@y.',
      '\u0001',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const text = fc
  .array(fc.oneof({ weight: 3, arbitrary: glue }, { weight: 2, arbitrary: planted.map(({ value }) => value) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((pieces) => pieces.join('').toWellFormed());

describe('a text in parts is masked as the whole text is', () => {
  it.each(STRATEGIES)('by %s, cut at every place once, byte by byte, and at random', (strategy) => {
    const { stream, whole: masker } = ALL.get(strategy) as Pair;
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 6 }), (value, cuts) => {
        const bytes = bytesOf(value);
        const expected = whole(masker, value);
        const open = (counts: MaskCounts): MaskedStream => stream.text(counts);
        expect(through(open, [bytes])).toEqual(expected);
        expect(
          through(
            open,
            Array.from(bytes, (byte) => Uint8Array.of(byte)),
          ),
        ).toEqual(expected);
        expect(through(open, cutAt(bytes, cuts))).toEqual(expected);
        for (let cut = 1; cut < bytes.length; cut += 1)
          expect(through(open, [bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
      }),
      { numRuns: Number(process.env['STREAM_RUNS'] ?? 300) },
    );
  });
});
