/**
 * Functions that a function-call message names by an object id alone: of large objects, which libpq and JDBC call that
 * way, and those that do more than compute. Ids below 10,000 are given by hand and are the same in every version.
 *
 * @see https://www.postgresql.org/docs/current/system-catalog-initial-data.html#SYSTEM-CATALOG-OID-ASSIGNMENT
 */
const OIDS = `
    lo_close=953 lo_creat=957 lo_create=715 lo_export=765 lo_from_bytea=3457 lo_get=3458,3459 lo_import=764,767
    lo_lseek=956 lo_lseek64=3170 lo_open=952 lo_put=3460 lo_tell=958 lo_tell64=3171 lo_truncate=1004
    lo_truncate64=3172 lo_unlink=964 loread=954 lowrite=955
    cursor_to_xml=2925 cursor_to_xmlschema=2928 database_to_xml=2936 database_to_xml_and_xmlschema=2938
    database_to_xmlschema=2937 pg_advisory_lock=2880,2886 pg_advisory_lock_shared=2881,2887
    pg_advisory_xact_lock=3089,3093 pg_advisory_xact_lock_shared=3090,3094 pg_backup_start=2172 pg_backup_stop=2739
    pg_cancel_backend=2171 pg_copy_logical_replication_slot=4222,4223,4224
    pg_copy_physical_replication_slot=4220,4221 pg_create_logical_replication_slot=3786
    pg_create_physical_replication_slot=3779 pg_create_restore_point=3098 pg_drop_replication_slot=3780
    pg_hba_file_rules=3401 pg_ident_file_mappings=6250 pg_log_backend_memory_contexts=4543
    pg_logical_slot_get_binary_changes=3783 pg_logical_slot_get_changes=3782
    pg_logical_slot_peek_binary_changes=3785 pg_logical_slot_peek_changes=3784 pg_ls_archive_statusdir=5031
    pg_ls_dir=2625,3297 pg_ls_logdir=3353 pg_ls_logicalmapdir=6271 pg_ls_logicalsnapdir=6270 pg_ls_replslotdir=6272
    pg_ls_tmpdir=5029,5030 pg_ls_waldir=3354 pg_notify=3036 pg_promote=3436 pg_read_binary_file=3295,3827,3828
    pg_read_file=2624,3293,3826 pg_read_file_old=4100 pg_reload_conf=2621 pg_replication_origin_advance=6012
    pg_replication_origin_create=6003 pg_replication_origin_drop=6004 pg_replication_origin_session_setup=6006
    pg_replication_slot_advance=3878 pg_rotate_logfile=2622 pg_show_all_file_settings=3329 pg_stat_file=2623,3307
    pg_switch_wal=2848 pg_terminate_backend=2096 pg_try_advisory_lock=2882,2888
    pg_try_advisory_lock_shared=2883,2889 pg_try_advisory_xact_lock=3091,3095
    pg_try_advisory_xact_lock_shared=3092,3096 pg_wal_replay_pause=3071 pg_wal_replay_resume=3072 query_to_xml=2924
    query_to_xml_and_xmlschema=2930 query_to_xmlschema=2927 schema_to_xml=2933 schema_to_xml_and_xmlschema=2935
    schema_to_xmlschema=2934 set_config=2078 table_to_xml=2923 table_to_xml_and_xmlschema=2929
    table_to_xmlschema=2926 ts_rewrite=3685 ts_stat=3689,3690
`;

const NAMES: ReadonlyMap<number, string> = new Map(
  OIDS.trim()
    .split(/\s+/)
    .flatMap((entry) => {
      const [name = '', oids = ''] = entry.split('=');
      return oids.split(',').map((oid): [number, string] => [Number(oid), `pg_catalog.${name}`]);
    }),
);

/** `pg_catalog.lo_open`; empty for one that is not known here. */
export function functionNamed(oid: number): string {
  return NAMES.get(oid) ?? '';
}
