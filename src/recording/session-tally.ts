import type { ChainedEvent, RecordedEvent, SessionStart } from '../core/events.js';
import type { StatementRow } from '../core/recording-index.js';
import type { SessionSummary } from '../core/session-summary.js';

/** Texts remembered to tell the index each only once; beyond them repeats are told again. */
const MAX_TEXTS = 512;
/** Longer texts are told without being remembered. */
const MAX_REMEMBERED_CHARS = 1024;
/** Most characters of a statement that the index holds; the recording holds all. */
export const MAX_INDEXED_CHARS = 64 * 1024;

type Undecided = Pick<StatementRow, 'at' | 'text' | 'statement'>;

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
  /** The decision of a statement follows it before the next statement comes. */
  #undecided: Undecided | undefined;
  /** Verdicts told of each text. */
  readonly #told = new Map<string, string[]>();

  observe(event: RecordedEvent | ChainedEvent, at: string): void {
    // An event read back from a file holds what a recorded one does, and the chain's own members.
    const recorded = event as RecordedEvent;
    switch (recorded.type) {
      case 'session.start':
        this.#open = openSummary(recorded, at);
        return;
      case 'statement':
        this.statements += 1;
        if (this.#undecided !== undefined) this.#tell(this.#undecided, '', []);
        this.#undecided = { at, text: recorded.text, statement: recorded.statement };
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
        if (this.#undecided !== undefined) this.#tell(this.#undecided, '', []);
        this.#undecided = undefined;
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

  #decided(statement: number, action: string, rules: readonly string[]): void {
    const told = this.#undecided;
    if (told?.statement !== statement) return;
    this.#undecided = undefined;
    this.#tell(told, action, rules);
  }

  #tell({ at, text, statement }: Undecided, action: string, rules: readonly string[]): void {
    if (text.length <= MAX_REMEMBERED_CHARS) {
      const verdict = rules.length === 0 ? action : `${action} ${rules.join(' ')}`;
      const told = this.#told.get(text);
      if (told?.includes(verdict) === true) return;
      if (told !== undefined) told.push(verdict);
      else if (this.#told.size < MAX_TEXTS) this.#told.set(text, [verdict]);
    }
    const indexed = text.length > MAX_INDEXED_CHARS ? text.slice(0, MAX_INDEXED_CHARS) : text;
    this.#rows.push({ session: this.#open?.id ?? '', at, text: indexed, statement, action, rules });
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
