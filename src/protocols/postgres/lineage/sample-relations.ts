/** Relations of the system that hold samples, or pieces, of what stands in tables. */
const WITH_SAMPLES = new Set([
  'pg_stats',
  'pg_statistic',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_statistic_ext_data',
  'pg_largeobject',
]);

/** Columns of those that hold no value of a user's column; a column that a later version adds is not among them. */
export const HARMLESS_COLUMNS: readonly string[] = `
  schemaname tablename attname inherited null_frac avg_width n_distinct most_common_freqs correlation
  most_common_elem_freqs elem_count_histogram range_empty_frac starelid staattnum stainherit stanullfrac stawidth
  stadistinct stakind1 stakind2 stakind3 stakind4 stakind5 stanumbers1 stanumbers2 stanumbers3 stanumbers4 stanumbers5
  statistics_schemaname statistics_name statistics_owner attnames kinds n_distinct dependencies stxoid stxdinherit
  loid pageno chunk_id chunk_seq`
  .trim()
  .split(/\s+/);

export function holdsSamples(name: string): boolean {
  return WITH_SAMPLES.has(name);
}
