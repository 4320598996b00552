/** What is known of functions of the server and of usual extensions, by bare name. */
import { listAt, literalIn, type TreeNode } from '../facts/tree.js';

/** They run text, or read rows, pages or logs that no name in the statement tells of. */
const READ_ANYTHING = new Set(
  `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
  table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
  database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite
  dblink dblink_exec dblink_fetch dblink_open dblink_get_result dblink_send_query
  crosstab crosstab2 crosstab3 crosstab4 connectby xpath_table
  get_raw_page page_header heap_page_items heap_page_item_attrs bt_page_items bt_page_items_multi bt_multi_page_stats
  brin_page_items gin_leafpage_items gist_page_items gist_page_items_bytea hash_page_items tuple_data_split
  pg_read_file pg_read_binary_file
  pg_logical_slot_get_changes pg_logical_slot_peek_changes pg_logical_slot_get_binary_changes
  pg_logical_slot_peek_binary_changes pg_get_wal_record_info pg_get_wal_records_info pg_get_wal_block_info
  pg_buffercache_pages
  pg_read_file_old current_query pg_stat_get_activity pg_stat_get_backend_activity pg_prepared_statement pg_cursor`.split(
    /\s+/,
  ),
);

/** What they are given stays, goes elsewhere, is shown beside the result or tells by how long it takes. */
const KEEP_ARGUMENTS = new Set(
  `set_config pg_notify pg_logical_emit_message setval lo_from_bytea lo_put lowrite lo_create lo_creat lo_import lo_export
  dblink dblink_exec dblink_open dblink_send_query dblink_connect dblink_connect_u
  pg_file_write pg_sleep pg_sleep_for pg_sleep_until query_to_xml query_to_xml_and_xmlschema ts_stat ts_rewrite
  pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared
  pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
  pg_cancel_backend pg_terminate_backend pg_create_restore_point pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file
  pg_export_snapshot pg_create_logical_replication_slot pg_create_physical_replication_slot pg_replication_origin_create
  crosstab connectby xpath_table`.split(/\s+/),
);

/** What they do shows elsewhere: whether they are called at all may tell something. */
const EFFECTFUL =
  /^(?:nextval|setval|setseed|random\w*|normal_rand|set_config|lo_\w+|loread|lowrite|txid_current|dblink\w*|pg_(?:current_xact_id|\w*advisory\w*|stat_(?:reset|clear|force)\w*|sleep\w*|notify|logical_\w+|replication_\w+|create_\w+|drop_\w+|switch_\w+|reload_\w+|rotate_\w+|promote|cancel_\w+|terminate_\w+|file_\w+|export_\w+|prewarm|backup\w*|start_\w+|stop_\w+))$/;

/** They run text that they are given. */
const RUN_TEXT =
  /^(?:lo_import|query_to_xml\w*|ts_stat|ts_rewrite|crosstab\w*|connectby|xpath_table|dblink(?:_exec|_open|_send_query)?)$/;

/** NULL where an argument is, and only there; all give text. */
const STRICT = new Set(
  `upper lower initcap btrim ltrim rtrim left right substr replace translate reverse lpad rpad repeat md5 sha224 sha256
  sha384 sha512 encode decode to_char overlay split_part quote_literal quote_ident ascii length char_length
  octet_length to_hex concat concat_ws max min string_agg`.split(/\s+/),
);

/** Defined for any value of their types; with numbers only where these are written there. */
const NEVER_FAIL = new Set(
  `upper lower initcap btrim ltrim rtrim left right reverse translate concat concat_ws quote_literal quote_ident
  quote_nullable length char_length character_length octet_length bit_length ascii strpos position starts_with md5
  sha224 sha256 sha384 sha512 hashtext to_json to_jsonb row_to_json json_agg jsonb_agg array_agg string_agg count min max
  bool_and bool_or every extract date_part pg_column_size json_build_array jsonb_build_array json_strip_nulls
  jsonb_strip_nulls array_to_json`.split(/\s+/),
);

/** By what they are given they may take as long as one likes. */
const COSTLY =
  /^(?:repeat|lpad|rpad|power|pow|factorial|exp|ln|log|sqrt|array_fill|crypt|gen_salt|digest|hmac|pgp_\w+|levenshtein\w*|regexp_\w+|jsonb_path_\w+|xpath\w*|generate_\w+)$/;

/** How many rows they give depends on what they are given. */
const MULTIPLY = new Set(
  `generate_series generate_subscripts regexp_matches regexp_split_to_table string_to_table jsonb_path_query
  jsonb_path_query_tz ts_parse ts_debug ts_token_type pg_options_to_table json_populate_recordset jsonb_populate_recordset
  json_to_recordset jsonb_to_recordset normal_rand _pg_expandarray aclexplode pg_extension_update_paths pg_get_multixact_members
  pg_get_publication_tables pg_ls_dir pg_ls_replslotdir pg_ls_tmpdir pg_mcv_list_items pg_partition_ancestors pg_partition_tree
  pg_snapshot_xip txid_snapshot_xip pg_tablespace_databases pg_stat_get_progress_info pg_stat_get_subscription`.split(
    /\s+/,
  ),
);

/** They give a row for each part of what they are given: of a column as it stands no more than the column has. */
const UNNEST = new Set(
  `unnest json_array_elements json_array_elements_text jsonb_array_elements jsonb_array_elements_text json_object_keys
  jsonb_object_keys json_each json_each_text jsonb_each jsonb_each_text each skeys svals hstore_to_array`.split(/\s+/),
);

/** They make one of a row, with as many parts as the row has columns. */
const OF_A_ROW = new Set(['to_json', 'to_jsonb', 'row_to_json', 'hstore', 'jsonb_build_object', 'json_build_object']);

/** They may give another value each time they are called in one statement; what reads the state of the server is meant too. */
const VARIES =
  /^(?:nextval|currval|lastval|setval|setseed|random\w*|clock_timestamp|timeofday|gen_random_\w+|uuidv\d|uuid_generate_\w+|current_setting|set_config|lo_\w+|loread|lowrite|pg_\w+|txid_\w+|ts_stat|ts_rewrite|\w*_to_xml\w*|currtid2?|gen_salt|normal_rand|dblink\w*)$/;

/** Functions that give one column, and those that give some of known names. */
const ONE_COLUMN = new Set(
  `generate_series generate_subscripts regexp_matches regexp_split_to_table string_to_table jsonb_path_query unnest
  json_array_elements json_array_elements_text jsonb_array_elements jsonb_array_elements_text json_object_keys
  jsonb_object_keys now current_timestamp version lower upper coalesce`.split(/\s+/),
);
const PAIRS = new Set(['json_each', 'json_each_text', 'jsonb_each', 'jsonb_each_text', 'each']);

export function readsAnything(name: string): boolean {
  return READ_ANYTHING.has(name);
}

export function keepsArguments(name: string): boolean {
  return KEEP_ARGUMENTS.has(name) || isEffectful(name);
}

export function isEffectful(name: string): boolean {
  return EFFECTFUL.test(name.toLowerCase());
}

export function runsText(name: string): boolean {
  return RUN_TEXT.test(name.toLowerCase());
}

/** Does a call of it give NULL just where it is given one? `substring(x from 'pattern')` does not. */
export function isStrict(name: string, call: TreeNode): boolean {
  if (name !== 'substring') return STRICT.has(name);
  return listAt(call, 'args')
    .slice(1)
    .every((argument) => typeof literalIn(argument)?.value === 'number');
}

/** Does a call of it never end in an error, whatever a column holds? */
export function neverFails(name: string, call: TreeNode): boolean {
  if (NEVER_FAIL.has(name)) return true;
  const [first, ...others] = listAt(call, 'args');
  // A key may not be NULL.
  if (name === 'json_build_object' || name === 'jsonb_build_object')
    return listAt(call, 'args').every((key, index) => index % 2 === 1 || typeof literalIn(key)?.value === 'string');
  const numbers = others.map((argument) => literalIn(argument)?.value);
  // A length below zero fails; `substring(x from 'pattern')` may.
  if (name === 'substr' || name === 'substring') return numbers.every((one) => typeof one === 'number' && one >= 0);
  return name === 'encode' && first !== undefined && typeof numbers[0] === 'string';
}

export function isCostly(name: string): boolean {
  return COSTLY.test(name.toLowerCase());
}

export function variesByCall(name: string): boolean {
  return VARIES.test(name.toLowerCase());
}

export function multipliesRows(name: string): boolean {
  return MULTIPLY.has(name);
}

export function unnests(name: string): boolean {
  return UNNEST.has(name);
}

export function makesOfRow(name: string): boolean {
  return OF_A_ROW.has(name);
}

/** Names of the columns a function of the server gives in FROM; undefined where that is not known. */
export function columnsGiven(
  name: string,
  argumentCount: number,
  alias: string | undefined,
): readonly string[] | undefined {
  if (PAIRS.has(name)) return ['key', 'value'];
  if (!ONE_COLUMN.has(name) || (name === 'unnest' && argumentCount !== 1)) return undefined;
  return [alias ?? name];
}

/**
 * What libpq calls by object id: lo_open, lo_close, loread, lowrite, lo_lseek, lo_creat, lo_tell, lo_unlink,
 * lo_truncate, lo_create and their 64-bit forms. They are the same in every version.
 */
const LARGE_OBJECT_FUNCTIONS = new Set([952, 953, 954, 955, 956, 957, 958, 964, 1004, 715, 3170, 3171, 3172]);

export function isOfLargeObjects(oid: number): boolean {
  return LARGE_OBJECT_FUNCTIONS.has(oid);
}
