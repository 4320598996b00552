import type { Approvals } from '../../approvals/approvals.js';
import { storedName } from '../../connections/access.js';
import type { Grant } from '../../core/approval.js';
import type { Clock } from '../../core/clock.js';
import type { SessionStart } from '../../core/events.js';
import type { Identity } from '../../core/identity.js';
import type { KeyedHash } from '../../core/mask.js';
import {
  isHttpConnection,
  type DatabaseCredential,
  type EntityResource,
  type HttpConnection,
  type HttpCredential,
  type Limits,
  type PostgresConnection,
} from '../../core/resources.js';
import type { TraceContext } from '../../core/trace-context.js';
import type { PolicySet } from '../../policy/compile.js';
import type { Action } from '../../policy/types.js';
import type { RecordingPlace } from '../../recording/writing/recording-place.js';
import { storedSecretsOf } from '../../secrets/credential-secrets.js';
import type { SecretResolver } from '../../secrets/resolver.js';
import type { Previews } from '../holds/previews.js';
import type { SecretUses } from '../credentials/secret-uses.js';
import type { SessionRecorder } from './session-recorder.js';
import type { SessionSlots } from './session-slots.js';
import type { SessionTrace, TracedSession } from '../tracing/session-trace.js';

export type { SessionRecorder } from './session-recorder.js';

/** Who calls, through what; the same for every stream of a tunnel. */
interface AnyCaller {
  readonly identity: Identity;
  readonly correlationId: string;
  readonly reason: string;
  /** Where the caller said that it is in a trace. */
  readonly trace?: TraceContext | undefined;
  /** Address that the call came from. */
  readonly address: string;
  tell(event: Readonly<Record<string, unknown>>): void;
}

export interface PostgresCaller extends AnyCaller {
  readonly connection: PostgresConnection;
  readonly credential: DatabaseCredential;
}

export interface HttpCaller extends AnyCaller {
  readonly connection: HttpConnection;
  readonly credential: HttpCredential;
  /**
   * SHA-256, in hex, of the key that a local port was opened with: requests through it must show that key.
   * Undefined where the caller came with a token of its own.
   */
  readonly portKeyHash?: string;
}

export type Caller = PostgresCaller | HttpCaller;

export function isHttpCaller(caller: Caller): caller is HttpCaller {
  return isHttpConnection(caller.connection);
}

/** What the record and reviewers call the stored credential; never its value. */
export function credentialName(caller: Caller): string {
  return storedName(caller);
}

/** What the record says of the stored secrets that a session uses; nothing where there are none. */
export function secretsUsed(caller: Caller): { readonly secrets?: readonly string[] } {
  const secrets = storedSecretsOf(caller.credential);
  return secrets.length === 0 ? {} : { secrets };
}

/** A session under way, as ending the agent sees it. */
export interface LiveSession {
  /** Nothing runs in it: it can be ended without loss. */
  readonly idle: boolean;
  /** @param code for protocols that have codes: the SQLSTATE */
  terminate(reason: string, code: string, message: string): void;
}

/** Who may use a connection, and for how long. */
export interface SessionAccess {
  /**
   * @returns the grant it is under; undefined where the connection is open
   * @throws HoopError `access_needed`; `no_access` where the configuration in force now gives the caller no access, or
   *   another credential
   */
  require(caller: Caller): Grant | undefined;
  /** Ends the session as soon as its access does. @returns what ends the watching */
  watch(caller: Caller, session: LiveSession): () => void;
  /** The configuration has changed: ends the sessions that it does not allow any more. */
  recheck(): void;
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
  /** A text as it may be shown to reviewers and kept. */
  readonly withoutSecrets: (text: string) => string;
  readonly approvals: Approvals;
  /** Where fronts offer to try out what they hold. */
  readonly previews: Previews;
  readonly access: SessionAccess;
  readonly resolveSecret: SecretResolver;
  readonly secretUses: SecretUses;
  /** @throws HoopError rejects with recording_failed */
  placeRecording(session: string): Promise<RecordingPlace>;
  /**
   * @param firstWrite the place made before, or `at-flush` for sessions that forward nothing before their first flush
   * @throws HoopError recording_failed; then the place is to be left
   */
  openRecording(start: SessionStart, firstWrite: 'at-flush' | RecordingPlace): SessionRecorder;
  readonly drives: Set<LiveSession>;
  readonly slots: SessionSlots;
  log(message: string, fields?: Readonly<Record<string, string>>): void;
  /** Undefined where nothing of the session is traced. */
  trace(traced: TracedSession): SessionTrace | undefined;
  /** For the figures: one more statement was decided. */
  decided(action: Action): void;
}
