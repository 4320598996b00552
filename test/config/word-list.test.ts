import { describe, expect, it } from 'vitest';
import { wordListPattern } from '../../src/config/kinds/word-list.js';
import { entitySchema, toEntity } from '../../src/config/kinds/entity.js';
import { masked, maskerOf } from '../masking/support.js';

function parse(spec: Record<string, unknown>) {
  return entitySchema.safeParse({ apiVersion: 'hoop/v1', kind: 'Entity', metadata: { name: 'project' }, spec });
}
const entity = (spec: Record<string, unknown>) => {
  const { data, error } = parse(spec);
  if (data === undefined) throw error;
  return toEntity(data);
};
const mask = (spec: Record<string, unknown>, value: string) =>
  masked(maskerOf(['project'], 'redact', [entity(spec)]), value);

describe('an entity of exact words', () => {
  it('masks each word of the list where it stands by itself, the longer one first', () => {
    const list = ['Falcon', 'Falcon Heavy', 'C++', 'Ørsted'];
    expect(mask({ list }, 'Falcon, Falcon Heavy; C++! Ørsted')).toBe('[project], [project]; [project]! [project]');
    expect(mask({ list }, 'Falconry, falcon, myFalcon')).toBe('unchanged');
  });

  it('knows capitals from small letters unless ignoreCase says otherwise', () => {
    expect(mask({ list: ['falcon'], ignoreCase: true }, 'FALCON Falcon')).toBe('[project] [project]');
    expect(mask({ list: ['falcon'] }, 'FALCON Falcon')).toBe('unchanged');
  });

  it('takes every sign of a word as itself', () => {
    expect(mask({ list: ['a.b', 'x(y)*'] }, 'a.b axb x(y)* xy')).toBe('[project] axb [project] xy');
    expect(wordListPattern(['b'], false)).toBe('\\bb\\b');
  });

  it('takes a pattern or a list, and refuses both, neither, and examples that do not hold', () => {
    expect(parse({ pattern: 'x' }).success).toBe(true);
    for (const spec of [
      {},
      { pattern: 'x', list: ['x'] },
      { list: [] },
      { list: [''] },
      { pattern: 'x', ignoreCase: true },
      { list: ['x'], examples: { match: ['y'] } },
      { list: ['x'], examples: { noMatch: ['an x'] } },
      { list: Array.from({ length: 400 }, (_, index) => `a long word number ${String(index)}`) },
    ])
      expect(parse(spec).success, JSON.stringify(spec).slice(0, 60)).toBe(false);
  });
});
