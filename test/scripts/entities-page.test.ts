import { expect, it } from 'vitest';
import { measureEntities } from '../../scripts/entities/measure.js';
import { entitiesPage, readPage } from '../../scripts/entities/page.js';

it('docs/entities.md says what the detectors do: `npx tsx scripts/entities/page.ts --write` writes it', () => {
  expect(entitiesPage(readPage()) === readPage()).toBe(true);
});

it('every kind of number is found behind each of its words, and in at most 1 of 100 values of noise', () => {
  for (const { name, withWord, wrong } of measureEntities()) {
    expect(withWord, name).toBe(1);
    expect(wrong, name).toBeLessThanOrEqual(40);
  }
});
