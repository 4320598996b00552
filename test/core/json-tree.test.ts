import { expect, it } from 'vitest';
import { isFault } from '../../src/core/errors.js';
import { parseJsonTree } from '../../src/core/json-tree.js';

it('reads 512 levels and refuses 513', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  expect([isFault(parseJsonTree(nested(512))), isFault(parseJsonTree(nested(513)))]).toEqual([false, true]);
});

it('refuses more than two million values, which would take a gigabyte for 16 MiB of text', () => {
  const tree = parseJsonTree(`[${'1,'.repeat(2_000_000)}1]`);
  expect(tree).toEqual({ code: 'protocol', message: 'JSON has more than 2000000 values' });
});
