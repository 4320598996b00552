import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../../src/protocols/postgres/facts/grammar.js';
import { ColumnRules } from '../../../../src/protocols/postgres/lineage/column-rules.js';
import { computedOver } from '../../../../src/protocols/postgres/lineage/inference.js';
import { readLineage } from '../../../../src/protocols/postgres/lineage/read-lineage.js';
import { sketchCatalog } from './fixture-catalog.js';
import { SSN_RULE } from '../../../core/mask-rule.js';

const catalog = sketchCatalog(
  {
    c: { columns: ['id', 'name', 'ssn'] },
    v: { columns: ['id', 'inverse'], definition: 'SELECT c.id, 1 / length(c.ssn) FROM public.c' },
    w: { columns: ['id', 'head'], definition: 'SELECT c.id, left(c.ssn, 3) FROM public.c' },
  },
  {
    inverse: { source: 'select 1 / length($1)', arguments: 1 },
    least_of_all: { source: 'select min(1 / length(ssn)) from c', arguments: 0 },
    upper: { source: 'select 1 / length($1)', arguments: 2 },
  },
);

function told(text: string): 'nothing' | 'fails' | 'takes long' {
  const rules = new ColumnRules([SSN_RULE], catalog);
  const computed = readLineage(text, catalog, catalog).computed.filter((one) => computedOver([one], rules).length > 0);
  return computed.length === 0 ? 'nothing' : computed.some(({ costly }) => costly) ? 'takes long' : 'fails';
}

beforeAll(loadGrammar);

const NOTHING: readonly string[] = [
  'select ssn, c.*, c from c',
  "select upper(ssn), left(ssn, 2), substr(ssn, 1, 3), ssn || '-', md5(ssn), length(ssn), encode(name, 'hex') from c",
  "select case when left(ssn, 1) in ('8', '9') then name else 'other' end, coalesce(upper(ssn), '-') from c",
  'select to_jsonb(c), row_to_json(c), array[ssn, name], row(ssn), greatest(ssn, name) from c',
  'select max(ssn), string_agg(ssn, $1), count(ssn), array_agg(ssn) from c',
  'select 1 / id, id::text::int, name ~ $1 from c',
  'select (select upper(ssn) from c where id = 1), (select upper(p.ssn)) from c p',
  'select ssn::text, ssn::varchar, nullif(ssn, $1::text) from c',
  'select head from w',
  "select coalesce((select json_agg(json_build_object('s', upper(ssn))) from c), '[]')",
  "select jsonb_build_object('s', ssn, 't', array[ssn]) -> 't' from c",
  'select id from c where 1 / id > 0',
];

const FAILS: readonly string[] = [
  'select 1 / length(ssn) from c',
  "select json_build_object('a', ssn::int, 'b', id) ->> 'b' from c",
  "select id from c where json_build_object('a', ssn::int, 'b', id) ->> 'b' = '1'",
  'select ssn::int from c',
  'select ssn::varchar(3)::name from c',
  "select ssn like '9\\' from c",
  'select ssn ~ $1 from c',
  'select case when ssn = $1 then 1 / 0 end from c',
  "select case when ssn = $1 then current_setting('x') end from c",
  'select substr(ssn, 1, id) from c',
  'select json_build_object(nullif(left(ssn, 1), $1), 1) from c',
  'select length(ssn) + 2147483647, sum(length(ssn)) from c',
  'select inverse(ssn) from c',
  'select upper(ssn, $1) from c',
  'select least_of_all()',
  'select inverse from v',
  'select count(*) from v',
  'select count(*) from (select 1 / length(ssn) from c offset 0) q',
  'with q as materialized (select 1 / length(ssn) from c) select 1',
  'values ((select 1 / length(ssn) from c))',
  'select id from c where exists (select 1 / length(ssn) from c)',
  'update c set name = $1 returning 1 / length(ssn)',
  'copy (select 1 / length(ssn) from c) to stdout',
  'explain analyze select 1 / length(ssn) from c',
  'select i from c, lateral abs(length(ssn)) i',
];

const TAKES_LONG: readonly string[] = [
  'select case when ssn = $1 then (select count(*) from generate_series(1, 99)) end from c',
  'select ssn = $1 and exists (select 1 from c a, c b) from c',
  "select length(repeat('x', length(ssn))) from c",
  'select 2.0 ^ length(ssn) from c',
  "create function k(x text) returns int language sql as 'select 1'; select ssn = $1 and k(name) = 1 from c",
];

describe('what evaluating an expression tells of a column besides its value', () => {
  it.each(NOTHING)('is nothing: %s', (text) => {
    expect(told(text)).toBe('nothing');
  });

  it.each(FAILS)('is whether it fails: %s', (text) => {
    expect(told(text)).toBe('fails');
  });

  it.each(TAKES_LONG)('is how long it takes: %s', (text) => {
    expect(told(text)).toBe('takes long');
  });
});
