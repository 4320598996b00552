import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';
import { EVASIONS } from './evasions.js';
import { HARMLESS } from './harmless.js';

beforeAll(loadGrammar);

describe('evasions', () => {
  it(`are at least 150 (${EVASIONS.length})`, () => expect(EVASIONS.length).toBeGreaterThanOrEqual(150));

  it.each(EVASIONS)('sees through %s', (text, seen) => {
    const facts = analyze(text);
    expect(facts.effects).toEqual(expect.arrayContaining([...(seen.effects ?? [])]));
    expect(facts.unqualified).toEqual(seen.unqualified ?? []);
    expect(facts.unqualifiedWrite).toBe(facts.unqualified.length > 0);
    expect([facts.opaque, facts.opaqueReason !== '']).toEqual([seen.opaque ?? false, seen.opaque ?? false]);
  });
});

describe('harmless look-alikes', () => {
  it(`are at least 80 (${HARMLESS.length})`, () => expect(HARMLESS.length).toBeGreaterThanOrEqual(80));

  it.each(HARMLESS)('takes %s for what it is', (text, effects) => {
    const facts = analyze(text);
    expect(facts.opaqueReason).toBe('');
    expect(facts.unqualified).toEqual([]);
    expect([...facts.effects].sort()).toEqual([...effects].sort());
  });
});
