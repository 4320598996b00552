import type { Effect } from './effects.js';

/**
 * Functions of pg_catalog and of common extensions that do more than compute, by bare name:
 * extensions may live in any schema, so a qualifier is never looked at.
 */

export interface Danger {
  readonly effects: readonly Effect[];
  /** Why the statement can't be judged by its text; empty where it can. */
  readonly opaqueReason: string;
}

const RUNS_TEXT = 'a function that runs its argument as SQL';

function dangers(effects: readonly Effect[], names: string, opaqueReason = ''): readonly (readonly [string, Danger])[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [name, { effects, opaqueReason }] as const);
}

const BY_NAME: ReadonlyMap<string, Danger> = new Map([
  ...dangers(
    ['server-file'],
    `pg_read_file pg_read_file_old pg_read_file_all pg_read_binary_file pg_stat_file pg_logdir_ls
     lo_import lo_import_with_oid lo_export be_lo_import be_lo_export
     pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings
     get_raw_page pg_get_wal_block_info pg_get_wal_record_info pg_get_wal_records_info
     pg_create_logical_replication_slot pg_copy_logical_replication_slot
     bt_page_items bt_page_stats bt_multi_page_stats`,
  ),
  ...dangers(
    ['outbound'],
    `http http_get http_post http_put http_patch http_delete http_head http_collect_response
     query_export_to_s3 table_import_from_s3`,
  ),
  ...dangers(['server-program'], 'pg_execute_server_program pg_background_launch'),
  ...dangers(
    ['dynamic'],
    `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema
     cursor_to_xml cursor_to_xmlschema
     table_to_xml table_to_xmlschema table_to_xml_and_xmlschema
     schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
     database_to_xml database_to_xmlschema database_to_xml_and_xmlschema
     ts_stat xpath_table connectby
     run_command_on_workers run_command_on_shards run_command_on_placements
     run_command_on_all_nodes run_command_on_coordinator master_run_on_worker
     schedule_in_database`,
    RUNS_TEXT,
  ),
  ...dangers(
    ['server-config'],
    `pg_reload_conf pg_rotate_logfile pg_logfile_rotate pg_promote pg_switch_wal pg_wal_replay_pause
     pg_wal_replay_resume pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup
     pg_create_restore_point pg_create_physical_replication_slot pg_copy_physical_replication_slot
     pg_replication_slot_advance pg_replication_origin_advance pg_replication_origin_create
     pg_replication_origin_drop pg_replication_origin_session_setup pg_sync_replication_slots`,
  ),
  ...dangers(['drop'], 'pg_drop_replication_slot drop_chunks dropgeometrycolumn dropgeometrytable droptopology'),
  ...dangers(['alter'], 'addgeometrycolumn updategeometrysrid create_hypertable'),
  ...dangers(['other'], 'pg_terminate_backend pg_cancel_backend pg_log_backend_memory_contexts'),
  ...dangers(['notify'], 'pg_notify'),
  ...dangers(
    ['lock'],
    `pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared
     pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock
     pg_try_advisory_xact_lock_shared`,
  ),
]);

const BY_PREFIX: readonly (readonly [string, Danger])[] = [
  ['pg_ls_', { effects: ['server-file'], opaqueReason: '' }],
  ['pg_file_', { effects: ['server-file'], opaqueReason: '' }],
  ['pg_logical_slot_', { effects: ['server-file'], opaqueReason: '' }],
  ['dblink', { effects: ['outbound'], opaqueReason: 'SQL for another server' }],
  ['crosstab', { effects: ['dynamic'], opaqueReason: RUNS_TEXT }],
  ['pgr_', { effects: ['dynamic'], opaqueReason: RUNS_TEXT }],
];

/** Functions whose bare name says too little; these are looked up with their schema. */
const QUALIFIED: ReadonlyMap<string, Danger> = new Map([
  ['cron.schedule', { effects: ['stored-code', 'dynamic'], opaqueReason: RUNS_TEXT }],
  ['aws_lambda.invoke', { effects: ['outbound'], opaqueReason: '' }],
  ['cron.alter_job', { effects: ['stored-code', 'dynamic'], opaqueReason: RUNS_TEXT }],
]);

/**
 * What a call of this function does beyond computing; undefined where nothing is known against it.
 *
 * @param name as written, `schema.name` or `name`; case is ignored
 * @param argumentCount undefined where it is not known
 */
export function dangerOf(name: string, argumentCount: number | undefined): Danger | undefined {
  const full = name.toLowerCase();
  const bare = full.slice(full.lastIndexOf('.') + 1);
  // The form of three arguments takes queries of words, that of two takes SQL.
  if (bare === 'ts_rewrite') return argumentCount === 3 ? undefined : { effects: ['dynamic'], opaqueReason: RUNS_TEXT };
  return BY_NAME.get(bare) ?? QUALIFIED.get(full) ?? BY_PREFIX.find(([prefix]) => bare.startsWith(prefix))?.[1];
}

/** Catalogue views that show server files or, when updated, change settings. */
export const FILE_VIEWS: ReadonlySet<string> = new Set([
  'pg_hba_file_rules',
  'pg_ident_file_mappings',
  'pg_file_settings',
]);
export const SETTINGS_VIEW = 'pg_settings';

/** Statistics that show values of tables, and the tables that hold their long values. */
const SHOWS_VALUES: ReadonlySet<string> = new Set([
  ...['pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs', 'pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject'],
]);

/** Does reading this relation show values of others, nobody can tell which? */
export function showsOthers(schema: string, name: string): boolean {
  return schema === 'pg_toast' || (SHOWS_VALUES.has(name) && (schema === '' || schema === 'pg_catalog'));
}

/** Who may what is written there. */
const RIGHTS: ReadonlySet<string> = new Set(['pg_authid', 'pg_auth_members', 'pg_db_role_setting']);
const CATALOGUE =
  /^pg_(authid|auth_members|db_role_setting|class|attribute|attrdef|proc|type|operator|cast|aggregate|rewrite|trigger|policy|constraint|namespace|database|depend|index|inherits|language|extension|event_trigger|default_acl|init_privs|foreign_.+|user_mapping|largeobject.*|shdepend|tablespace|enum|range|am.*|op.+|seclabel|shseclabel|statistic.*|ts_.+|publication.*|subscription.*|transform|conversion|collation|partitioned_table|sequence|description|shdescription|parameter_acl|replication_origin)$/;

/**
 * What a write of the server's own catalogue is; undefined where it is none.
 *
 * @param sets columns that an UPDATE sets
 */
export function catalogueWrite(
  schema: string,
  name: string,
  sets: readonly string[] = [],
): readonly Effect[] | undefined {
  if (schema !== 'pg_catalog' && !(schema === '' && CATALOGUE.test(name)) && schema !== 'pg_toast') return undefined;
  const effects: Effect[] = RIGHTS.has(name) ? ['role-admin', 'alter'] : ['alter'];
  if (sets.some((column) => column.endsWith('acl'))) effects.push('grant', 'revoke');
  if (sets.some((column) => /owner$|^datdba$/.test(column))) effects.push('owner');
  return effects;
}
