import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../../src/protocols/postgres/facts/grammar.js';
import type { NameLookup } from '../../../../src/protocols/postgres/catalog/types.js';
import { readLineage } from '../../../../src/protocols/postgres/lineage/read-lineage.js';
import { SessionMemory } from '../../../../src/protocols/postgres/lineage/session-memory.js';
import type { TextLineage } from '../../../../src/protocols/postgres/lineage/text-lineage.js';
import { sketchCatalog, spelled } from './fixture-catalog.js';

const catalog = sketchCatalog(
  { c: { columns: ['id', 'ssn'] } },
  { own: { language: 'plpgsql', source: 'begin return 1; end', argumentList: '', returns: 'integer', arguments: 0 } },
);
const read = (text: string): TextLineage => readLineage(text, catalog, { searchPath: catalog.searchPath });

beforeAll(() => loadGrammar());

describe('what a cursor stands for', () => {
  /** What may be behind the first column of `k` in that text; `?` where nobody can tell. */
  const behind = (memory: SessionMemory, text: string, unseen = false): string => {
    const held = memory.held([read(text)], unseen)('cursor', 'k');
    if (held === undefined) return '?';
    return held.map(({ columns }) => spelled(catalog, columns[0]?.value.origins ?? []).join('+') || '-').join(' or ');
  };
  const ran = (memory: SessionMemory, text: string, unseen = false, lookup: NameLookup = catalog): void => {
    const lineage = read(text);
    memory.opened(lineage, memory.ran(lineage, unseen, lookup), unseen);
  };

  it('is what the same message declares before it fetches, whatever ran before', () => {
    const memory = new SessionMemory();
    ran(memory, 'declare k cursor for select ssn from c');
    ran(memory, 'select own()');
    expect(behind(memory, 'declare k cursor for select 1; fetch k')).toBe('-');
    expect(behind(memory, 'close k; declare k cursor for select 1; fetch k')).toBe('-');
    expect(
      behind(memory, 'declare k cursor for select 1; close k; declare k cursor for select ssn from c; fetch k'),
    ).toBe('- or c.ssn');
  });

  it('is not what is declared behind the FETCH, of another name, or beside code that may open it anew', () => {
    const memory = new SessionMemory();
    ran(memory, 'declare k cursor for select ssn from c');
    expect(behind(memory, 'fetch k')).toBe('c.ssn');
    expect(behind(memory, 'fetch k; close k; declare k cursor for select 1')).toBe('c.ssn or -');
    ran(memory, 'select own()');
    for (const text of [
      'fetch k',
      'fetch k; close k; declare k cursor for select 1',
      'declare other cursor for select 1; fetch k',
      'declare k cursor for select 1; select own(); fetch k',
      'declare k cursor for select own(); fetch k',
    ])
      expect(behind(memory, text), text).toBe('?');
    expect(behind(memory, 'declare k cursor for select 1; fetch k', true)).toBe('?');
  });

  it('has no documents that are masked in their places where the session had changed what they are made of', () => {
    const memory = new SessionMemory();
    const documentOf = (): unknown => memory.held([], false)('cursor', 'k')?.at(-1)?.columns[0]?.json;
    ran(memory, 'declare k cursor with hold for select to_jsonb(c) from c', false, { ...catalog, unsettled: true });
    expect(documentOf()).toBeUndefined();
    ran(memory, 'declare k cursor for select to_jsonb(c), 1 from c');
    expect(documentOf()).toMatchObject({ kind: 'object' });
  });

  it('is, for later messages, what one declared alone, or beside statements that run no code', () => {
    const memory = new SessionMemory();
    ran(memory, 'select own()');
    ran(memory, 'begin; declare k cursor for select 1; fetch k');
    expect(behind(memory, 'fetch k')).toBe('-');
    for (const text of [
      'declare k cursor for select ssn from c; select own()',
      'declare k cursor for select ssn from c; close k; declare k cursor for select 1',
    ]) {
      ran(memory, text);
      expect(behind(memory, 'fetch k'), text).not.toBe('-');
    }
    ran(memory, 'declare k cursor for select 1; fetch k', true);
    expect(behind(memory, 'fetch k')).toBe('?');
  });
});
