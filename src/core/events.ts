import type { Identity } from './identity.js';

/**
 * What a recording is made of. A room says what happened (`RecordedEvent`); the recorder adds
 * `seq`, `at`, `prev` and `hash`. Whatever is put here must be masked already.
 */
export type RecordedEvent =
  | SessionStart
  | StatementEvent
  | DecisionEvent
  | ApprovalRequested
  | ApprovalResolved
  | ResultEvent
  | OutputEvent
  | SessionEnd;

export interface SessionStart {
  readonly type: 'session.start';
  readonly session: string;
  readonly user: Pick<Identity, 'subject' | 'email' | 'groups' | 'issuer' | 'machine' | 'attributes'>;
  readonly connection: {
    readonly name: string;
    readonly type: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** The stored credential's name (for databases its user name), never its value. */
  readonly credential: string;
  /** What the client says of itself, e.g. `application_name`; and the address it came from. */
  readonly client: { readonly application?: string; readonly address?: string; readonly database?: string };
  readonly correlationId?: string;
}

export interface StatementEvent {
  readonly type: 'statement';
  /** Numbers the statements of a session from 1; decision, approval and result refer to it. */
  readonly statement: number;
  /** Masked text. */
  readonly text: string;
  /** `query`, `parse`, `execute`, `startup`, `function-call` */
  readonly via: string;
  /** Masked, bounded text form of bound values; null for NULL. */
  readonly params?: readonly (string | null)[];
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Bytes of the whole text where `text` was cut. */
  readonly textBytes?: number;
}

export interface DecisionEvent {
  readonly type: 'decision';
  readonly statement: number;
  readonly action: 'allow' | 'warn' | 'block' | 'approve';
  /** `policy/rule` of every rule met, the deciding one first. */
  readonly rules: readonly string[];
  readonly message?: string;
  readonly policyHash: string;
  /** What an observing policy would have done. */
  readonly observed?: readonly { readonly rule: string; readonly action: string }[];
}

export interface ApprovalRequested {
  readonly type: 'approval.requested';
  readonly statement: number;
  readonly request: string;
  readonly flow: string;
}

export interface ApprovalResolved {
  readonly type: 'approval.resolved';
  readonly statement: number;
  readonly request: string;
  readonly outcome: 'approved' | 'denied' | 'expired' | 'cancelled';
  readonly by?: string;
  readonly reason?: string;
}

export interface ResultEvent {
  readonly type: 'result';
  readonly statement: number;
  /** The server's command tag, e.g. `SELECT 3`. */
  readonly tag?: string;
  readonly rows?: number;
  readonly bytes?: number;
  /** Values masked, by entity or mask name. */
  readonly masked?: Readonly<Record<string, number>>;
  readonly durationMs?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface OutputEvent {
  readonly type: 'output';
  readonly statement: number;
  readonly columns?: readonly string[];
  /** Masked rows, bounded; null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** True size of all rows, in rows; more than `rows.length` when cut. */
  readonly totalRows: number;
}

export interface SessionEnd {
  readonly type: 'session.end';
  /** `client`, `upstream`, `agent`, `revoked`, `fault`, `crash` */
  readonly reason: string;
  readonly statements: number;
  readonly blocked: number;
}

/** One line of a recording as it stands in the file. */
export interface ChainedEvent {
  readonly seq: number;
  /** RFC 3339 UTC with microseconds. */
  readonly at: string;
  readonly type: string;
  /** Hex SHA-256 of the event before; 64 zeros for the first. */
  readonly prev: string;
  /** Hex SHA-256 of this event's canonical JSON (RFC 8785) without `hash`. */
  readonly hash: string;
  readonly [field: string]: unknown;
}
