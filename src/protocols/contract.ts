import type { ErrorCode, Fault } from '../core/errors.js';
import type { RecordedEvent, RequestEvent, StatementEvent } from '../core/events.js';
import type { Facts, SqlFacts } from '../policy/types.js';

export type Side = 'client' | 'upstream';

/** What a session wants done, in order. Only the drive carries steps out. */
export type Step =
  | { readonly kind: 'send'; readonly to: Side; readonly bytes: Uint8Array }
  | { readonly kind: 'ask'; readonly ticket: number; readonly question: Question }
  /** A text too large to be read in passing is read beside the program; then the ticket is answered with `allow`. */
  | { readonly kind: 'study'; readonly ticket: number; readonly text: string }
  | { readonly kind: 'record'; readonly event: RecordedEvent }
  /** Both sides end after what was sent before is flushed. */
  | { readonly kind: 'close'; readonly reason: string; readonly fault?: Fault };

/** One statement or request to decide. */
export interface Question {
  /** Numbers the statements of the session from 1. */
  readonly statement: number;
  readonly facts: Facts;
  /** The same object means the same facts, besides what is bound to a statement. */
  readonly basis: object;
  /**
   * `prepare`: text that is only parsed now; it is refused when it would be blocked whatever is
   * bound to it, and asked again, as `run`, when it is to be executed.
   */
  readonly phase: 'prepare' | 'run';
  /**
   * More is known of it than its text tells: from now on these are its facts, in the record too.
   *
   * @param basis the same object for the same facts, whatever is bound
   */
  completed(facts: Facts, basis: object): void;
  /** What the record says of it, masked; the drive writes it before anything goes up. Undefined where there is nothing to say. */
  event(): StatementEvent | RequestEvent | undefined;
  /** Masked text for a reviewer, whole. */
  reviewText(): string;
  /** What a grant is bound to: exact text and bound parameters. */
  bindTo(): Uint8Array;
  /** Of protocols whose servers can be asked about a statement before it runs. */
  held?(): HeldStatement;
}

/**
 * A statement as its server would get it, exact and unmasked: for asking that server about it, never for people, the
 * record or the log.
 */
export interface HeldStatement {
  readonly text: string;
  /** Object ids of the types of its parameters; 0 or missing where left open. */
  readonly types: readonly number[];
  /** Formats of the values, by the wire's rule. */
  readonly formats: readonly number[];
  readonly values: readonly (Uint8Array | null)[];
  /** Facts of the text alone. */
  readonly basis: SqlFacts;
  /** The same with all that is known of it by now. */
  readonly facts: SqlFacts;
  /** Has its session done what may change what it means: settings, prepared statements, temporary tables? */
  readonly sessionChanged: boolean;
}

/** What was decided. After `hold` the ticket stays open until another decision follows. */
export type Decision =
  | { readonly action: 'allow'; readonly notices: readonly string[] }
  /** `code` where it is not policy that refuses: `recording_failed`, `limit`, … */
  | { readonly action: 'block'; readonly message: string; readonly code?: ErrorCode; readonly hint?: string }
  | { readonly action: 'hold'; readonly request: string; readonly message: string }
  | { readonly action: 'denied'; readonly message: string }
  | { readonly action: 'timeout'; readonly message: string }
  /** The client withdrew it. */
  | { readonly action: 'cancelled' };

/**
 * A protocol's state machine. It touches no socket, clock or store: it takes input and gives steps.
 *
 * The drive promises: while a ticket is open, nothing more of the client's side is given; steps
 * are carried out in order, but that what is recorded of answers comes behind the bytes around it; after `close` nothing
 * is given any more.
 */
export interface Session<In> {
  receive(from: Side, input: In): readonly Step[];
  answer(ticket: number, decision: Decision): readonly Step[];
  /** The side hung up. */
  end(from: Side): readonly Step[];
}
