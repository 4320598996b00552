/**
 * The queries that read a database's catalogue. Each gives rows in the form that `create-catalog.ts` takes;
 * all run in one read-only transaction with an empty search path, so that every text comes with its names
 * qualified, and as the session's own role, which may read all of this.
 *
 * Texts of views and the like are spelled by the server under a lock of the relations in them. A relation
 * that another transaction holds exclusively is left out of that: waiting for it could wait for the very
 * client whose statement is being judged.
 *
 * @see https://www.postgresql.org/docs/current/catalogs.html
 */

/** Tables with at least so many rows are big: reading one whole is `sql.unbounded`. */
export const BIG_TABLE_ROWS = 100_000;

/** Object ids below this belong to the server itself. */
export const FIRST_USER_OID = 16_384;

/** Longer bodies are not read: then nobody can tell what the routine does. */
const MAX_SOURCE_BYTES = 256 * 1024;

const USER = String(FIRST_USER_OID);

/** Before anything else: one consistent, harmless look, which never waits long for anybody's lock. */
export const OPENING: readonly string[] = [
  'begin transaction isolation level repeatable read read only',
  'set local lock_timeout = 1000',
];

/**
 * One row: version as a number, the role, its search path as it starts, the schemas of that path, and the schemas
 * it may use, these as JSON. Must run before the search path is emptied.
 */
export const WHO = `select pg_catalog.current_setting('server_version_num'), current_user,
  pg_catalog.to_json(pg_catalog.current_schemas(true)),
  (select pg_catalog.json_agg(nspname) from pg_catalog.pg_namespace where pg_catalog.has_schema_privilege(oid, 'USAGE'))`;

export const EMPTY_PATH = `set local search_path = ''`;

/** A catalogue table, the column that names its rows, and which of them count. */
const WATCHED: readonly (readonly [table: string, id: string, where: string])[] = [
  ['pg_attribute', '(attrelid::int8 * 2048 + attnum)', `attnum > 0 and attrelid >= ${USER}`],
  ['pg_attrdef', 'oid::int8', 'true'],
  ['pg_constraint', 'oid::int8', `oid >= ${USER}`],
  ['pg_inherits', '(inhrelid::int8 * 7 + inhparent::int8)', 'true'],
  ['pg_rewrite', 'oid::int8', `oid >= ${USER}`],
  ['pg_trigger', 'oid::int8', 'not tgisinternal'],
  ['pg_policy', 'oid::int8', 'true'],
  ['pg_proc', 'oid::int8', `oid >= ${USER}`],
  ['pg_operator', 'oid::int8', `oid >= ${USER}`],
  ['pg_cast', 'oid::int8', `oid >= ${USER}`],
  ['pg_type', 'oid::int8', `oid >= ${USER} and typrelid = 0 and typelem = 0`],
  ['pg_event_trigger', 'oid::int8', 'true'],
  ['pg_namespace', 'oid::int8', 'true'],
  ['pg_extension', 'oid::int8', 'true'],
  ['pg_language', 'oid::int8', `oid >= ${USER}`],
];

/**
 * One row, one cell: another text whenever anything that is read may be another. Sums over each row's place and the
 * transaction that wrote it. Of `pg_class` the content counts, since TRUNCATE and VACUUM FULL write rows anew.
 */
export const PROBE = `select pg_catalog.concat_ws('/',
  (select pg_catalog.count(*) || ':' || coalesce(pg_catalog.sum(pg_catalog.hashtext(relname || relkind::text
     || relnamespace::text || (reltuples >= ${String(BIG_TABLE_ROWS)})::text)::int8 * (oid::int8 % 65521 + 1)), 0)
   from pg_catalog.pg_class where oid >= ${USER} and relkind in ('r', 'p', 'f', 'v', 'm', 'c', 'S')),
  ${WATCHED.map(watched).join(',\n  ')})`;

function watched([table, id, where]: (typeof WATCHED)[number]): string {
  const mixed = `pg_catalog.hashint8((xmin::text::int8 << 31) # ${id})::int8 * (${id} % 65521 + 1)`;
  return `(select pg_catalog.count(*) || ':' || coalesce(pg_catalog.sum(${mixed}), 0)
   from pg_catalog.${table} where ${where})`;
}

/** Relations whose texts can't be spelled now without waiting: held exclusively, or standing on one that is. */
const HELD = `locked as materialized (
    select distinct relation as oid from pg_catalog.pg_locks
    where mode = 'AccessExclusiveLock' and granted and relation >= ${USER}
      and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())),
  held as materialized (
    select oid from locked
    union select r.ev_class from pg_catalog.pg_depend d
      join pg_catalog.pg_rewrite r on r.oid = d.objid
      where d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid in (select oid from locked)
    union select d.objid from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid in (select oid from locked))`;

/**
 * oid, schema, name, relkind, rows, columns as `[[number, name, type, expression?], …]`, definition, rules as
 * `[text, …]`, held, numbers of the columns of a partition key and of a primary key that is checked at once, as JSON.
 * Relations of the server itself come without texts.
 */
const RELATIONS = `with ${HELD}
  select c.oid, n.nspname, c.relname, c.relkind, c.reltuples::int8,
    (select pg_catalog.json_agg(case when d.oid is null or h.oid is not null
         then pg_catalog.json_build_array(a.attnum, a.attname, a.atttypid::int8)
         else pg_catalog.json_build_array(a.attnum, a.attname, a.atttypid::int8,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid)) end order by a.attnum)
       from pg_catalog.pg_attribute a
       left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum and c.oid >= ${USER}
       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    case when c.relkind in ('v', 'm') and h.oid is null and c.oid >= ${USER} then pg_catalog.pg_get_viewdef(c.oid) end,
    case when c.relhasrules and h.oid is null and c.oid >= ${USER} then
      (select pg_catalog.json_agg(pg_catalog.pg_get_ruledef(r.oid)) from pg_catalog.pg_rewrite r
       where r.ev_class = c.oid and r.rulename <> '_RETURN') end,
    (h.oid is not null)::int,
    case when c.relkind = 'p' then
      (select pg_catalog.array_to_json(pg_catalog.string_to_array(p.partattrs::text, ' ')::int[])
       from pg_catalog.pg_partitioned_table p where p.partrelid = c.oid) end,
    case when c.relhasindex and c.oid >= ${USER} then
      (select pg_catalog.array_to_json(pg_catalog.string_to_array(x.indkey::text, ' ')::int[])
       from pg_catalog.pg_index x where x.indrelid = c.oid and x.indisprimary and x.indimmediate and x.indisvalid) end
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join held h on h.oid = c.oid
  where c.relkind in ('r', 'p', 'f', 'v', 'm', 'c', 'S') and n.nspname <> 'pg_toast'`;

/** relation, name, routine, bits of pg_trigger.tgtype, names of transition tables as JSON */
const TRIGGERS = `select tgrelid, tgname, tgfoid, tgtype, pg_catalog.to_json(array[tgoldtable, tgnewtable]) from pg_catalog.pg_trigger
  where not tgisinternal and tgenabled <> 'D'`;

/** child, parent */
const INHERITS = `select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i
  join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relkind in ('r', 'p', 'f')`;

/**
 * table referred to, table that refers, what its DELETE does, what its UPDATE does, columns of both as JSON: their
 * names; does each value of those that refer surely stand there: the key is checked at once, all rows were, and none
 * passes for a NULL beside; then the columns' numbers
 */
const CASCADES = `select k.confrelid, k.conrelid, k.confdeltype, k.confupdtype,
    ${keyColumns('k.confrelid', 'k.confkey')}, ${keyColumns('k.conrelid', 'k.conkey')},
    (k.convalidated and not k.condeferrable
      and (k.confmatchtype = 'f' or pg_catalog.cardinality(k.conkey) = 1))::int,
    pg_catalog.array_to_json(k.confkey), pg_catalog.array_to_json(k.conkey)
  from pg_catalog.pg_constraint k where k.contype = 'f'`;

function keyColumns(relation: string, numbers: string): string {
  return `(select pg_catalog.json_agg(a.attname) from pg_catalog.pg_attribute a
    where a.attrelid = ${relation} and a.attnum = any (${numbers}))`;
}

/** User-defined functions, and those behind user-defined operators, that something depends on: class, object, routine. */
const DEPENDS = `select d.classid, d.objid, coalesce(o.oprcode::oid, d.refobjid) as routine
    from pg_catalog.pg_depend d
    left join pg_catalog.pg_operator o
      on d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass and o.oid = d.refobjid
    where d.refobjid >= ${USER}
      and (o.oid is not null or d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass)`;

/**
 * kind (`write`, `delete`, `read`, `domain`), relation or type, routine. A trigger's own routine is not among them, only
 * what its WHEN calls; bits of tgtype: 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
 */
const ATTACHED = `with used as materialized (${DEPENDS})
  select distinct case when c.conrelid <> 0 then 'write' else 'domain' end,
      case when c.conrelid <> 0 then c.conrelid else c.contypid end, u.routine
    from used u join pg_catalog.pg_constraint c on c.oid = u.objid
    where u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
  union select 'domain', t.oid, u.routine
    from used u join pg_catalog.pg_type t on t.oid = u.objid and t.typtype = 'd'
    where u.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
  union select 'write', i.indrelid, u.routine
    from used u join pg_catalog.pg_index i on i.indexrelid = u.objid
    where u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  union select k.kind, p.polrelid, u.routine
    from used u join pg_catalog.pg_policy p on p.oid = u.objid
    cross join (values ('read'), ('write'), ('delete')) k (kind)
    where u.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
  union select k.kind, t.tgrelid, u.routine
    from used u join pg_catalog.pg_trigger t on t.oid = u.objid and not t.tgisinternal and u.routine <> t.tgfoid
    join (values ('write', 20), ('delete', 40)) k (kind, bits) on t.tgtype::int & k.bits <> 0
    where u.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass`;

/** Is the object of that class and id a member of an extension? */
function isMember(table: string, id: string): string {
  return `exists (select from pg_catalog.pg_depend e where e.deptype = 'e'
    and e.classid = 'pg_catalog.${table}'::pg_catalog.regclass and e.objid = ${id})`;
}

/**
 * Of users' routines, and of built-in ones that users' operators, casts, triggers and aggregates stand for: oid, schema,
 * name, prokind, language, source, fewest and most arguments (-1: any number), types of arguments as
 * JSON, list of arguments, what it returns, type it returns, returns a set, SQL-standard body, withheld, extension,
 * settings as JSON.
 */
function routines(version: number): string {
  const atomic = version >= 140_000 ? 'p.prosqlbody is not null' : 'false';
  const body =
    version >= 140_000
      ? 'case when p.prosqlbody is null then p.prosrc else pg_catalog.pg_get_function_sqlbody(p.oid) end'
      : 'p.prosrc';
  return `with ${HELD}
  select p.oid, n.nspname, p.proname, p.prokind, l.lanname,
    case when x.extension or x.withheld then '' else ${body} end,
    p.pronargs - p.pronargdefaults,
    case when p.provariadic <> 0 then -1
      when p.prokind = 'p' then coalesce(pg_catalog.cardinality(p.proallargtypes), p.pronargs)
      else p.pronargs end,
    pg_catalog.array_to_json(pg_catalog.string_to_array(p.proargtypes::text, ' ')::int8[]),
    case when x.extension then '' else pg_catalog.pg_get_function_arguments(p.oid) end,
    case when x.extension then '' else pg_catalog.pg_get_function_result(p.oid) end,
    p.prorettype, p.proretset::int, (${atomic})::int, x.withheld::int, x.extension::int,
    pg_catalog.to_json(p.proconfig)
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_language l on l.oid = p.prolang
  cross join lateral (select p.oid < ${USER} or ${isMember('pg_proc', 'p.oid')} as extension,
    (pg_catalog.octet_length(p.prosrc) > ${String(MAX_SOURCE_BYTES)}
      or exists (select from held where held.oid = p.oid)) as withheld) x
  where p.oid >= ${USER}
    or p.oid in (select oprcode from pg_catalog.pg_operator where oid >= ${USER})
    or p.oid in (select castfunc from pg_catalog.pg_cast where oid >= ${USER})
    or p.oid in (select tgfoid from pg_catalog.pg_trigger where not tgisinternal)
    or p.oid in (select s.routine from (${SUPPORT}) s)`;
}

/** aggregate, routine that works for it */
const SUPPORT = `select a.aggfnoid::oid, s.routine from pg_catalog.pg_aggregate a
  cross join lateral (values (a.aggtransfn::oid), (a.aggfinalfn::oid), (a.aggcombinefn::oid), (a.aggserialfn::oid),
    (a.aggdeserialfn::oid), (a.aggmtransfn::oid), (a.aggminvtransfn::oid), (a.aggmfinalfn::oid)) s (routine)
  where a.aggfnoid::oid >= ${USER} and s.routine <> 0`;

/** name, routine */
const OPERATORS = `select o.oprname, o.oprcode::oid from pg_catalog.pg_operator o
  where o.oid >= ${USER} and o.oprcode <> 0 and not ${isMember('pg_operator', 'o.oid')}`;

/** type from, type to, routine */
const CASTS = `select c.castsource, c.casttarget, c.castfunc from pg_catalog.pg_cast c
  where c.oid >= ${USER} and c.castfunc <> 0 and not ${isMember('pg_cast', 'c.oid')}`;

/** routine */
const EVENT_TRIGGERS = `select evtfoid from pg_catalog.pg_event_trigger where evtenabled <> 'D'`;

/** oid, name, typtype, category, element or base or bounds type, relation; the row types of tables have none of their own. */
function types(version: number): string {
  const ranges =
    version >= 140_000
      ? `select rngtypid as oid, rngsubtype as bounds from pg_catalog.pg_range
         union all select rngmultitypid, rngsubtype from pg_catalog.pg_range`
      : 'select rngtypid as oid, rngsubtype as bounds from pg_catalog.pg_range';
  return `select t.oid, t.typname, t.typtype, t.typcategory,
      case when t.typtype = 'd' then t.typbasetype when t.typcategory = 'A' then t.typelem else coalesce(r.bounds, 0) end,
      t.typrelid
    from pg_catalog.pg_type t left join (${ranges}) r on r.oid = t.oid`;
}

/** The queries of a whole reading, in the order of `CatalogRows`. */
export function catalogQueries(version: number): Readonly<Record<keyof CatalogRows, string>> {
  return {
    relations: RELATIONS,
    triggers: TRIGGERS,
    inherits: INHERITS,
    cascades: CASCADES,
    attached: ATTACHED,
    routines: routines(version),
    support: SUPPORT,
    operators: OPERATORS,
    casts: CASTS,
    eventTriggers: EVENT_TRIGGERS,
    types: types(version),
  };
}

/** One result, each cell as the server writes it. */
export type Rows = readonly (readonly (string | null)[])[];

/** What the queries gave. */
export interface CatalogRows {
  readonly relations: Rows;
  readonly triggers: Rows;
  readonly inherits: Rows;
  readonly cascades: Rows;
  readonly attached: Rows;
  readonly routines: Rows;
  readonly support: Rows;
  readonly operators: Rows;
  readonly casts: Rows;
  readonly eventTriggers: Rows;
  readonly types: Rows;
}
