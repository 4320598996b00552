import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../../src/protocols/postgres/facts/grammar.js';
import { readLineage } from '../../../../src/protocols/postgres/lineage/read-lineage.js';
import type { Output } from '../../../../src/protocols/postgres/lineage/scope.js';
import { sketchCatalog, spelled } from './fixture-catalog.js';

const catalog = sketchCatalog(
  {
    c: { columns: ['id', 'name', 'ssn', 'city'] },
    o: { columns: ['id', 'cid', 'amount', 'ssn'] },
    v: {
      columns: ['id', 'secret', 'upper_name'],
      definition: 'SELECT c.id, c.ssn AS secret, upper(c.name) FROM public.c',
    },
    w: { columns: ['x'], definition: 'SELECT v.secret || v.upper_name FROM public.v' },
    m: { columns: ['n', 'last'], kind: 'materialized-view', definition: 'SELECT count(*), max(ssn) FROM public.c' },
    twice: { columns: ['a'], schema: 'one' },
  },
  {
    ssn_of: { source: 'select ssn from c where id = $1', arguments: 1 },
    name_of: { source: 'select name from c where id = $1', arguments: 1 },
    by_ssn: { source: 'select id from c where ssn = $1', arguments: 1, returnsSet: true },
    pl: {
      language: 'plpgsql',
      source: 'declare s text; begin select c.ssn into s from c where c.id = i; return s; end',
      argumentList: 'i integer',
      arguments: 1,
    },
    pl_plain: {
      language: 'plpgsql',
      source: 'begin return i + 1; end',
      argumentList: 'i integer',
      returns: 'integer',
      arguments: 1,
    },
    run: { language: 'plpgsql', source: 'begin execute q; end', argumentList: 'q text', returns: 'void', arguments: 1 },
    outer_f: { source: 'select ssn_of(1)' },
    loop_a: { source: 'select loop_b() || (select name from c limit 1)' },
    loop_b: { source: 'select loop_a() || (select ssn from c limit 1)' },
  },
);

/** One line for each column: `=` plain, `~` made of, `?` could be anything, `!` a name nobody knows. */
function shown(output: Output | undefined): string {
  if (output === undefined) return 'no rows';
  const columns = output.columns.map(({ value }) => {
    const sign = value.anything
      ? '?'
      : value.unresolved.length > 0
        ? '!'
        : value.origins.size === 0
          ? '-'
          : value.plain
            ? '='
            : '~';
    return `${sign}${spelled(catalog, value.origins).join('+')}`;
  });
  return `${output.exact ? '' : 'any of '}${columns.join(' ')}`;
}

const lineage = (text: string): ReturnType<typeof readLineage> => readLineage(text, catalog, catalog);
const result = (text: string): string => shown(lineage(text).statements.at(-1)?.output);

beforeAll(loadGrammar);

const CASES: readonly (readonly [string, string])[] = [
  ['select 1, $1, now()', '- - -'],
  ['select id, ssn from c', '=c.id =c.ssn'],
  ['select * from c', '=c.id =c.name =c.ssn =c.city'],
  ['table c', '=c.id =c.name =c.ssn =c.city'],
  ['select x.* from c x', '=c.id =c.name =c.ssn =c.city'],
  ['select q from c as x(p, q)', '=c.name'],
  ['select ssn as name from c', '=c.ssn'],
  ["select ssn || '' from c", '~c.ssn'],
  ['select substr(ssn, 1, 3), encode(ssn::bytea, $$hex$$) from c', '~c.ssn ~c.ssn'],
  ['select ssn::text, ssn::varchar, ssn::varchar(3), ssn::int from c', '=c.ssn =c.ssn ~c.ssn ~c.ssn'],
  ['select ssn collate "C" from c', '=c.ssn'],
  ["select coalesce(ssn, '-'), coalesce(ssn, name) from c", '=c.ssn =c.name+c.ssn'],
  ["select case when ssn like '1%' then 1 else 2 end from c", '~c.ssn'],
  ['select case id when 1 then ssn end from c', '~c.id+c.ssn'],
  ['select ssn is null, ssn is not null, substr(ssn, 1, 1) is null from c', '- - ~c.ssn'],
  ["select ssn = '1', ssn in ('1', '2'), ssn ~ '^1' from c", '~c.ssn ~c.ssn ~c.ssn'],
  ['select count(*), count(ssn), count(nullif(ssn, $1)), count(distinct ssn) from c', '- - ~c.ssn ~c.ssn'],
  ['select max(ssn), string_agg(ssn, $$,$$), array_agg(name) from c', '~c.ssn ~c.ssn ~c.name'],
  ['select percentile_disc(0.5) within group (order by ssn) from c', '~c.ssn'],
  ['select lag(ssn) over (order by id) from c', '~c.ssn'],
  ['select rank() over (order by id) from c', '-'],
  ['select to_jsonb(c) from c', '~c.city+c.id+c.name+c.ssn'],
  ['select c from c', '~c.city+c.id+c.name+c.ssn'],
  ['select c::text from c', '~c.city+c.id+c.name+c.ssn'],
  ['select row(c.*), row(id, name) from c', '~c.city+c.id+c.name+c.ssn ~c.id+c.name'],
  ['select (c).ssn, (c.*).name from c', '=c.ssn =c.name'],
  ['select ssn(c) from c', '~c.city+c.id+c.name+c.ssn'],
  ['select c.to_json from c', '~c.city+c.id+c.name+c.ssn'],
  ['select (array[ssn])[1], array[name] from c', '~c.ssn ~c.name'],
  ["select json_build_object('a', ssn), xmlforest(ssn as x), format('%s', name) from c", '~c.ssn ~c.ssn ~c.name'],
  ['select json_object(array[$$k$$], array[ssn]) from c', '~c.ssn'],
  ['select jsonb_agg(c) from c', '~c.city+c.id+c.name+c.ssn'],
  ['select greatest(ssn, name), nullif(ssn, name) from c', '~c.name+c.ssn ~c.name+c.ssn'],
  ['select (select ssn from c limit 1)', '=c.ssn'],
  ['select array(select ssn from c)', '~c.ssn'],
  ['select exists(select 1 from c where id = 1)', '-'],
  ['select $1 in (select ssn from c)', '~c.ssn'],
  ['select o.id, (select max(c.ssn) from c where c.id = o.cid) from o', '=o.id ~c.ssn'],
  ['select (select o.amount) from o', '=o.amount'],
  ['select c.id, o.amount from c join o on c.id = o.cid', '=c.id =o.amount'],
  ['select * from c join o using (id)', '=c.id+o.id =c.name =c.ssn =c.city =o.cid =o.amount =o.ssn'],
  ['select * from c natural join o', '=c.id+o.id =c.ssn+o.ssn =c.name =c.city =o.cid =o.amount'],
  ['select ssn from c natural join o', '=c.ssn+o.ssn'],
  ['select j.b from (c join o on true) as j(a, b)', '=c.name'],
  ['select x.id from c left join o x on x.cid = c.id', '=o.id'],
  ['select s from (select ssn as s, name from c) q', '=c.ssn'],
  ['select * from (select ssn || name as s, id from c) q', '~c.name+c.ssn =c.id'],
  ['select l.x from c, lateral (select c.ssn as x) l', '=c.ssn'],
  ['select x from c cross join lateral (select upper(c.name)) l(x)', '~c.name'],
  ['select a from (values (1, 2), (3, 4)) t(a, b)', '-'],
  ["select a from (values ((select ssn from c limit 1)), ('x')) t(a)", '=c.ssn'],
  ['with q as (select ssn from c) select * from q', '=c.ssn'],
  ['with q(z) as (select ssn from c) select z || z from q', '~c.ssn'],
  ['with a as (select ssn from c), b as (select * from a) select * from b', '=c.ssn'],
  ['with c as (select 1 as ssn) select ssn from c', '-'],
  [
    'with recursive r(s, n) as (select name, 1 from c union all select ssn, n + 1 from r, c) select * from r',
    '=c.name+c.ssn -',
  ],
  ['with recursive r(a, b) as (select id, ssn from c union all select b, a from r) select a from r', '=c.id+c.ssn'],
  [
    'with recursive r(a) as (select id from c union all select a from r) search depth first by a set o select o from r',
    '~c.id',
  ],
  ['with u as (update c set name = $1 returning ssn) select * from u', '=c.ssn'],
  ['select ssn from c union all select name from c', '=c.name+c.ssn'],
  ['select id, ssn from c union select cid, amount from o', '=c.id+o.cid =c.ssn+o.amount'],
  ['select ssn from c except select ssn from o', '=c.ssn+o.ssn'],
  ['(select ssn from c limit 1) union all (select $$x$$)', '=c.ssn'],
  ['select secret, upper_name from v', '=c.ssn+v.secret ~c.name+v.upper_name'],
  ['select * from w', '~c.name+c.ssn+v.secret+v.upper_name+w.x'],
  ['select n, last from m', '=m.n ~c.ssn+m.last'],
  ['select ssn_of(1), name_of(1), outer_f()', '~c.id+c.ssn ~c.id+c.name ~c.id+c.ssn'],
  ['select ssn_of(id) from o', '~c.id+c.ssn+o.id'],
  ['select * from by_ssn($1)', 'any of ~c.id+c.ssn'],
  ['select pl(1), pl_plain(1)', '~c.id+c.ssn -'],
  ['select run($1)', '?'],
  ['select loop_b(), loop_a()', '~c.name+c.ssn ~c.name+c.ssn'],
  ["select query_to_xml('select 1', true, true, '')", '?'],
  ['select * from dblink($1) as t(a text)', '?'],
  ['select g from generate_series(1, 3) g', '-'],
  ['select * from generate_series(1, 3) with ordinality', '- -'],
  ['select key, value from c, jsonb_each_text(to_jsonb(c))', '- ~c.city+c.id+c.name+c.ssn'],
  ['select x from c, unnest(array[ssn, name]) x', '~c.name+c.ssn'],
  ["select a from c, json_table(to_jsonb(c), '$' columns (a text path '$.ssn')) j", '~c.city+c.id+c.name+c.ssn'],
  ["select x.a from c, xmltable('/r' passing (ssn::xml) columns a text path '.') x", '~c.ssn'],
  ['select relname from pg_class', '-'],
  ['select * from pg_catalog.pg_tables', 'any of -'],
  ['select tablename, most_common_vals from pg_stats', '- ?'],
  ['select histogram_bounds::text::text[] from pg_catalog.pg_stats', '?'],
  ['select stavalues1 from pg_statistic', '?'],
  ['select s.to_jsonb from pg_stats s', '?'],
  ['select x from nobody_knows', '!'],
  ['select nope from c', '!'],
  ['select ctid, tableoid, c.xmin from c', '- - -'],
  ['insert into c (name) values ($1) returning id, ssn', '=c.id =c.ssn'],
  ['insert into c (name) values ($1)', 'no rows'],
  ['update c set name = $1 returning *', '=c.id =c.name =c.ssn =c.city'],
  [
    'update c set name = $1 from o where o.cid = c.id returning o.amount, old.ssn, new.name',
    '=o.amount =c.ssn =c.name',
  ],
  ['update c set name = $1 returning with (old as before) before.ssn || name', '~c.name+c.ssn'],
  ['delete from c using o where o.cid = c.id returning c.ssn, o.*', '=c.ssn =o.id =o.cid =o.amount =o.ssn'],
  [
    'merge into c using o on c.id = o.cid when matched then update set name = $1 returning *',
    '=o.id =o.cid =o.amount =o.ssn =c.id =c.name =c.ssn =c.city',
  ],
  ['explain select ssn from c', 'any of -'],
  ['explain verbose select ssn_of(1)', 'any of ~c.id+c.ssn'],
  ['show all', 'any of -'],
  ['select distinct on (id) ssn from c', '=c.ssn'],
  ['select ssn from c tablesample system (10)', '=c.ssn'],
  ['select ssn into x from c', 'no rows'],
  ['create table x as select ssn from c', 'no rows'],
];

describe('where the columns of a result come from', () => {
  it.each(CASES)('%s → %s', (text, expected) => {
    expect(result(text)).toBe(expected);
  });

  it('is anything where a text can not be read', () => {
    expect(lineage('select (((').touchesAnything).toBe(true);
    expect(lineage('selec 1').statements).toHaveLength(0);
  });

  it('is that of a view of the same message, and of one of the session, which no catalogue knows yet', () => {
    expect(result('create temp view tv as select ssn as x from c; select x from tv')).toBe('=c.ssn');
    expect(result('create temp view o as select ssn as amount from c; select amount from o')).toBe('=c.ssn+o.amount');
    expect(result('create table made (x int); select x from made')).toBe('-');
  });

  it('keeps what DECLARE and PREPARE hold, and names what FETCH and EXECUTE run', () => {
    const [declared, fetched, prepared, executed] = lineage(
      'declare cur cursor for select ssn || id from c; fetch cur; prepare p as select upper(ssn) from c; execute p',
    ).statements;
    expect(shown(declared?.holds?.output)).toBe('~c.id+c.ssn');
    expect(fetched?.runs).toEqual({ kind: 'cursor', name: 'cur' });
    expect(shown(prepared?.holds?.output)).toBe('~c.ssn');
    expect(executed?.runs).toEqual({ kind: 'prepared', name: 'p', given: [] });
  });

  it('is one value where a document would have more places than can be gone through', () => {
    const levels = Array.from(
      { length: 60 },
      (_, at) => `q${String(at + 1)} as (select json_build_array(d, d) d from q${String(at)})`,
    );
    const all = `with q0 as (select jsonb_build_object('s', ssn) d from c), ${levels.join(', ')} select d from q60`;
    const column = lineage(all).statements[0]?.output?.columns[0];
    expect(column?.json?.size).toBeLessThanOrEqual(2_000);
    expect(spelled(catalog, column?.value.origins ?? [])).toEqual(['c.ssn']);
  });

  it('tells the columns that a COPY writes to the client', () => {
    const copied = (text: string): string => shown(lineage(text).statements[0]?.copies);
    expect(copied('copy c to stdout')).toBe('=c.id =c.name =c.ssn =c.city');
    expect(copied('copy c (name, ssn) to stdout')).toBe('=c.name =c.ssn');
    expect(copied('copy (select upper(ssn) from c) to stdout csv')).toBe('~c.ssn');
    expect(copied("copy c to '/tmp/x'")).toBe('no rows');
  });
});
