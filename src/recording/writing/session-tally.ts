import type { ChainedEvent, RecordedEvent, SessionStart } from '../../core/events.js';
import type { SessionTerm, StatementRow } from '../../core/recording-index.js';
import type { SessionSummary } from '../../core/session-summary.js';
import { SessionTerms } from './session-terms.js';

/** Texts remembered to tell the index each only once; beyond them repeats are told again. */
const MAX_TEXTS = 512;
/** Longer texts are told without being remembered. */
const MAX_REMEMBERED_CHARS = 1024;
/** Most characters of a statement that the index holds; the recording holds all. */
export const MAX_INDEXED_CHARS = 64 * 1024;
/** Most characters of a session's title. */
const MAX_TITLE_CHARS = 120;

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
  #start: { readonly event: SessionStart; readonly at: string } | undefined;
  #title = '';
  /** What the client asked for in its start-up: the title only of a session that did nothing else. */
  #startup = '';
  #endedAt = '';
  #endReason = '';
  #rows: StatementRow[] = [];
  /** The decision of a statement follows it before the next statement comes. */
  #undecided: Undecided | undefined;
  readonly #terms = new SessionTerms();
  /** Verdicts told of each text. */
  readonly #told = new Map<string, string[]>();

  observe(event: RecordedEvent | ChainedEvent, at: string): void {
    // An event read back from a file holds what a recorded one does, and the chain's own members.
    const recorded = event as RecordedEvent;
    this.#terms.observe(recorded, at);
    switch (recorded.type) {
      case 'session.start':
        this.#start = { event: recorded, at };
        return;
      case 'statement':
        this.#asked(recorded.statement, recorded.text, recorded.text, at);
        return;
      case 'request': {
        const { method, path, endpoint, model, text } = recorded;
        const name = model === undefined ? `${method} ${path}` : `${endpoint ?? path} ${model}`;
        this.#asked(recorded.statement, model === undefined ? text : `${model} ${text}`, name, at);
        return;
      }
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
        this.#endReason = recorded.reason;
        if (this.#undecided !== undefined) this.#tell(this.#undecided, '', []);
        this.#undecided = undefined;
        return;
      default:
    }
  }

  /** @param chain head and number of events once sealed; empty and 0 before */
  summary(chain: { readonly head: string; readonly events: number } = { head: '', events: 0 }): SessionSummary {
    if (this.#start === undefined) throw new TypeError('no session.start seen');
    const { event, at } = this.#start;
    return {
      id: event.session,
      connection: event.connection.name,
      connectionType: event.connection.type,
      subject: event.user.subject,
      issuer: event.user.issuer,
      email: event.user.email,
      credential: event.credential,
      correlationId: event.correlationId ?? '',
      startedAt: at,
      endedAt: this.#endedAt,
      endReason: this.#endReason,
      statements: this.statements,
      blocked: this.blocked,
      approvals: this.approvals,
      file: `${at.slice(0, 10)}/${event.session}.ndjson`,
      head: chain.head,
      events: chain.events,
      title: this.#title === '' ? this.#startup : this.#title,
    };
  }

  /** Rows for the index since the last call. */
  takeRows(): readonly StatementRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** What the session is found by, since the last call. */
  takeTerms(): readonly SessionTerm[] {
    return this.#terms.take();
  }

  #asked(statement: number, text: string, title: string, at: string): void {
    // Start-up settings are decided like a statement, but nobody ran one: `session.end` counts none either.
    if (statement === 0) this.#startup = titleOf(title);
    else {
      this.statements += 1;
      if (this.#title === '') this.#title = titleOf(title);
    }
    if (this.#undecided !== undefined) this.#tell(this.#undecided, '', []);
    this.#undecided = { at, text, statement };
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
    this.#rows.push({ session: this.#start?.event.session ?? '', at, text: indexed, statement, action, rules });
  }
}

/** One line, cut. Masked already, as all that is recorded. */
function titleOf(text: string): string {
  const line = text
    .slice(0, 2 * MAX_TITLE_CHARS)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= MAX_TITLE_CHARS && text.length <= 2 * MAX_TITLE_CHARS
    ? line
    : `${line.slice(0, MAX_TITLE_CHARS - 1)}…`;
}
