import type { SqlFacts } from '../../../policy/types.js';
import { literal } from './trial-text.js';

/** Effects that a rollback takes back, and that lock no more than the rows. */
const TAKEN_BACK: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete', 'merge', 'notify']);

const OUTSIDE = 'it reaches outside of the database, which no rollback takes back';
const DEFINES = 'it changes definitions or settings, which would lock them against everybody';

/** Why a statement with this effect is not tried out. */
const REASONS: Readonly<Record<string, string>> = {
  'server-program': OUTSIDE,
  'server-file': OUTSIDE,
  outbound: OUTSIDE,
  'server-config': 'it changes the server itself, which no rollback takes back',
  extension: DEFINES,
  create: DEFINES,
  alter: DEFINES,
  drop: DEFINES,
  owner: DEFINES,
  grant: DEFINES,
  revoke: DEFINES,
  comment: DEFINES,
  refresh: DEFINES,
  'role-admin': DEFINES,
  'stored-code': DEFINES,
  truncate: 'TRUNCATE locks the whole table against everybody, readers too',
  vacuum: 'VACUUM and its like can not run in a transaction that is rolled back',
  'copy-in': 'the rows of a COPY come only after it was approved',
  'copy-out': 'a COPY is not tried out',
  begin: 'it begins or ends transactions',
  commit: 'it begins or ends transactions',
  rollback: 'it begins or ends transactions',
  do: 'a block of code may do anything, and changes no rows of its own',
  call: 'a procedure may end transactions',
  execute: 'what it runs was prepared in the requester’s session',
  dynamic: 'it runs SQL that is made only while it runs',
  lock: 'it takes locks of its own',
};

/** A text of that many characters takes a few milliseconds to parse; a trial parses it several times. */
const MAX_TEXT_CHARS = 64 << 10;

/**
 * Why a statement can't be tried out in a transaction that is rolled back; undefined where nothing in its facts,
 * completed from the catalogue, stands against it.
 */
export function notTakenBack(facts: SqlFacts): string | undefined {
  if (facts.text.length > MAX_TEXT_CHARS) return 'its text is too large to be tried out';
  if (facts.statements > 1) return 'several statements in one message';
  if (facts.opaque) return `nobody can tell what it does: ${facts.opaqueReason}`;
  const effect = facts.effects.find((one) => !TAKEN_BACK.has(one));
  if (effect !== undefined) return REASONS[effect] ?? `its effect “${effect}” is not one that a rollback takes back`;
  if (facts.functions.some((name) => bare(name) === 'setval'))
    return 'setval sets a sequence, which no rollback takes back';
  return undefined;
}

/** Volatile functions in C that leave nothing behind a rollback, but for the numbers of sequences. */
const HARMLESS = [
  ...['random', 'random_normal', 'clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'setseed'],
  ...['nextval', 'currval', 'lastval', 'pg_notify', 'pg_sleep', 'pg_sleep_for', 'pg_sleep_until'],
  ...['txid_current', 'pg_current_xact_id', 'uuid_generate_v1', 'uuid_generate_v1mc', 'uuid_generate_v4'],
  ...['gen_salt', 'gen_random_bytes'],
];

const HARMLESS_TRIGGERS = [
  ...['suppress_redundant_updates_trigger', 'tsvector_update_trigger', 'tsvector_update_trigger_column'],
];

/**
 * A query for names of functions, one a row, that the statement or its tables reach and whose work nobody can read:
 * volatile ones in C or in a language that may leave the database.
 *
 * @param relations object ids of the tables that it changes
 */
export function unreadFunctions(facts: SqlFacts, relations: readonly number[]): string {
  const called = list(facts.functions.map((name) => bare(name)));
  const oids = relations.length === 0 ? '0' : relations.join(', ');
  return `select distinct p.proname from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
    where (l.lanname in ('c', 'internal') or not l.lanpltrusted and l.lanname <> 'sql')
    and (p.provolatile = 'v' and pg_catalog.lower(p.proname) in (${called}) and p.proname not in (${list(HARMLESS)})
      or p.proname not in (${list(HARMLESS_TRIGGERS)}) and p.oid in (select t.tgfoid from pg_catalog.pg_trigger t
        where not t.tgisinternal and t.tgenabled <> 'D' and t.tgrelid in (${oids})))
    order by 1 limit 5`;
}

/**
 * What a rollback leaves all the same, or does not show: one line each.
 *
 * @param basis facts of the text alone: identity columns take numbers without naming a function
 */
export function leftBehind(basis: SqlFacts, facts: SqlFacts): readonly string[] {
  const names = new Set(facts.functions.map((name) => bare(name)));
  return [
    ...(names.has('nextval') || basis.effects.includes('insert')
      ? ['numbers that sequences gave stay taken, as after any rollback']
      : []),
    ...(facts.effects.includes('notify') ? ['its notifications were not sent; they will be when it commits'] : []),
  ];
}

function bare(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}

/** Never empty: `in ()` is no SQL. */
function list(names: readonly string[]): string {
  return ['', ...new Set(names)].map(literal).join(', ');
}
