import type { ChainedEvent, RecordedEvent, SessionStart } from '../core/events.js';
import type { StatementRow } from '../core/recording-index.js';
import type { SessionSummary } from '../core/session-summary.js';

/** Texts remembered to tell the index each only once; beyond them repeats are told again. */
const MAX_TEXTS = 512;
/** Longer texts are told without being remembered. */
const MAX_REMEMBERED_CHARS = 1024;
/** Most characters of a statement that the index holds; the recording holds all. */
export const MAX_INDEXED_CHARS = 64 * 1024;

/**
 * Counts along with a session what lists and searches show of it. The recorder feeds it while the
 * session lives, recovery from the file after a crash: both give the same summary.
 */
export class SessionTally {
  statements = 0;
  blocked = 0;
  approvals = 0;
  ended = false;
  #open: Omit<SessionSummary, 'statements' | 'blocked' | 'approvals' | 'endedAt' | 'head' | 'events'> | undefined;
  #endedAt = '';
  #rows: StatementRow[] = [];
  readonly #waiting = new Map<number, StatementRow>();
  readonly #told = new Set<string>();

  observe(event: RecordedEvent | ChainedEvent, at: string): void {
    // An event read back from a file holds what a recorded one does, and the chain's own members.
    const recorded = event as RecordedEvent;
    switch (recorded.type) {
      case 'session.start':
        this.#open = openSummary(recorded, at);
        return;
      case 'statement':
        this.#statement({ session: this.#open?.id ?? '', at, text: recorded.text, statement: recorded.statement });
        return;
      case 'decision':
        if (recorded.action === 'block') this.blocked += 1;
        this.#decided(recorded.statement, recorded.action, recorded.rules);
        return;
      case 'approval.requested':
        this.approvals += 1;
        return;
      case 'session.end':
        this.ended = true;
        this.#endedAt = at;
        for (const row of this.#waiting.values()) this.#tell(row);
        this.#waiting.clear();
        return;
      default:
    }
  }

  /** @param chain head and number of events once sealed; empty and 0 before */
  summary(chain: { readonly head: string; readonly events: number } = { head: '', events: 0 }): SessionSummary {
    if (this.#open === undefined) throw new TypeError('no session.start seen');
    const { statements, blocked, approvals } = this;
    return { ...this.#open, endedAt: this.#endedAt, statements, blocked, approvals, ...chain };
  }

  /** Rows for the index since the last call. */
  takeRows(): readonly StatementRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #statement(row: Omit<StatementRow, 'action' | 'rules'>): void {
    this.statements += 1;
    const text = row.text.length > MAX_INDEXED_CHARS ? row.text.slice(0, MAX_INDEXED_CHARS) : row.text;
    this.#waiting.set(row.statement, { ...row, text, action: '', rules: [] });
  }

  #decided(statement: number, action: string, rules: readonly string[]): void {
    const row = this.#waiting.get(statement);
    if (row === undefined) return;
    this.#waiting.delete(statement);
    this.#tell({ ...row, action, rules });
  }

  #tell(row: StatementRow): void {
    if (row.text.length <= MAX_REMEMBERED_CHARS) {
      const key = `${row.action} ${row.rules.join(' ')} ${row.text}`;
      if (this.#told.has(key)) return;
      if (this.#told.size < MAX_TEXTS) this.#told.add(key);
    }
    this.#rows.push(row);
  }
}

function openSummary(start: SessionStart, at: string) {
  return {
    id: start.session,
    connection: start.connection.name,
    connectionType: start.connection.type,
    subject: start.user.subject,
    issuer: start.user.issuer,
    email: start.user.email,
    credential: start.credential,
    correlationId: start.correlationId ?? '',
    startedAt: at,
    file: `${at.slice(0, 10)}/${start.session}.ndjson`,
  };
}
