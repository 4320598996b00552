import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar, parseSql } from '../../../../src/protocols/postgres/facts/grammar.js';
import { outlineOf } from '../../../../src/protocols/postgres/facts/outline.js';
import { comparedTooOften, inferenceRefusals } from '../../../../src/protocols/postgres/lineage/inference.js';
import { ColumnRules } from '../../../../src/protocols/postgres/lineage/column-rules.js';
import { readLineage } from '../../../../src/protocols/postgres/lineage/read-lineage.js';
import { sketchCatalog } from '../lineage/fixture-catalog.js';
import { SSN_RULE } from '../../../core/mask-rule.js';

const catalog = sketchCatalog(
  { c: { columns: ['id', 'name', 'ssn'] }, k: { columns: ['id', 'guess'] } },
  { has_ssn: { source: 'select exists(select 1 from c where ssn = $1)', arguments: 1, returns: 'boolean' } },
);
const RULES = new ColumnRules([SSN_RULE], catalog);

beforeAll(loadGrammar);

const outline = (text: string): ReturnType<typeof outlineOf> => {
  const parsed = parseSql(text);
  return parsed.kind === 'tree' ? outlineOf(parsed.tree) : undefined;
};
const many = (count: number, one: (at: number) => string, between = ','): string =>
  Array.from({ length: count }, (_, at) => one(at)).join(between);

const ALIKE: Readonly<Record<string, string>> = {
  'rows of constants': `insert into k (id, guess) values ${many(5_000, (at) => `(${String(at)}, 'x${String(at)}')`)}`,
  'rows with casts and calls': `insert into k values ${many(2_000, (at) => `(${String(at)}::int, lower('X'))`)}`,
  'a row that takes a masked column away': `insert into k values ${many(900, () => '(1, 2)')}, (1, (select ssn from c)), ${many(900, () => '(1, 2)')}`,
  'a list to be in': `select id from c where id in (${many(5_000, String)})`,
  'a list with a masked column': `select id from c where id in (${many(900, String)}, length(ssn), ${many(900, String)})`,
  'a masked column beside a list': `select id from c where ssn like '1%' and id in (${many(5_000, String)})`,
  alternatives: `select id from c where ${many(2_000, (at) => `id = ${String(at)}`, ' or ')}`,
  'alternatives with a masked column': `select id from c where ${many(900, (at) => `id = ${String(at)}`, ' or ')} or ssn < '5'`,
  'alternatives with a masked column, many': `select id from c where ${many(2_000, (at) => `ssn = '${String(at)}'`, ' or ')}`,
  'a list beside a masked column': `select id from c where ssn in (${many(5_000, (at) => `'${String(at)}'`)})`,
  'lists in alternatives': `select id from c where ${many(60, (at) => `ssn in (${many(20, (n) => `'${String(at)}-${String(n)}'`)})`, ' or ')}`,
  'rows beside masked columns': `select id from c where (id, ssn) in (${many(2_000, (at) => `(1, '${String(at)}')`)})`,
  'rows put in beside others': `insert into c (id, ssn) values ${many(5_000, (at) => `(1, '${String(at)}')`)} on conflict do nothing`,
  'elements of an array': `select array[${many(3_000, String)}, 1]`,
  'a masked column among elements': `select array[${many(900, (at) => `'${String(at)}'`)}, ssn] from c`,
  'calls that differ in their constant': `select ${many(50, (at) => `has_ssn('${String(at)}')`)}`,
  'columns of a row': `select ${many(60, String)}, ssn, ${many(60, String)} from c`,
};

describe('the outline of a large text', () => {
  it.each(Object.entries(ALIKE))('tells of %s what the text tells', (_, text) => {
    const [whole, short] = [
      readLineage(text, catalog, catalog),
      readLineage(text, catalog, catalog, outline(text) ?? 'unknown'),
    ];
    expect(short.statements).toEqual(whole.statements);
    expect([short.touched, short.touchesAnything, short.made]).toEqual([
      whole.touched,
      whole.touchesAnything,
      whole.made,
    ]);
    expect(inferenceRefusals(short, RULES)).toEqual(inferenceRefusals(whole, RULES));
    const tooOften = comparedTooOften(short, RULES, () => 0);
    expect(tooOften).toEqual(comparedTooOften(whole, RULES, () => 0));
    expect(tooOften.length > 0).toBe(/ssn(?: =|\)? in|\) values.*conflict)/.test(text));
    const places = (lineage: typeof whole): unknown[] =>
      lineage.given.map(({ place }) => 'location' in place && place.location);
    expect(places(short).sort()).toEqual(places(whole).sort());
  });

  it('of a hundred thousand rows is small, and the refusal of the whole text is told', () => {
    const rows = many(100_000, (at) => `(${String(at)}, 'name ${String(at)}')`);
    const text = `with v (a, b) as (values ${rows}) select a from v, c where ssn > b`;
    const found = outline(text);
    expect(found?.nodes).toBeLessThan(200);
    expect(inferenceRefusals(readLineage(text, catalog, catalog, found), RULES)).toEqual([
      expect.objectContaining({ rule: 'pii/secrets' }),
    ]);
  });

  it('is not made of what is large without repeating itself', () => {
    expect(outline(`select ${many(40_000, (at) => `id + ${String(at)} as c${String(at)}`)} from c`)).toBeUndefined();
  });
});

describe('a text that can not be followed', () => {
  it('is refused where masked columns may not be compared, whatever it is', () => {
    const [refusal] = inferenceRefusals(readLineage('select 1', catalog, catalog, 'unknown'), RULES);
    expect(refusal).toMatchObject({ rule: 'pii/secrets', message: expect.stringContaining('too large to follow') });
  });

  it('is refused too when it is a block of code of 70 KB', () => {
    const text = `do $$ begin ${'perform 1; '.repeat(7_000)} end $$`;
    expect(inferenceRefusals(readLineage(text, catalog, catalog, outline(text)), RULES)).toHaveLength(1);
  });

  it('is refused too when it takes too many steps', () => {
    const text = many(60_000, () => 'select id + 1 + 2 + 3 + 4 + 5 + 6 from c', ';');
    expect(inferenceRefusals(readLineage(text, catalog, catalog), RULES)).toHaveLength(1);
  });
});
