import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { HoopError } from '../core/errors.js';
import type { StatementRow } from '../core/recording-index.js';
import type { SessionSummary } from '../core/session-summary.js';
import { inTransaction } from './database.js';
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

export interface SessionPage {
  /** Newest first. */
  readonly items: readonly SessionSummary[];
  /** Cursor of the next page; empty on the last. */
  readonly next: string;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** Pause in which what happened is gathered into one transaction, in ms. */
const BATCH_MS = 100;
/** Most statements kept in memory while the store can't be written. */
const MAX_KEPT_ROWS = 50_000;

const COLUMNS =
  'id, connection, connection_type AS connectionType, subject, issuer, email, credential, correlation_id AS correlationId, ' +
  'started_at AS startedAt, ended_at AS endedAt, statements, blocked, approvals, file, head, events, title';

/**
 * The index of sessions and their statements. What is told is gathered and written in one
 * transaction a tenth of a second later, so that no session waits for the disk; readers see it at once.
 */
export class SessionTable {
  readonly #database: DatabaseSyncInstance;
  readonly #onFault: () => void;
  #summaries = new Map<string, SessionSummary>();
  #rows: StatementRow[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param onFault a batch that nobody waited for could not be written; it is kept and tried again */
  constructor(database: DatabaseSyncInstance, onFault: () => void) {
    this.#database = database;
    this.#onFault = onFault;
  }

  opened(summary: SessionSummary): void {
    this.#put(summary);
  }

  sealed(summary: SessionSummary): void {
    this.#put(summary);
  }

  statements(rows: readonly StatementRow[]): void {
    for (const row of rows) this.#rows.push(row);
    this.#schedule();
  }

  /** Everything told so far is on disk when this returns. Throws what SQLite throws, and keeps what was told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#summaries.size === 0 && this.#rows.length === 0) return;
    inTransaction(this.#database, () => {
      this.#writeSummaries();
      this.#writeRows();
    });
    this.#summaries = new Map();
    this.#rows = [];
  }

  get(id: string): SessionSummary | undefined {
    this.flush();
    const row = this.#database.prepare(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`).get(id) as
      SessionSummary | undefined;
    // Rows have no prototype; a copy is a plain object like any other.
    return row === undefined ? undefined : { ...row };
  }

  /** @throws HoopError `usage` for a cursor or limit that is none */
  list(filter: SessionFilter = {}): SessionPage {
    this.flush();
    const limit = filter.limit ?? DEFAULT_LIMIT;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw new HoopError('usage', `limit is not 1 to ${MAX_LIMIT}`);
    const { where, values } = conditions(filter);
    const sql = `SELECT ${COLUMNS} FROM sessions ${where} ORDER BY started_at DESC, id DESC LIMIT ?`;
    const rows = this.#database.prepare(sql).all(...values, limit + 1) as SessionSummary[];
    const items = rows.slice(0, limit).map((row) => ({ ...row }));
    const last = items.at(-1);
    return { items, next: rows.length > limit && last !== undefined ? `${last.startedAt}~${last.id}` : '' };
  }

  #put(summary: SessionSummary): void {
    this.#summaries.set(summary.id, summary);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      try {
        this.flush();
      } catch {
        // The recordings hold it all; memory must not fill up with what can't be written.
        if (this.#rows.length > MAX_KEPT_ROWS) this.#rows = [];
        this.#onFault();
      }
    }, BATCH_MS);
    this.#timer.unref();
  }

  #writeSummaries(): void {
    // A session that is sealed stays sealed, whatever is told late.
    const put = this.#database.prepare(
      `INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, statements = excluded.statements, blocked = excluded.blocked,
         approvals = excluded.approvals, head = excluded.head, events = excluded.events,
         title = excluded.title WHERE sessions.head = ''`,
    );
    for (const s of this.#summaries.values()) {
      const who = [s.id, s.connection, s.connectionType, s.subject, s.issuer, s.email, s.credential, s.correlationId];
      const counts = [s.statements, s.blocked, s.approvals, s.file, s.head, s.events, s.title ?? ''];
      put.run(...who, s.startedAt, s.endedAt, ...counts);
    }
  }

  #writeRows(): void {
    const put = this.#database.prepare(
      `INSERT INTO statements (session, statement, at, text, action, rules) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (session, statement) DO UPDATE SET action = excluded.action, rules = excluded.rules`,
    );
    for (const row of this.#rows)
      put.run(row.session, row.statement, row.at, row.text, row.action, JSON.stringify(row.rules));
  }
}

function conditions(filter: SessionFilter): { readonly where: string; readonly values: readonly (string | number)[] } {
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
