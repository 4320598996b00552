import type { Approvals } from '../approvals/approvals.js';
import type { Clock } from '../core/clock.js';
import type { RecordedEvent, SessionEnd, SessionStart } from '../core/events.js';
import type { Identity } from '../core/identity.js';
import type { KeyedHash } from '../core/mask.js';
import type { ConnectionResource, DatabaseCredential, EntityResource, Limits } from '../core/resources.js';
import type { PolicySet } from '../policy/compile.js';
import type { Action } from '../policy/types.js';
import type { SecretResolver } from '../secrets/resolver.js';
import type { Drive } from './drive/drive.js';
import type { SessionSlots } from './session-slots.js';

/** The recorder of one session, as fronts use it. */
export interface SessionRecorder {
  record(event: RecordedEvent): void;
  flush(): void | Promise<void>;
  seal(end: SessionEnd): Promise<void>;
}

/** Who calls through which tunnel; the same for every stream in it. */
export interface Caller {
  readonly identity: Identity;
  readonly connection: ConnectionResource;
  readonly credential: DatabaseCredential;
  readonly correlationId: string;
  readonly reason: string;
  /** Address that the tunnel came from. */
  readonly address: string;
  tell(event: Readonly<Record<string, unknown>>): void;
}

/** What every front needs of the agent. */
export interface SessionHost {
  readonly clock: Clock;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  newId(): string;
  policy(): PolicySet;
  entities(): readonly EntityResource[];
  limits(): Limits;
  readonly hash: KeyedHash;
  readonly approvals: Approvals;
  readonly resolveSecret: SecretResolver;
  /** @throws HoopError recording_failed */
  openRecording(start: SessionStart): SessionRecorder;
  readonly drives: Set<Drive>;
  readonly slots: SessionSlots;
  log(message: string, fields?: Readonly<Record<string, string>>): void;
  /** For the figures: one more statement was decided. */
  decided(action: Action): void;
}
