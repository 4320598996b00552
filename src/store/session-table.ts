import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { HoopError } from '../core/errors.js';
import type { SessionTerm, StatementRow, TermKind } from '../core/recording-index.js';
import type { SessionSummary } from '../core/session-summary.js';
import { inTransaction } from './database.js';
import type { LogFile } from './log-file.js';
import { comparable, sessionQuery } from './session-filter.js';
import type { SessionFilter } from './session-filter.js';

export type { SessionFilter } from './session-filter.js';

export interface SessionPage {
  /** Newest first. */
  readonly items: readonly SessionSummary[];
  /** Cursor of the next page; empty on the last. */
  readonly next: string;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** Pause in which what happened is gathered, in ms. */
const BATCH_MS = 50;
/** Sessions, and statements, of one transaction that nobody waits for: about a millisecond of work. */
const SLICE = 32;
/** Characters of statements after which a slice takes no more. */
const SLICE_CHARS = 32 * 1024;
/** Terms of a slice, for each session of it. */
const TERMS_OF_A_SESSION = 8;
/** Most statements, and terms, kept in memory while the store can't be written. */
const MAX_KEPT_ROWS = 50_000;

const COLUMNS =
  'id, connection, connection_type AS connectionType, subject, issuer, email, credential, correlation_id AS correlationId, ' +
  'sessions.started_at AS startedAt, ended_at AS endedAt, statements, blocked, approvals, file, head, events, title, end_reason AS endReason';

/** How much of each a transaction took. */
interface Written {
  readonly sessions: number;
  readonly rows: number;
  readonly terms: number;
}

/** Not run yet is undefined: statements are made once, when first needed. */
type Prepared = ReturnType<DatabaseSyncInstance['prepare']> | undefined;

/**
 * The index of sessions and their statements. What is told is gathered and written a little later, in transactions
 * of about a millisecond that do not wait for the disk, so that no session waits; readers see it at once.
 */
export class SessionTable {
  readonly #database: DatabaseSyncInstance;
  readonly #onFault: () => void;
  readonly #log: LogFile;
  readonly #summaries = new Map<string, SessionSummary>();
  #rows: StatementRow[] = [];
  #terms: SessionTerm[] = [];
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #putSession: Prepared;
  #putStatement: Prepared;
  #putTerm: Prepared;

  /**
   * @param onFault a batch that nobody waited for could not be written; it is kept and tried again
   * @param log the database's write-ahead log
   */
  constructor(database: DatabaseSyncInstance, onFault: () => void, log: LogFile) {
    this.#database = database;
    this.#onFault = onFault;
    this.#log = log;
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

  terms(terms: readonly SessionTerm[]): void {
    for (const term of terms) this.#terms.push(term);
    this.#schedule();
  }

  /** Everything told so far is on disk when this returns. Throws what SQLite and the system throw, and keeps what was told. */
  flush(): void {
    this.#writeAll();
    this.#log.syncNow();
  }

  /** The same without holding anyone up: everything told so far is on disk when the promise resolves. */
  async drain(): Promise<void> {
    // What is told meanwhile comes behind, and is not waited for.
    let sessions = this.#summaries.size;
    let rows = this.#rows.length;
    let terms = this.#terms.length;
    while (sessions > 0 || rows > 0 || terms > 0) {
      const written = this.#write(SLICE, SLICE_CHARS);
      sessions -= written.sessions;
      rows -= written.rows;
      terms -= written.terms;
      await new Promise((resolve) => setImmediate(resolve));
      sessions = Math.min(sessions, this.#summaries.size);
      rows = Math.min(rows, this.#rows.length);
      terms = Math.min(terms, this.#terms.length);
    }
    await this.#log.sync();
  }

  get(id: string): SessionSummary | undefined {
    this.#writeAll();
    const row = this.#database.prepare(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`).get(id) as
      SessionSummary | undefined;
    // Rows have no prototype; a copy is a plain object like any other.
    return row === undefined ? undefined : { ...row };
  }

  /**
   * Takes what sessions said out of the index, as their recordings are gone: those of a day up to one of them. That
   * they were, by whom and when, stays. In transactions of a few sessions each.
   *
   * @param date `YYYY-MM-DD`
   */
  async forget(date: string, through: string): Promise<void> {
    this.#writeAll();
    const ids = this.#database
      .prepare("SELECT id FROM sessions WHERE started_at >= ? AND started_at < ? AND id <= ? AND title <> ''")
      .all(`${date}T`, `${date}U`, through) as { readonly id: string }[];
    for (let at = 0; at < ids.length; at += SLICE) {
      inTransaction(this.#database, () => {
        for (const { id } of ids.slice(at, at + SLICE)) {
          this.#database.prepare('DELETE FROM statements WHERE session = ?').run(id);
          this.#database.prepare("UPDATE sessions SET title = '' WHERE id = ?").run(id);
        }
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Sessions that ended of their own shortly before the last that did. Reads every row: for starts after a crash.
   *
   * @param withinMs how long before
   */
  lastEnded(withinMs: number): readonly string[] {
    this.#writeAll();
    const last = this.#database
      .prepare("SELECT max(ended_at) AS at FROM sessions WHERE end_reason <> 'crash' OR end_reason IS NULL")
      .get() as { readonly at: string | null };
    if (last.at === null || last.at === '') return [];
    const from = comparable(new Date(Date.parse(last.at) - withinMs).toISOString());
    const rows = this.#database.prepare('SELECT id FROM sessions WHERE ended_at >= ? ORDER BY ended_at').all(from);
    return (rows as { readonly id: string }[]).map(({ id }) => id);
  }

  /** @throws HoopError `usage` for a cursor or limit that is none */
  list(filter: SessionFilter = {}): SessionPage {
    this.#writeAll();
    const limit = filter.limit ?? DEFAULT_LIMIT;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw new HoopError('usage', `limit is not 1 to ${MAX_LIMIT}`);
    const { sql, values } = sessionQuery(this.#database, filter);
    const query = this.#database.prepare(`SELECT ${COLUMNS} ${sql} LIMIT ?`);
    const rows = query.all(...values, limit + 1) as SessionSummary[];
    const items = rows.slice(0, limit).map((row) => ({ ...row }));
    const last = items.at(-1);
    return { items, next: rows.length > limit && last !== undefined ? `${last.startedAt}~${last.id}` : '' };
  }

  #put(summary: SessionSummary): void {
    this.#summaries.set(summary.id, summary);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#soon !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writeSome();
    }, BATCH_MS);
    this.#timer.unref();
  }

  /** One slice a turn, until nothing is left. */
  #writeSome(): void {
    try {
      // Larger where sessions come by the thousand: small transactions cost half as much again.
      this.#write(Math.max(SLICE, this.#summaries.size >> 2), SLICE_CHARS);
      if (this.#isEmpty) return;
      this.#soon = setImmediate(() => {
        this.#soon = undefined;
        this.#writeSome();
      });
    } catch {
      // The recordings hold it all; memory must not fill up with what can't be written.
      if (this.#rows.length > MAX_KEPT_ROWS) this.#rows = [];
      if (this.#terms.length > MAX_KEPT_ROWS) this.#terms = [];
      this.#onFault();
    }
  }

  #writeAll(): void {
    this.#write(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** Commits without waiting for the disk; `#log` puts it there. */
  #write(most: number, mostChars: number): Written {
    if (this.#isEmpty) return { sessions: 0, rows: 0, terms: 0 };
    let sessions: string[] = [];
    let rows = 0;
    let terms = 0;
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      inTransaction(this.#database, () => {
        sessions = this.#writeSummaries(most);
        rows = this.#writeRows(most, mostChars);
        terms = this.#writeTerms(most * TERMS_OF_A_SESSION);
      });
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
    for (const id of sessions) this.#summaries.delete(id);
    this.#rows = rows === this.#rows.length ? [] : this.#rows.slice(rows);
    this.#terms = terms === this.#terms.length ? [] : this.#terms.slice(terms);
    return { sessions: sessions.length, rows, terms };
  }

  get #isEmpty(): boolean {
    return this.#summaries.size === 0 && this.#rows.length === 0 && this.#terms.length === 0;
  }

  #writeSummaries(most: number): string[] {
    // A session that is sealed stays sealed, whatever is told late.
    const put = (this.#putSession ??= this.#database.prepare(
      `INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, statements = excluded.statements, blocked = excluded.blocked,
         approvals = excluded.approvals, head = excluded.head, events = excluded.events,
         title = excluded.title, end_reason = excluded.end_reason WHERE sessions.head = ''`,
    ));
    const written: string[] = [];
    for (const s of this.#summaries.values()) {
      if (written.length === most) break;
      const who = [s.id, s.connection, s.connectionType, s.subject, s.issuer, s.email, s.credential, s.correlationId];
      const counts = [s.statements, s.blocked, s.approvals, s.file, s.head, s.events, s.title ?? '', s.endReason ?? ''];
      put.run(...who, s.startedAt, s.endedAt, ...counts);
      this.#writeOwnTerms(s);
      written.push(s.id);
    }
    return written;
  }

  /** What the summary itself is found by. */
  #writeOwnTerms(s: SessionSummary): void {
    this.#writeTerm('user', s.subject, s.startedAt, s.id);
    if (s.email !== '' && s.email !== s.subject) this.#writeTerm('user', s.email, s.startedAt, s.id);
    this.#writeTerm('connection', s.connection, s.startedAt, s.id);
    if (s.correlationId !== '') this.#writeTerm('correlation', s.correlationId, s.startedAt, s.id);
    if (s.blocked > 0) this.#writeTerm('verdict', 'block', s.startedAt, s.id);
  }

  #writeTerms(most: number): number {
    let written = 0;
    for (const { kind, term, startedAt, session } of this.#terms) {
      if (written >= most) break;
      this.#writeTerm(kind, term, startedAt, session);
      written += 1;
    }
    return written;
  }

  #writeTerm(kind: TermKind, term: string, startedAt: string, session: string): void {
    const put = (this.#putTerm ??= this.#database.prepare('INSERT OR IGNORE INTO session_terms VALUES (?, ?, ?, ?)'));
    put.run(kind, term, startedAt, session);
  }

  #writeRows(most: number, mostChars: number): number {
    const put = (this.#putStatement ??= this.#database.prepare(
      `INSERT INTO statements (session, statement, at, text, action, rules) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (session, statement) DO UPDATE SET action = excluded.action, rules = excluded.rules`,
    ));
    let written = 0;
    let chars = 0;
    for (const row of this.#rows) {
      if (written === most || chars > mostChars) break;
      put.run(row.session, row.statement, row.at, row.text, row.action, JSON.stringify(row.rules));
      written += 1;
      chars += row.text.length;
    }
    return written;
  }
}
