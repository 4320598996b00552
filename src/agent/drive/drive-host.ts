import type { ApprovalOutcome, ApprovalRequest, ApprovalVote, FlowProgress } from '../../core/approval.js';
import type { RecordedEvent, SessionEnd } from '../../core/events.js';
import type { Verdict } from '../../policy/types.js';
import type { SessionTrace } from '../tracing/session-trace.js';
import type { Question, Session, Step } from '../../protocols/contract.js';

/** A statement that waits for people. */
export interface Hold {
  readonly kind: 'wait';
  readonly request: ApprovalRequest;
  readonly outcome: Promise<ApprovalOutcome>;
  /** What its flows need. */
  readonly progress: readonly FlowProgress[];
  /** Calls the listener with each further approval, and whose it is. @returns what ends that */
  watch(listener: (progress: readonly FlowProgress[], vote: ApprovalVote) => void): () => void;
  withdraw(why: string): void;
  /** Why what was approved is not what would run now; undefined where it is. @param verdict policy's word by now */
  uncovered(question: Question, verdict: Verdict): string | undefined;
}

/** What becomes of a statement that needs approval. */
export type HoldAnswer =
  | Hold
  /** Approved before: it runs under these grants. */
  | {
      readonly kind: 'granted';
      readonly runs: readonly { readonly grant: string; readonly request: string; readonly by: string }[];
    }
  /** It goes ahead at once under break-glass. */
  | { readonly kind: 'broken'; readonly request: ApprovalRequest }
  /** Nobody can be asked for it. */
  | { readonly kind: 'refused'; readonly message: string };

/** What the drive needs of the agent. */
export interface DriveHost {
  /** Policy's word; a promise where something has to be read first. Throwing or rejecting blocks. */
  judge(question: Question): Verdict | Promise<Verdict>;
  /** Reads a large text beside the program; the session's own reading of it is quick then. */
  study(text: string): Promise<void>;
  /** Asks people, where nothing covers it already. Throwing blocks. */
  hold(question: Question, verdict: Verdict): HoldAnswer;
  record(event: RecordedEvent): void;
  /** Everything recorded is safe when this returns or resolves. */
  flush(): void | Promise<void>;
  seal(end: SessionEnd): Promise<void>;
  /** News for the person at the other end of the tunnel. */
  tell(event: Readonly<Record<string, unknown>>): void;
  /** Most memory that the session may hold, in bytes; over it the session ends. */
  readonly maxHeldBytes: number;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  /** Asks the server to stop what runs. */
  cancelUpstream(): Promise<void>;
  closed(): void;
  /** A failure of ours, for the log; never user data. */
  log(message: string): void;
  /** Absent: nothing of the session is traced. */
  readonly trace?: Pick<SessionTrace, 'asked' | 'looking' | 'looked'> | undefined;
}

/** What deciding needs of it. */
export type DeciderHost = Pick<
  DriveHost,
  'judge' | 'hold' | 'record' | 'flush' | 'tell' | 'monotonicMs' | 'log' | 'trace'
>;

/** A protocol's session as the drive runs it. */
export interface DrivenSession extends Session<Uint8Array> {
  readonly busy: boolean;
  /** About the memory that it holds for its client and server, in bytes. */
  readonly heldBytes: number;
  readonly counts: { readonly statements: number; readonly blocked: number };
  terminate(reason: string, code: string, message: string): readonly Step[];
}
