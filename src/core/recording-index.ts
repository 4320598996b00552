import type { SessionSummary } from './session-summary.js';

/** One statement as searches find it: the first of each text and verdict in its session. */
export interface StatementRow {
  readonly session: string;
  readonly statement: number;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** Masked text. */
  readonly text: string;
  /** `allow`, `warn`, `block`, `approve`; empty where the session ended before a verdict. */
  readonly action: string;
  /** `policy/rule`, the deciding one first. */
  readonly rules: readonly string[];
}

/** What sessions are found by, besides time and words; a session has any number of each. */
export type TermKind =
  'user' | 'group' | 'connection' | 'correlation' | 'verdict' | 'rule' | 'table' | 'entity' | 'approval';

/** One thing that a session is found by. */
export interface SessionTerm {
  readonly session: string;
  /** Start of the session, RFC 3339 UTC. */
  readonly startedAt: string;
  readonly kind: TermKind;
  readonly term: string;
}

/**
 * What the recorder tells whoever lists and searches sessions (the store implements it).
 *
 * Calls return at once and may be batched; telling the same thing twice changes nothing, so that
 * recovery can tell it again. The recording stays the truth: an index can be rebuilt from it.
 */
export interface RecordingIndex {
  sessionOpened(summary: SessionSummary): void;
  sessionSealed(summary: SessionSummary): void;
  statementsSeen(rows: readonly StatementRow[]): void;
  /** Left out: such searches find nothing. */
  termsSeen?(terms: readonly SessionTerm[]): void;
  /** Was it told of that session, as far as it is on disk? Left out: of all. */
  knows?(session: string): boolean;
  /** Everything told so far is on disk when this returns. */
  flush(): void;
  /** The same without holding up the program: it is on disk when the promise resolves. Left out: `flush` is called. */
  drain?(): Promise<void>;
}
