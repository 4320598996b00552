/** Ways to get a masked column's value, or something of it, out of the server, each with what has to become of it. */

/** Refused before it runs. `before`: what has to go through for it; each runs in a schema of its own. */
export interface Refused {
  readonly id: string;
  readonly before?: readonly string[];
  readonly text: string;
}

export const REFUSED: readonly Refused[] = [
  { id: 'create-table-as', text: 'create table t as select ssn s from people' },
  { id: 'select-into', text: 'select ssn into t from people' },
  { id: 'insert-select', text: 'insert into notes select id, ssn from people' },
  { id: 'insert-subselect', text: 'insert into notes values (5, (select ssn from people where id = 1))' },
  { id: 'update-other', text: 'update notes set body = ssn from people p' },
  { id: 'merge', text: 'merge into notes n using people p on n.id = p.id when matched then update set body = p.ssn' },
  { id: 'with-insert', text: 'with x as (insert into notes select id, ssn from people returning 1) select * from x' },
  { id: 'materialized-view', text: 'create materialized view mv as select ssn s from people with no data' },
  { id: 'generated-column', text: 'alter table people add column g text generated always as (reverse(ssn)) stored' },
  { id: 'rename-column', text: 'alter table people rename column ssn to harmless' },
  { id: 'rename-table', text: 'alter table people rename to folk' },
  { id: 'set-schema', text: 'alter table people set schema public' },
  { id: 'rename-schema', text: 'alter schema {s} rename to moved_{s}' },
  { id: 'type-using', text: 'alter table people alter column name type text using ssn' },
  { id: 'leave-parent', before: ['create table kid () inherits (people)'], text: 'alter table kid no inherit people' },
  {
    id: 'rename-in-parent',
    before: [
      'create schema p_{s}',
      'create table p_{s}.people (ssn text not null)',
      'alter table people inherit p_{s}.people',
    ],
    text: 'alter table p_{s}.people rename ssn to q',
  },
  {
    id: 'inherit',
    before: ['create table p (ssn text not null)'],
    text: 'alter table people inherit p',
  },
  {
    id: 'view-replaced',
    before: ['create view w as select id, name as x from people', 'select 1'],
    text: 'create or replace view w as select id, ssn as x from people',
  },
  {
    id: 'view-replaced-crosswise',
    before: ['create view w (x, y) as select name, ssn from people', 'select 1'],
    text: 'create or replace view w (x, y) as select ssn, name from people',
  },
  {
    id: 'view-made-anew',
    before: ['create view w as select id, name as x from people', 'begin', 'drop view w'],
    text: 'create view w as select id, ssn as x from people',
  },
  {
    id: 'function-replaced-alone',
    before: ["create function alone_k() returns text language sql as $$ select 'x'::text $$", 'select 1'],
    text: "create or replace function alone_k() returns text language sql as 'select ssn from people where id = 1'",
  },
  {
    id: 'function-replaced-under-a-cursor',
    before: [
      'begin',
      "create function pg_temp.cursor_k() returns text language sql as $$ select 'x'::text $$",
      'declare c cursor for select pg_temp.cursor_k() from notes',
    ],
    text: "create or replace function pg_temp.cursor_k() returns text language sql as 'select ssn from people where id = 1'",
  },
  {
    id: 'default-of-a-domain',
    before: ["create function k() returns text language sql as 'select ssn from people where id = 1'"],
    text: 'create domain defaulted_d as text default k()',
  },
  {
    id: 'default-of-a-domain-later',
    before: [
      "create function k() returns text language sql as 'select ssn from people where id = 1'",
      'create domain defaulted_d as text',
    ],
    text: 'alter domain defaulted_d set default k()',
  },
  {
    id: 'copy-in-where',
    before: ["create function k() returns bool language sql as $$ select ssn like '9%' from people where id = 1 $$"],
    text: 'copy notes from stdin where k()',
  },
  {
    id: 'loose-collation-of-a-new-table',
    before: [
      "create collation loose (provider = icu, locale = 'und-u-ks-level1-ka-shifted', deterministic = false)",
      'create schema l_{s}',
    ],
    text: 'create table l_{s}.people (id int, ssn text collate loose)',
  },
  {
    id: 'collation-named-like-the-servers',
    before: [
      `create collation "C" (provider = icu, locale = 'und-u-ks-level1-ka-shifted', deterministic = false)`,
      'begin',
      'set local search_path = {s}, pg_catalog',
    ],
    text: `select id from people where ssn = '917265083' collate "C"`,
  },
  {
    id: 'join-word-that-was-a-column',
    text: "select 1 from people p, (select '9' || g as system_user from generate_series(1, 9) g) n where p.ssn = system_user",
  },
  {
    id: 'cast-to-a-domain-by-another-name',
    before: ['create domain short_d as varchar(1)', 'select 1', 'begin', 'alter domain short_d rename to citext'],
    text: "select id from people where ssn::citext = '9'",
  },
  {
    id: 'view-renamed',
    before: ['create view w as select ssn from people'],
    text: 'alter view w rename column ssn to zz',
  },
  {
    id: 'view-other-column',
    before: ['create view w as select id, name, ssn from people'],
    text: 'update w set name = ssn',
  },
  { id: 'large-object', text: 'select lo_from_bytea(0, ssn::bytea) from people' },
  { id: 'sequence', text: "select setval('seq', replace(ssn, '-', '')::bigint) from people" },
  { id: 'advisory-lock', text: "select pg_advisory_lock(replace(ssn, '-', '')::bigint) from people" },
  { id: 'notify-payload', text: "select pg_notify('c', ssn) from people" },
  { id: 'notify-channel', text: "select pg_notify(ssn, 'x') from people" },
  { id: 'set-config', text: "select set_config('a.b', ssn, false) from people" },
  {
    id: 'set-config-in-xml',
    text: "select query_to_xml('select set_config(''a.b'', ssn, false) from people', true, true, '')",
  },
  {
    id: 'set-config-in-computed',
    text: "select query_to_xml('select set_config(''a.b'', s' || 'sn, false) from people', true, true, '')",
  },
  { id: 'setseed', text: 'select setseed(ascii(ssn) / 100.0) from people' },
  { id: 'do-raise', text: "do $$ declare s text; begin select ssn into s from people; raise notice '%', s; end $$" },
  {
    id: 'do-comment',
    text: "do $$ declare s text; begin select ssn into s from people; execute format('comment on table notes is %L', s); end $$",
  },
  { id: 'do-computed', text: "do $$ begin execute 'insert into ' || 'notes select id, ssn from people'; end $$" },
  {
    id: 'do-message',
    text: 'do $$ begin perform ssn::int from people; exception when others then insert into notes values (8, sqlerrm); end $$',
  },
  {
    id: 'function-computed',
    text: "create function k() returns int language plpgsql as $$ begin execute 'insert into ' || 'notes select id, ssn from people'; return 1; end $$",
  },
  {
    id: 'function-insert',
    text: 'create function k() returns void language sql as $$ insert into notes select id, ssn from people $$',
  },
  {
    id: 'function-atomic',
    text: 'create function k() returns setof int language sql begin atomic insert into notes select id, ssn from people returning 1; end',
  },
  {
    id: 'function-told',
    before: [
      'create function k(text) returns text language plpgsql as $$ begin insert into notes values (9, $1); return $1; end $$',
    ],
    text: 'select k(ssn) from people',
  },
  {
    id: 'function-told-row',
    before: [
      'create function k(people) returns text language plpgsql as $$ begin insert into notes values (9, $1.ssn); return 1; end $$',
    ],
    text: 'select k(p) from people p',
  },
  {
    id: 'aggregate',
    before: [
      'create function k(text, text) returns text language plpgsql as $$ begin insert into notes values (9, $2); return $1; end $$',
      "create aggregate j(text) (sfunc = k, stype = text, initcond = '')",
    ],
    text: 'select j(ssn) from people',
  },
  {
    id: 'operator',
    before: [
      'create function k(text, text) returns text language plpgsql as $$ begin insert into notes values (9, $1); return $1; end $$',
      'create operator ## (leftarg = text, rightarg = text, function = k)',
    ],
    text: "select ssn ## 'x' from people",
  },
  {
    id: 'cast',
    before: [
      'create type ct as (x text)',
      'create function k(text) returns ct language plpgsql as $$ begin insert into notes values (9, $1); return row($1)::ct; end $$',
      'create cast (text as ct) with function k(text)',
    ],
    text: 'select ssn::ct from people',
  },
  {
    id: 'domain',
    before: [
      'create function k(text) returns bool language plpgsql as $$ begin insert into notes values (9, $1); return true; end $$',
      'create domain d as text check (k(value))',
    ],
    text: 'select ssn::d from people',
  },
  {
    id: 'domain-of-argument',
    before: [
      'create function k(text) returns bool language plpgsql as $$ begin insert into notes values (9, $1); return true; end $$',
      'create domain d as text check (k(value))',
      "create function j(d) returns text language sql as 'select 1::text'",
      'select 1',
    ],
    text: 'select j(ssn) from people',
  },
  {
    id: 'domain-of-variable',
    before: [
      'create function k(text) returns bool language plpgsql as $$ begin insert into notes values (9, $1); return true; end $$',
      'create domain d as text check (k(value))',
      'create function j(x text) returns text language plpgsql as $$ declare v d; begin v := x; return 1; end $$',
      'select 1',
    ],
    text: 'select j(ssn) from people',
  },
  {
    id: 'conflicts-in-bulk',
    text: "insert into people select 100 + g, 'x', '9' || g from generate_series(1, 9) g on conflict do nothing returning id",
  },
  {
    id: 'trigger',
    before: [
      'create function k() returns trigger language plpgsql as $$ begin insert into notes values (3, new.ssn); return new; end $$',
    ],
    text: 'create trigger t after update on people for each row execute function k()',
  },
  {
    id: 'trigger-computed',
    text: "create function k() returns trigger language plpgsql as $$ begin execute 'insert into ' || 'notes select id, ssn from people'; return new; end $$",
  },
  {
    id: 'trigger-when',
    before: ['create function k() returns trigger language plpgsql as $$ begin return new; end $$'],
    text: "create trigger t before update on people for each row when (new.ssn like '9%') execute function k()",
  },
  { id: 'rule', text: 'create rule r as on update to people do also insert into notes values (5, new.ssn)' },
  { id: 'row-security', text: "create policy p on people using (ssn like '9%')" },
  {
    id: 'default',
    before: ["create function k() returns text language sql as 'select ssn from people limit 1'"],
    text: 'alter table notes alter column body set default k()',
  },
  {
    id: 'function-value',
    before: ["create function k() returns text language sql as 'select ssn from people limit 1'"],
    text: 'insert into notes values (5, k())',
  },
  { id: 'statistics', text: 'create statistics st on (left(ssn, 1)), id from people' },
  { id: 'index-part', text: "create index on people (id) where ssn like '9%'" },
  { id: 'index-expression', text: "create index on people ((nullif(ssn, '917-26-5083')))" },
  { id: 'check', text: "alter table people add check (ssn like '9%') not valid" },
  { id: 'exclusion', text: "alter table people add exclude using btree (ssn with =) where (ssn like '9%')" },
  { id: 'foreign-key-to', text: 'create table g (s text references people (ssn))' },
  {
    id: 'foreign-key-from',
    before: ['create table g (s text primary key)'],
    text: 'alter table people add foreign key (ssn) references g (s)',
  },
  { id: 'cluster', text: 'cluster people using people_ssn_key' },
  {
    id: 'attach-range',
    before: ['create table pr (id int not null, name text not null, ssn text not null) partition by range (ssn)'],
    text: "alter table pr attach partition people for values from ('0') to ('95')",
  },
  { id: 'narrow-in-place', text: 'update people set ssn = left(ssn, 1)' },
  { id: 'narrow-by-type', text: 'alter table people alter column ssn type text using left(ssn, 1)' },
  {
    id: 'narrow-by-target',
    before: ['create schema n_{s}', 'create table n_{s}.people (id int, ssn "char")'],
    text: 'insert into n_{s}.people select id, ssn from people',
  },
  {
    id: 'sort-into-parts',
    before: [
      'create schema q_{s}',
      'create table q_{s}.people (id int, ssn text) partition by list (ssn)',
      'create table q_{s}.rest partition of q_{s}.people default',
    ],
    text: 'insert into q_{s}.people select id, ssn from people',
  },
  {
    id: 'loose-collation',
    before: ["create collation loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"],
    text: 'alter table people alter column ssn type text collate loose',
  },
  { id: 'side-sequence', text: "select case when ssn like '9%' then nextval('seq') end from people" },
  { id: 'side-lock', text: "select ssn like '9%' and pg_try_advisory_lock(5) from people" },
  { id: 'side-setting', text: "select coalesce(nullif(ssn, '9'), set_config('a.b', 'hit', false)) from people" },
  { id: 'side-notify', text: "select case when ssn like '9%' then pg_notify('z', 'hit') end from people" },
  { id: 'side-random', text: "select case when ssn like '9%' then random() end from people" },
  { id: 'side-large-object', text: "select case when ssn like '9%' then lo_create(9999) end from people" },
  {
    id: 'side-function',
    before: [
      'create function k() returns int language plpgsql as $$ begin insert into notes values (9); return 1; end $$',
    ],
    text: "select case when ssn like '9%' then k() end from people",
  },
  { id: 'sleep', text: "select pg_sleep(case when ssn like '9%' then 1 else 0 end) from people" },
  { id: 'rows-by-length', text: 'select generate_series(1, length(ssn)) from people' },
  {
    id: 'rows-by-limit',
    text: "select n.id from people p, lateral (select id from notes limit case when p.ssn like '9%' then 1 else 0 end) n",
  },
  {
    id: 'join-computed',
    text: "select n.id from people p join notes n on n.id = case when p.ssn like '9%' then 1 else 2 end",
  },
  {
    id: 'own-lower',
    before: [
      'create function lower(varchar) returns text language plpgsql as $$ begin insert into notes values (9, $1); return $1; end $$',
    ],
    text: "select id from people where lower(ssn::varchar) = 'x'",
  },
  {
    id: 'own-upper-assigned',
    before: [
      'create function upper(varchar) returns text language plpgsql as $$ begin insert into notes values (9, $1); return $1; end $$',
    ],
    text: 'update people set ssn = upper(ssn::varchar) where id = 1',
  },
  {
    id: 'join-values-made',
    text: "select v.x from (values ('917-26-5083'), (random()::text)) v (x) join people p on p.ssn = v.x",
  },
  {
    id: 'join-values-pieced-together',
    text: "select 1 from (values ('917-26-')) v (x), generate_series(1000, 9999) g join people p on true where p.ssn = v.x || g",
  },
  {
    id: 'in-values-of-a-table',
    text: 'select id from people where ssn in (select v.x from notes n, lateral (values (n.body)) v (x))',
  },
  {
    id: 'join-recursive-values',
    text: "with recursive v (x) as (values ('917-26-1') union all select '917-26-' || right(x, 1) || g from v, generate_series(0, 9) g where length(x) < 11) select v.x from v join people p on p.ssn = v.x",
  },
  { id: 'join-words', text: "select v.x from unnest('917-26-5083'::tsvector) v (x) join people p on p.ssn = v.x" },
  { id: 'window-rank', text: 'select id, rank() over (order by ssn) from people' },
  {
    id: 'window-frame',
    text: "select sum(id) over (rows between (select case when ssn like '9%' then 1 else 0 end from people limit 1) preceding and current row) from people",
  },
  { id: 'order-in-aggregate', text: 'select array_agg(id order by ssn) from people' },
  { id: 'trigram', text: "select id from people where ssn ~ '^9'" },
  { id: 'hash-parity', text: 'select id from people where hashtext(ssn) % 2 = 0' },
  { id: 'copy-program', text: "copy people to program 'cat'" },
  {
    id: 'schema-element',
    text: "create schema v_{s} create view w as select id from {s}.people where ssn like '9%'",
  },
  {
    id: 'do-catches',
    text: 'do $$ begin perform count(*) from (select random() + 1 / (ascii(ssn) - 57) from people offset 0) q; exception when division_by_zero then insert into notes values (9); end $$',
  },
  {
    id: 'function-catches',
    text: 'create function k() returns setof int language plpgsql as $$ begin perform count(*) from (select random() + 1 / (ascii(ssn) - 57) from people offset 0) q; exception when division_by_zero then return next 1; end $$',
  },
  {
    id: 'function-catches-moved',
    before: ["create temp table people (id int, ssn text check (ssn not like '9%'))"],
    text: 'do $$ begin insert into pg_temp.people select id, ssn from {s}.people; exception when check_violation then insert into notes values (9); end $$',
  },
  {
    id: 'side-row-lock',
    text: "select case when ssn like '9%' then (select id from notes for update) end from people",
  },
  { id: 'side-in', text: "select left(ssn, 1) in ('9', nextval('seq')::text) from people" },
  { id: 'side-between', text: "select left(ssn, 1) between '9' and nextval('seq')::text from people" },
  { id: 'side-row', text: "select row(left(ssn, 1), nextval('seq')) = row('9', 1::bigint) from people" },
  { id: 'side-any', text: "select left(ssn, 1) = any (select nextval('seq')::text from notes) from people" },
  { id: 'side-any-of-it', text: "select '9' = any (select left(ssn, 1) from people where nextval('seq') > 0)" },
  {
    id: 'rows-by-parts',
    text: "select information_schema._pg_expandarray(case when ssn like '9%' then array[1, 2] else array[1] end) from people",
  },
  {
    id: 'rows-by-rights',
    text: "select aclexplode(case when ssn like '9%' then acldefault('r', 10) end) from people",
  },
  {
    id: 'function-replaced',
    before: [
      "create function fr_k() returns text language sql as $$ select upper('x') $$",
      'create function fr_j() returns void language plpgsql as $$ begin insert into notes values (9, fr_k()); end $$',
      'select 1',
    ],
    text: "create or replace function fr_k() returns text language sql as 'select ssn from people where id = 1'",
  },
  {
    id: 'function-renamed',
    before: [
      "create function renamed_k() returns text language sql as 'select ssn from people where id = 1'",
      "create function renamed_j() returns text language sql as 'select upper(''x'')'",
      'create function j2() returns void language plpgsql as $$ begin insert into notes values (9, renamed_j()); end $$',
      'drop function renamed_j()',
      'select 1',
    ],
    text: 'alter function renamed_k() rename to renamed_j',
  },
  {
    id: 'function-before-its-rows',
    before: [
      'create function j() returns void language plpgsql as $$ begin insert into notes select id, s from rows_to_come; end $$',
      'select 1',
    ],
    text: 'create view rows_to_come as select id, ssn as s from people',
  },
  {
    id: 'condition-replaced',
    before: [
      "create function cond_k() returns text language sql as $$ select upper('x') $$",
      "create view v as select id from notes where cond_k() like '9%'",
    ],
    text: "create or replace function cond_k() returns text language sql as 'select ssn from people where id = 1'",
  },
  {
    id: 'default-of-argument',
    before: ["create function dk() returns text language sql as 'select ssn from people where id = 1'"],
    text: "create function dj(x text default dk()) returns void language sql as 'insert into notes values (9, x)'",
  },
  {
    id: 'check-that-keeps',
    before: ['create schema c_{s}'],
    text: "create table c_{s}.people (id int, ssn text check (set_config('a.b', ssn, false) is not null))",
  },
  {
    id: 'check-that-calls',
    before: [
      'create schema d_{s}',
      'create function ck(text) returns bool language plpgsql as $$ begin insert into notes values (9, $1); return true; end $$',
    ],
    text: 'create table d_{s}.people (id int, ssn text check (ck(ssn)))',
  },
  {
    id: 'renamed-to-it',
    before: ['create schema r_{s}', 'create table r_{s}.people (id int, other text)'],
    text: 'alter table r_{s}.people rename other to ssn',
  },
  {
    id: 'generated-where',
    before: ['alter table people add column x int'],
    text: "select id from people where masked_tail = '83'",
  },
  {
    id: 'operator-of-the-servers',
    before: ['create operator ### (rightarg = regclass, function = nextval)', 'select 1'],
    text: "select case when ssn like '9%' then operator({s}.###) 'seq'::regclass end from people",
  },
  {
    id: 'execute-parameter',
    before: [
      "create function k() returns text language sql as 'select ssn from people where id = 1'",
      'prepare execute_parameter (text) as insert into notes values (9, $1)',
    ],
    text: 'execute execute_parameter(k())',
  },
  {
    id: 'execute-parameter-rows',
    before: [
      "create function k() returns int language sql as 'select ascii(ssn) from people where id = 1'",
      'prepare execute_rows (int) as select generate_series(1, $1)',
    ],
    text: 'execute execute_rows(k())',
  },
  {
    id: 'field-that-is-a-function',
    before: [
      "create function field_k(people) returns text language plpgsql as $$ begin insert into notes values (9, $1.ssn); return 'x'; end $$",
      'select 1',
    ],
    text: 'select p.field_k from people p',
  },
  {
    id: 'field-of-an-expression',
    before: [
      "create function field_k(people) returns text language plpgsql as $$ begin insert into notes values (9, $1.ssn); return 'x'; end $$",
      'select 1',
    ],
    text: 'select (p.*).field_k from people p',
  },
  {
    id: 'field-in-a-condition',
    before: [
      "create function field_k(notes) returns bool language sql as $$ select ssn like '9%' from people where id = 1 $$",
      'select 1',
    ],
    text: 'select n.id from notes n where n.field_k',
  },
  {
    id: 'cast-written-as-a-call',
    before: [
      'create function ck(text) returns bool language plpgsql as $$ begin insert into notes values (9, $1); return true; end $$',
      'create domain called_d as text check (ck(value))',
      'select 1',
    ],
    text: 'select called_d(ssn) from people',
  },
  {
    id: 'word-that-was-a-function',
    before: [
      `create function "json_exists" (jsonb, text) returns bool language sql as $$ select ssn like '9%' from people where id = 1 $$`,
      'select 1',
    ],
    text: "select id from notes where json_exists('{}'::jsonb, '$')",
  },
  {
    id: 'word-that-was-a-column',
    text: "select 1 from (select ssn as system_user from people) q where system_user like '9%'",
  },
  {
    id: 'side-subscript',
    text: "select (case when ssn like '9%' then array[1, 2] end)[nextval('seq')] from people",
  },
  {
    id: 'side-slice',
    text: "select (string_to_array(nullif(left(ssn, 1), '9'), 'x'))[1:nextval('seq')] from people",
  },
  {
    id: 'cycle',
    text: 'with recursive r (n, s) as (select 1, left(ssn, 1) from people where id = 1 union all select n + 1, (n + 5)::text from r where n < 6) cycle s set c using p select count(*) from r',
  },
  {
    id: 'partition-bound',
    before: [
      "create function k() returns text language sql as 'select ssn from people where id = 1'",
      'create table parted (c text) partition by list (c)',
    ],
    text: 'create table part partition of parted for values in (k())',
  },
  {
    id: 'partition-key',
    before: ["create function k() returns text language sql immutable as 'select ssn from people where id = 1'"],
    text: 'create table parted (c text) partition by list ((k() || c))',
  },
  { id: 'row-compare', text: "select id from people where (ssn, id) < ('9', 1)" },
  { id: 'json-compare', text: `select 1 from people p where to_jsonb(p) @> '{"ssn":"917-26-5083"}'` },
];

/** What is said of one guess; right and wrong guesses have to be answered alike. `c` is the first letter. */
export const ALIKE: Readonly<Record<string, (guess: string, c: string) => readonly string[]>> = {
  'nullif-column': (guess) => [`select id, nullif(ssn, '${guess}') from people order by id`],
  'nullif-letters': (_, c) => [
    `select nullif(substr(ssn, 1, 1), '${c}'), nullif(left(ssn, 1), '${c}') from people order by id`,
  ],
  'case-null': (_, c) => [`select case when ssn like '${c}%' then ssn end from people order by id`],
  'join-null': (_, c) => [`select name || (case when ssn like '${c}%' then null else '' end) from people order by id`],
  'coalesce-null': (_, c) => [
    `select coalesce(case when ssn like '${c}%' then null else 'v' end, null) from people order by id`,
  ],
  'pattern-null': (_, c) => [`select substring(ssn from '^${c}') from people order by id`],
  'position-null': (_, c) => [`select nullif(position('${c}' in ssn), 1) from people order by id`],
  'array-null': (_, c) => [
    `select (string_to_array(ssn, '${c}'))[3], array_remove(array[left(ssn, 1)], '${c}') from people order by id`,
  ],
  'json-null': (_, c) => [`select jsonb_build_object(left(ssn, 1), 1) -> '${c}' from people order by id`],
  'row-null': (_, c) => [`select row(case when ssn like '${c}%' then null else 'b' end) from people order by id`],
  'null-in-view': (_, c) => [
    `create or replace temp view tv as select id, nullif(left(ssn, 1), '${c}') as x from people`,
    'select x from tv',
  ],
  'null-in-cursor': (_, c) => [
    'begin',
    `declare k cursor for select nullif(left(ssn, 1), '${c}') from people order by id`,
    'fetch all k',
    'rollback',
  ],
  'null-in-prepared': (_, c) => [
    `prepare p as select nullif(left(ssn, 1), '${c}') from people order by id`,
    'execute p',
    'deallocate p',
  ],
  'null-in-returning': (_, c) => [
    'begin',
    `update people set hits = 1 where id = 1 returning nullif(left(ssn, 1), '${c}')`,
    'rollback',
  ],
  'null-in-copy': (_, c) => [`copy (select nullif(left(ssn, 1), '${c}') from people order by id) to stdout`],
  'null-in-function': (_, c) => [
    'begin',
    `create function k() returns text language sql as $$ select nullif(left(ssn, 1), '${c}') from people where id = 1 $$`,
    'select k()',
    'rollback',
  ],
  'count-case': (_, c) => [
    `select count(case when ssn like '${c}%' then 1 end), sum((ssn like '${c}%')::int), bool_or(ssn like '${c}%') from people`,
  ],
  'length-of-result': (_, c) => [
    `select repeat('x', case when ssn like '${c}%' then 1 else 100 end) from people order by id`,
  ],
  'rank-of-guess': (guess) => [`select rank('${guess}') within group (order by ssn) from people`],
  'in-subselect': (guess) => [
    `select '${guess}' in (select ssn from people), '${guess}' > all (select ssn from people)`,
  ],
  'size-of-value': () => [
    'select pg_column_size(ssn), octet_length(ssn), pg_column_size(people.*) from people order by id',
  ],
  'explain-loops': (_, c) => [
    `explain (analyze, timing off, summary off, costs off) select case when ssn like '${c}%' then (select count(*) from notes) end from people where id = 1`,
  ],
  'explain-memory': (_, c) => [
    `explain (analyze, timing off, summary off, costs off) select * from (select id, repeat('x', case when ssn like '${c}%' then 1 else 100000 end) r from people offset 0) q order by id`,
  ],
  'shown-by-a-field': () => [
    'begin',
    "create function shown(notes) returns text language sql as 'select ssn from people where id = 1'",
    'select n.shown, (n).shown from notes n',
    'rollback',
  ],
  'shown-by-a-new-name': () => [
    'begin',
    "create function new_h() returns text language sql as 'select ssn from people where id = 1'",
    'alter function new_h() rename to new_g',
    'select new_g()',
    'rollback',
  ],
  'shown-by-a-word': () => [
    'begin',
    `create function "json_value" (jsonb, text) returns text language sql as 'select ssn from people where id = 1'`,
    `create function "json_object" (int) returns text language sql as 'select ssn from people where id = 1'`,
    `create function "merge_action" () returns text language sql as 'select ssn from people where id = 1'`,
    "select json_value('{}'::jsonb, '$'), json_object(1), merge_action()",
    'rollback',
  ],
  'shown-by-a-word-as-column': () => ["select system_user || '' from (select ssn as system_user from people) q"],
  savepoints: (_, c) => [
    'begin',
    'savepoint a',
    `select nullif(left(ssn, 1), '${c}') from people order by id`,
    'rollback',
  ],
};
