import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../src/protocols/postgres/facts/analyze.js';
import { played } from './conversation.js';

const FOLDER = fileURLToPath(new URL('../../transcripts/postgres/', import.meta.url));
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

beforeAll(loadGrammar);

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [0, ...[...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

/** `UPDATE_TRANSCRIPTS=1` writes down what was answered, for a person to read over. */
describe.each(NAMES)('the transcript %s', (name) => {
  const text = readFileSync(`${FOLDER}${name}`, 'utf8');

  it('is answered as written', () => {
    const now = played(text);
    if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(`${FOLDER}${name}`, now);
    else expect(now).toBe(text);
  });

  it('is answered alike byte by byte', () => {
    expect(played(text, (bytes) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toBe(played(text));
  });

  it('is answered alike at 25 random cuts', () => {
    const whole = played(text);
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 6 }), (places) => {
        expect(played(text, (bytes) => cutAt(bytes, places))).toBe(whole);
      }),
      { numRuns: 25 },
    );
  });
});
