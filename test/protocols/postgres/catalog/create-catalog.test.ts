import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../../../src/protocols/postgres/catalog/create-catalog.js';
import type { CatalogRows } from '../../../../src/protocols/postgres/catalog/queries.js';
import type { Catalog } from '../../../../src/protocols/postgres/catalog/types.js';
import { analyze, completeFacts, loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';

const HEAD = { stamp: 's', searchPath: ['pg_catalog', 'public'], user: 'app', schemas: new Set(['public', 'evil']) };
const EMPTY: CatalogRows = {
  relations: [],
  triggers: [],
  inherits: [],
  cascades: [],
  attached: [],
  routines: [],
  support: [],
  operators: [],
  casts: [],
  eventTriggers: [],
  types: [],
};

function relation(
  oid: number,
  name: string,
  more: { kind?: string; rows?: number; definition?: string; columns?: string; held?: boolean; schema?: string } = {},
): (string | null)[] {
  const { kind = 'r', rows = 0, definition = null, columns = '[[1,"id",23]]', held = false, schema = 'public' } = more;
  return [String(oid), schema, name, kind, String(rows), columns, definition, null, held ? '1' : '0'];
}

function routine(oid: number, name: string, source: string, withheld = false): (string | null)[] {
  const facts = ['f', 'sql', source, '0', '0', '[]', '', 'integer', '23', '0', '0', withheld ? '1' : '0', '0', null];
  return [String(oid), 'public', name, ...facts];
}

function catalog(rows: Partial<CatalogRows>, previous?: Catalog): Catalog {
  const made = createCatalog(HEAD, { ...EMPTY, ...rows }, previous);
  if ('code' in made) throw new Error(made.message);
  return made;
}

describe('createCatalog', () => {
  it('finds relations by object id and by name, with their columns in order', () => {
    const made = catalog({
      relations: [
        relation(20000, 't', { columns: '[[1,"id",23],[3,"n",1700,"1 + 1"]]' }),
        relation(20001, 't', { schema: 'evil' }),
      ],
    });
    expect(made.relation(20000)?.columns).toEqual([
      { attribute: 1, name: 'id', typeOid: 23 },
      { attribute: 3, name: 'n', typeOid: 1700, expression: '1 + 1' },
    ]);
    expect(made.relationsNamed('t').map(({ schema }) => schema)).toEqual(['public', 'evil']);
    expect(made.relationsNamed('u')).toEqual([]);
  });

  it('reads the bits of triggers: 4 insert, 8 delete, 16 update, 32 truncate', () => {
    const made = catalog({
      relations: [relation(20000, 't')],
      triggers: [['20000', 'g', '30000', '29', '[null,"n"]']],
    });
    expect(made.relation(20000)?.triggers).toEqual([
      { name: 'g', routine: 30000, transitions: ['n'], events: ['insert', 'delete', 'update'] },
    ]);
  });

  it.each<[string, Partial<CatalogRows>]>([
    ['a row that is too short', { relations: [['20000', 'public']] }],
    ['an object id that is no number', { relations: [['x', 'public', 't', 'r', '0', null, null, null, '0']] }],
    ['rules that are no JSON', { relations: [['20000', 'public', 't', 'r', '0', null, null, '{', '0']] }],
    ['a type of NULL', { types: [['1', null, 'b', 'A', '0', '0']] }],
  ])('gives a fault for %s', (_what, rows) => {
    expect(createCatalog(HEAD, { ...EMPTY, ...rows })).toMatchObject({ code: 'protocol' });
  });

  it('takes texts that another transaction holds over from the catalogue before, and says so where there is none', () => {
    const view = (held: boolean): CatalogRows => ({
      ...EMPTY,
      relations: [relation(20000, 'v', { kind: 'v', held, ...(held ? {} : { definition: 'SELECT 1 AS id' }) })],
      routines: [routine(30000, 'f', held ? '' : 'SELECT 2', held)],
    });
    const before = catalog(view(false));
    const after = catalog(view(true), before);
    expect(after.relation(20000)).toMatchObject({ definition: 'SELECT 1 AS id', withheld: false });
    expect(after.routine(30000)).toMatchObject({ source: 'SELECT 2', withheld: false });
    const unknown = catalog(view(true));
    expect([unknown.relation(20000)?.withheld, unknown.routine(30000)?.withheld]).toEqual([true, true]);
  });
});

describe('completeFacts', () => {
  const lookup = { searchPath: HEAD.searchPath };
  const anywhere = { searchPath: undefined };

  it('gives names the schema of the path, and all of them where the path is not known', async () => {
    await loadGrammar();
    const made = catalog({ relations: [relation(20000, 't'), relation(20001, 't', { schema: 'evil' })] });
    const facts = analyze('SELECT * FROM t');
    expect(completeFacts(facts, made, lookup).reads).toEqual([{ schema: 'public', name: 't' }]);
    expect(completeFacts(facts, made, anywhere).reads).toEqual([
      { schema: 'public', name: 't' },
      { schema: 'evil', name: 't' },
    ]);
  });

  it('gives the same object for the same facts, catalogue and path', async () => {
    await loadGrammar();
    const made = catalog({ relations: [relation(20000, 't')] });
    const facts = analyze('SELECT * FROM t');
    expect(completeFacts(facts, made, lookup)).toBe(completeFacts(facts, made, lookup));
    expect(completeFacts(analyze('BEGIN'), made, lookup).effects).toEqual(['begin']);
  });

  it('counts a table of 100000 rows as big and one of 99999 as not, a partitioned one by its partitions', async () => {
    await loadGrammar();
    const made = catalog({
      relations: [
        relation(20000, 'big', { rows: 100_000 }),
        relation(20001, 'small', { rows: 99_999 }),
        relation(20002, 'parts', { kind: 'p', rows: -1 }),
        relation(20003, 'part1', { rows: 60_000 }),
        relation(20004, 'part2', { rows: 60_000 }),
      ],
      inherits: [
        ['20003', '20002'],
        ['20004', '20002'],
      ],
    });
    const unbounded = (text: string): boolean | undefined => completeFacts(analyze(text), made, lookup).unbounded;
    expect(unbounded('SELECT * FROM big')).toBe(true);
    expect(unbounded('SELECT * FROM big JOIN small USING (id)')).toBe(true);
    expect(unbounded('SELECT * FROM (SELECT * FROM big) x LIMIT 3')).toBe(false);
    expect(unbounded('SELECT * FROM big LIMIT ALL')).toBe(true);
    expect(unbounded('SELECT * FROM big WHERE true')).toBe(true);
    expect(unbounded('SELECT * FROM big WHERE id = $1')).toBe(false);
    expect(unbounded('CREATE VIEW v AS SELECT * FROM big')).toBe(false);
    expect(unbounded('SELECT * FROM small')).toBe(false);
    expect(unbounded('SELECT * FROM part1')).toBe(false);
    expect(unbounded('SELECT * FROM parts')).toBe(true);
  });

  it('counts partitions with their parent and parents with their partition', async () => {
    await loadGrammar();
    const made = catalog({
      relations: [relation(20002, 'parts', { kind: 'p' }), relation(20003, 'part1'), relation(20004, 'part2')],
      inherits: [
        ['20003', '20002'],
        ['20004', '20002'],
      ],
    });
    const written = (text: string): string[] =>
      completeFacts(analyze(text), made, lookup)
        .writes.map(({ name }) => name)
        .sort();
    expect(written('DELETE FROM parts WHERE id = 1')).toEqual(['part1', 'part2', 'parts']);
    expect(written('DELETE FROM part1 WHERE id = 1')).toEqual(['part1', 'parts']);
  });

  it('ends for routines that call each other', async () => {
    await loadGrammar();
    const made = catalog({
      relations: [relation(20000, 't')],
      routines: [routine(30000, 'f', 'SELECT g()'), routine(30001, 'g', 'SELECT f(); DELETE FROM t')],
    });
    expect(completeFacts(analyze('SELECT f()'), made, lookup)).toMatchObject({
      effects: ['delete', 'select'],
      writes: [{ schema: 'public', name: 't' }],
      unqualifiedWrite: true,
      opaque: false,
    });
  });
});
