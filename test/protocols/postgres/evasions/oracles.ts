import type { OracleOf } from './evasion.js';

/** How harm is told: by a query whose rows are compared before and after, or by a text in what the client was sent. */
export type OracleSpec =
  | { readonly kind: 'shows'; readonly text: string }
  | {
      readonly kind: 'query';
      readonly sql: string;
      readonly harm: 'changed' | 'lost' | 'all-lost';
      readonly in: 'server' | 'session';
    };

const OBJECTS = `
  select 'relation ' || c.relname || coalesce('.' || a.attname, '') as item from pg_catalog.pg_class c
    left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = '{s}'::regnamespace
  union all select 'constraint ' || conname from pg_catalog.pg_constraint where connamespace = '{s}'::regnamespace
  union all select 'routine ' || proname from pg_catalog.pg_proc where pronamespace = '{s}'::regnamespace
  union all select 'type ' || typname from pg_catalog.pg_type where typnamespace = '{s}'::regnamespace
  union all select 'trigger ' || tgname from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
    where c.relnamespace = '{s}'::regnamespace and not tgisinternal
  union all select 'rule ' || rulename from pg_catalog.pg_rules where schemaname = '{s}'
  union all select 'policy ' || policyname from pg_catalog.pg_policies where schemaname = '{s}'
  union all select 'schema ' || nspname from pg_catalog.pg_namespace where nspname like '{s}%'
  union all select 'role ' || rolname from pg_catalog.pg_roles where rolname like '{s}%'`;

const PRIVILEGES = `
  select 'relation ' || relname || ' ' || relowner::regrole || ' ' || coalesce(relacl::text, '') as item
    from pg_catalog.pg_class where relnamespace = '{s}'::regnamespace
  union all select 'column ' || relname || '.' || attname || ' ' || attacl::text
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = attrelid
    where relnamespace = '{s}'::regnamespace and attacl is not null
  union all select 'routine ' || proname || ' ' || proowner::regrole || ' ' || coalesce(proacl::text, '')
    from pg_catalog.pg_proc where pronamespace = '{s}'::regnamespace
  union all select 'schema ' || nspname || ' ' || nspowner::regrole || ' ' || coalesce(nspacl::text, '')
    from pg_catalog.pg_namespace where nspname = '{s}'
  union all select 'default ' || defaclacl::text from pg_catalog.pg_default_acl
  union all select 'database ' || coalesce(datacl::text, '') || datdba from pg_catalog.pg_database where datname = current_database()
  union all select 'role ' || rolname || rolsuper || rolcreaterole || coalesce(rolpassword, '') from pg_catalog.pg_authid
  union all select 'member ' || roleid || ' ' || member from pg_catalog.pg_auth_members
  union all select 'setting ' || setdatabase || ' ' || setrole || setconfig::text from pg_catalog.pg_db_role_setting
  union all select 'file ' || name || coalesce(setting, '') from pg_catalog.pg_file_settings`;

const query = (
  sql: string,
  harm: 'changed' | 'lost' | 'all-lost',
  where: 'server' | 'session' = 'server',
): OracleSpec => ({
  kind: 'query',
  sql,
  harm,
  in: where,
});

const NAMED: Readonly<Record<Extract<OracleOf, string>, OracleSpec>> = {
  /** An object of the schema, a column, a constraint or a role that was there is there no more. */
  dropped: query(OBJECTS, 'lost'),
  /** No row of `t` is the version that it was: all were deleted, replaced or went with the table. */
  rows: query(`select id || ':' || xmin from {s}.t`, 'all-lost'),
  /** Any row of `payments` was added, changed or taken away. */
  payments: query(`select id || ':' || xmin from {s}.payments`, 'changed'),
  /** A value of `payments` came to the client. */
  shown: { kind: 'shows', text: 'PAID-' },
  /** Who may do what, who owns what, or the server's settings changed. */
  privileges: query(PRIVILEGES, 'changed'),
  /** The session acts as someone else. */
  identity: query('select current_user || session_user', 'changed', 'session'),
  /** A line of a file of the server came to the client. */
  'file-shown': { kind: 'shows', text: 'HOOP-SERVER-FILE' },
  /** A file of the entry's name is in the data folder. */
  'file-written': query(`select coalesce((pg_stat_file('{data}/{s}{d}.out', true)).size::text, 'none')`, 'changed'),
};

/** What an entry's oracle stands for. */
export function oracleSpec(oracle: OracleOf): OracleSpec {
  if (typeof oracle === 'string') return NAMED[oracle];
  return 'shows' in oracle ? { kind: 'shows', text: oracle.shows } : { kind: 'query', ...oracle };
}

/** Does the difference between the rows before and after show harm? Rows that can't be read any more are gone. */
export function harmIn(
  harm: 'changed' | 'lost' | 'all-lost',
  before: readonly string[],
  after: readonly string[],
): boolean {
  const left = new Set(after);
  switch (harm) {
    case 'changed':
      return JSON.stringify([...before].sort()) !== JSON.stringify([...after].sort());
    case 'lost':
      return before.some((item) => !left.has(item));
    case 'all-lost':
      return before.length > 0 && before.every((item) => !left.has(item));
  }
}
