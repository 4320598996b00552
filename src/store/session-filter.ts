import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { HoopError } from '../core/errors.js';
import type { TermKind } from '../core/recording-index.js';
import { wholeWordQuery, wordQuery } from './word-query.js';

export interface SessionFilter {
  /** Subject or e-mail, exact. */
  readonly user?: string;
  /** Only this person's, where a caller may see no others. */
  readonly owner?: { readonly subject: string; readonly issuer: string };
  /** A group of the user at the time. */
  readonly group?: string;
  readonly connection?: string;
  /** RFC 3339 UTC; sessions that started at or after. */
  readonly since?: string;
  /** RFC 3339 UTC; sessions that started before. */
  readonly until?: string;
  /** Only sessions in which something was blocked. */
  readonly blocked?: boolean;
  /** Only sessions with a statement of this verdict. */
  readonly verdict?: string;
  /** `policy/rule`, or the rule's name alone. */
  readonly rule?: string;
  /** `schema.table`, or the table's name alone; case does not matter. */
  readonly table?: string;
  /** An entity or mask that replaced a value. */
  readonly entity?: string;
  /** Id of a request for approval. */
  readonly approval?: string;
  /** Words that one statement of the session holds, in any order; the last may be a beginning. */
  readonly text?: string;
  readonly correlationId?: string;
  /** `next` of the page before, or the id of its last session. */
  readonly cursor?: string;
  /** 1 to 1,000; 100 where left out. */
  readonly limit?: number;
}

type Values = readonly (string | number)[];

interface Condition {
  readonly sql: string;
  readonly values: Values;
}

/**
 * One way to find the sessions: by what is rare among what was asked for. `probe` counts how rare, `sessions` are they in
 * SQL, and `condition` is the same as a test of one session that something else has found.
 */
interface Way {
  readonly probe: Condition;
  readonly from: string;
  readonly condition: Condition;
  readonly own: Condition;
}

/** Beyond so many finds it makes no difference how many there are: the newest are soon found by time. */
const MANY = 5000;

/**
 * A filter as SQL that ends in `ORDER BY`; `sessions` and `at` are the session's row and start. Every filter is found
 * by an index in the order of time, the rarest first, so that a page costs about the same in a store of any size.
 *
 * @throws HoopError `usage` for a cursor, verdict or time that is none
 */
export function sessionQuery(database: DatabaseSyncInstance, filter: SessionFilter): Condition {
  const ways = [...terms(filter).map(termWay), ...textWays(database, filter.text)];
  const driver = rarest(database, ways);
  const time = driver === undefined || driver.from === '' ? 'sessions.started_at' : 'found.started_at';
  const id = driver === undefined || driver.from === '' ? 'sessions.id' : 'found.session';
  const parts: Condition[] = ways.filter((way) => way !== driver).map(({ condition }) => condition);
  if (driver !== undefined) parts.unshift(driver.own);
  const add = (sql: string, ...values: Values): void => void parts.push({ sql, values });
  if (filter.owner !== undefined)
    add('(sessions.subject = ? AND sessions.issuer = ?)', filter.owner.subject, filter.owner.issuer);
  if (filter.verdict === 'allow')
    add("EXISTS (SELECT 1 FROM statements WHERE session = sessions.id AND action = 'allow')");
  if (filter.since !== undefined) add(`${time} >= ?`, comparable(filter.since));
  if (filter.until !== undefined) add(`${time} < ?`, comparable(filter.until));
  if (filter.cursor !== undefined && filter.cursor !== '')
    add(`(${time}, ${id}) < (?, ?)`, ...cursorOf(database, filter.cursor, filter.owner));
  const from = driver === undefined || driver.from === '' ? 'sessions' : `${driver.from} CROSS JOIN sessions`;
  const where = parts.length === 0 ? '' : `WHERE ${parts.map(({ sql }) => sql).join(' AND ')}`;
  return {
    sql: `FROM ${from} ${where} ORDER BY ${time} DESC, ${id} DESC`,
    values: parts.flatMap(({ values }) => values),
  };
}

/** `would-…`: by a policy in observe mode. */
const VERDICTS = ['allow', 'warn', 'block', 'approve', 'would-warn', 'would-block', 'would-approve'];

function terms(filter: SessionFilter): readonly (readonly [TermKind, string])[] {
  const { verdict } = filter;
  if (verdict !== undefined && !VERDICTS.includes(verdict))
    throw new HoopError('usage', `verdict is none of ${VERDICTS.join(', ')}`);
  const asked: readonly (readonly [TermKind, string | undefined])[] = [
    ['user', filter.user],
    ['user', filter.owner?.subject],
    ['group', filter.group],
    ['connection', filter.connection],
    ['correlation', filter.correlationId],
    ['verdict', filter.blocked === true ? 'block' : undefined],
    ['verdict', verdict === 'allow' ? undefined : verdict],
    ['rule', filter.rule],
    ['table', filter.table?.toLowerCase()],
    ['entity', filter.entity?.toLowerCase()],
    ['approval', filter.approval],
  ];
  return asked.filter((entry): entry is readonly [TermKind, string] => entry[1] !== undefined);
}

function termWay([kind, term]: readonly [TermKind, string]): Way {
  const values = [kind, term];
  const found = 'FROM session_terms WHERE kind = ? AND term = ?';
  return {
    probe: { sql: `SELECT 1 ${found}`, values },
    from: 'session_terms AS found',
    own: { sql: 'found.kind = ? AND found.term = ? AND sessions.id = found.session', values },
    condition: {
      sql: `EXISTS (SELECT 1 ${found} AND started_at = sessions.started_at AND session = sessions.id)`,
      values,
    },
  };
}

/**
 * A beginning is looked for in the lists of all words that begin so, at once, which takes long where they are long. Words
 * that stand in very many statements as they are fill every page by themselves, and are looked for as they are.
 */
function textWays(database: DatabaseSyncInstance, text: string | undefined): readonly Way[] {
  if (text === undefined) return [];
  const whole = wholeWordQuery(text);
  const never: Condition = { sql: '0', values: [] };
  // Text without a word is in no statement.
  if (whole === '') return [{ probe: { sql: 'SELECT 1 WHERE 0', values: [] }, from: '', own: never, condition: never }];
  const words = 'SELECT rowid FROM statement_words WHERE statement_words MATCH ?';
  const many = count(database, { sql: words, values: [whole] }) >= MANY;
  const values = [many ? whole : wordQuery(text)];
  const own = { sql: `sessions.id IN (SELECT session FROM statements WHERE row IN (${words}))`, values };
  // One look into the words of all rows between the session's first and last; `+` keeps its rows from leading the search.
  const rows = (what: string): string => `(SELECT ${what} FROM statements WHERE session = sessions.id)`;
  const heard = `EXISTS (SELECT 1 FROM statement_words AS heard WHERE heard.statement_words MATCH ?
    AND heard.rowid BETWEEN ${rows('min(row)')} AND ${rows('max(row)')} AND +heard.rowid IN ${rows('row')})`;
  return [{ probe: { sql: words, values }, from: '', own, condition: many ? { sql: heard, values } : own }];
}

function count(database: DatabaseSyncInstance, { sql, values }: Condition): number {
  const counted = database.prepare(`SELECT count(*) AS found FROM (${sql} LIMIT ${String(MANY)})`);
  return (counted.get(...values) as { readonly found: number }).found;
}

/** Undefined where nothing is asked for, or words alone that stand everywhere. */
function rarest(database: DatabaseSyncInstance, ways: readonly Way[]): Way | undefined {
  const [only] = ways;
  if (ways.length === 1 && only !== undefined && only.from !== '') return only;
  let best: Way | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const way of ways) {
    const found = count(database, way.probe);
    if (found >= fewest || (found >= MANY && way.from === '')) continue;
    best = way;
    fewest = found;
  }
  return best;
}

/** A session of somebody else's is none, for those who may see their own alone: it must not show that it is there, or since when. */
function cursorOf(
  database: DatabaseSyncInstance,
  cursor: string,
  owner: SessionFilter['owner'],
): readonly [string, string] {
  const [startedAt, id] = cursor.split('~');
  if (startedAt !== undefined && id !== undefined) return [startedAt, id];
  const last = database
    .prepare('SELECT started_at AS startedAt, subject, issuer FROM sessions WHERE id = ?')
    .get(cursor) as { readonly startedAt: string; readonly subject: string; readonly issuer: string } | undefined;
  const visible = owner === undefined || (last?.subject === owner.subject && last.issuer === owner.issuer);
  if (last === undefined || !visible) throw new HoopError('usage', 'cursor is not one that a list gave');
  return [last.startedAt, cursor];
}

/**
 * Times are kept with six digits of a second, so that text order is time order; others are brought to it.
 *
 * @throws HoopError `usage`
 */
export function comparable(time: string): string {
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/.test(time)) return time;
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new HoopError('usage', 'time is not RFC 3339');
  return new Date(ms).toISOString().replace('Z', '000Z');
}
