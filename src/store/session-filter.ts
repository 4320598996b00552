import { HoopError } from '../core/errors.js';
import { wordQuery } from './word-query.js';

export interface SessionFilter {
  /** Subject or e-mail, exact. */
  readonly user?: string;
  /** Only this person's, where a caller may see no others. */
  readonly owner?: { readonly subject: string; readonly issuer: string };
  readonly connection?: string;
  /** RFC 3339 UTC; sessions that started at or after. */
  readonly since?: string;
  /** RFC 3339 UTC; sessions that started before. */
  readonly until?: string;
  /** Only sessions in which something was blocked. */
  readonly blocked?: boolean;
  /** Words that one statement of the session holds, in any order; the last may be a beginning. */
  readonly text?: string;
  readonly correlationId?: string;
  /** `next` of the page before. */
  readonly cursor?: string;
  /** 1 to 1,000; 100 where left out. */
  readonly limit?: number;
}

/** A filter as SQL over the sessions' table. @throws HoopError `usage` for a cursor or time that is none */
export function conditions(filter: SessionFilter): {
  readonly where: string;
  readonly values: readonly (string | number)[];
} {
  const parts: string[] = [];
  const values: (string | number)[] = [];
  const add = (sql: string, ...given: readonly string[]): void => {
    parts.push(sql);
    values.push(...given);
  };
  if (filter.user !== undefined) add('(subject = ? OR email = ?)', filter.user, filter.user);
  if (filter.owner !== undefined) add('(subject = ? AND issuer = ?)', filter.owner.subject, filter.owner.issuer);
  if (filter.connection !== undefined) add('connection = ?', filter.connection);
  if (filter.since !== undefined) add('started_at >= ?', comparable(filter.since));
  if (filter.until !== undefined) add('started_at < ?', comparable(filter.until));
  if (filter.blocked === true) add('blocked > 0');
  if (filter.correlationId !== undefined) add('correlation_id = ?', filter.correlationId);
  if (filter.text !== undefined) {
    const query = wordQuery(filter.text);
    // Text without a word is in no statement.
    if (query === '') add('0');
    else
      add(
        'id IN (SELECT session FROM statements WHERE row IN (SELECT rowid FROM statement_words WHERE statement_words MATCH ?))',
        query,
      );
  }
  if (filter.cursor !== undefined && filter.cursor !== '') {
    const [startedAt, id] = filter.cursor.split('~');
    if (startedAt === undefined || id === undefined) throw new HoopError('usage', 'cursor is not one that a list gave');
    add('(started_at, id) < (?, ?)', startedAt, id);
  }
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values };
}

/** Times are kept with six digits of a second, so that text order is time order; others are brought to it. */
function comparable(time: string): string {
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/.test(time)) return time;
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new HoopError('usage', 'time is not RFC 3339');
  return new Date(ms).toISOString().replace('Z', '000Z');
}
