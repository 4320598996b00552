import { describe, expect, it } from 'vitest';
import { readDocuments } from '../../src/config/yaml-documents.js';

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

function read(text: string): { readonly documents: number; readonly faults: readonly string[] } {
  const { documents, faults } = readDocuments({ path: 'f.yaml', text }, {});
  return {
    documents: documents.length,
    faults: faults.map(({ line, column, message }) => `${String(line)}:${String(column)} ${message}`),
  };
}

describe('a file that would keep the agent busy, or end it', () => {
  // The first two in one process ended it: V8 found no stack to compile a pattern of the library's.
  it.each([
    ['100,000 lists in each other', '['.repeat(100_000), /^1:101 too deep/],
    ['100,000 block lists in each other', '- '.repeat(100_000), /^1:1 too deep/],
    ['50,000 maps in each other', '{a: '.repeat(50_000), /^1:401 too deep/],
    ['50,000 complex keys in each other', `a: 1\n${'? '.repeat(50_000)}`, /^2:1 too deep/],
    ['2,500 levels of indentation', lines(2_500, (index) => `${' '.repeat(index)}a:`), /^502:1 too deep/],
    ['20,000 anchors', lines(20_000, (index) => `a${String(index)}: &a${String(index)} x`), /more than 500 anchors$/],
    ['a million comments', '#\n'.repeat(1_000_000), /divide it$/],
    ['300,000 documents', '---\n'.repeat(300_000), /divide it$/],
    [
      '40,000 keys in one map, one twice',
      `${lines(40_000, (index) => `a${String(index)}: 1`)}\na7: 1`,
      /^40001:1 this key stands twice/,
    ],
  ])('%s: is refused, and does not take seconds', (_what, text, fault) => {
    const before = performance.now();
    const { documents, faults } = read(text);
    expect(documents).toBe(0);
    expect(faults[0]).toMatch(fault);
    // Without bounds the slow ones take 7 to 60 s here.
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('leaves what is long or deep in a text alone', () => {
    const text = `a: |\n${lines(2_000, () => `  ${'['.repeat(200)} &not an anchor - - -`)}\nb: '${'{'.repeat(300)}'\nc: [${'1, '.repeat(5_000)}1]\n`;
    expect(read(text)).toEqual({ documents: 1, faults: [] });
  });
});
