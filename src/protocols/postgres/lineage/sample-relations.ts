/**
 * Relations of the system that hold samples, or pieces, of what stands in tables: also the texts that run, with the
 * constants in them.
 */
const WITH_SAMPLES = new Set([
  'pg_stats',
  'pg_statistic',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_statistic_ext_data',
  'pg_largeobject',
  'pg_stat_activity',
  'pg_prepared_statements',
  'pg_cursors',
]);

/** Columns of those that hold no value of a user's column; a column that a later version adds is not among them. */
export const HARMLESS_COLUMNS: readonly string[] = `
  schemaname tablename attname inherited null_frac avg_width n_distinct most_common_freqs correlation
  most_common_elem_freqs elem_count_histogram range_empty_frac starelid staattnum stainherit stanullfrac stawidth
  stadistinct stakind1 stakind2 stakind3 stakind4 stakind5 stanumbers1 stanumbers2 stanumbers3 stanumbers4 stanumbers5
  statistics_schemaname statistics_name statistics_owner attnames kinds n_distinct dependencies stxoid stxdinherit
  loid pageno chunk_id chunk_seq
  datid datname pid leader_pid usesysid usename application_name client_addr client_hostname client_port backend_start
  xact_start query_start state_change wait_event_type wait_event state backend_xid backend_xmin query_id backend_type
  name prepare_time parameter_types result_types from_sql generic_plans custom_plans
  is_holdable is_binary is_scrollable creation_time`
  .trim()
  .split(/\s+/);

export function holdsSamples(name: string): boolean {
  return WITH_SAMPLES.has(name);
}
