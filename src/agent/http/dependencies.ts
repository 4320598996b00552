import type { Readable } from 'node:stream';
import type { Approvals, ListFilter } from '../../approvals/approvals.js';
import type { RequestPreview } from '../../core/approval.js';
import type { Identity } from '../../core/identity.js';
import type { AgentResource, ApprovalFlowResource, ConnectionResource } from '../../core/resources.js';
import type { SessionSummary } from '../../core/session-summary.js';
import type { WellKnown } from '../../identity/well-known.js';
import type { AuditDesk } from '../audit/audit-desk.js';
import type { SecretDesk } from '../credentials/secret-desk.js';
import type { SlackCall } from '../news/slack-desk.js';
import type { Metrics } from './metrics.js';

/** Which sessions are asked for; what is absent does not narrow. */
export interface SessionFilter {
  /** Only this person's. */
  readonly owner?: { readonly subject: string; readonly issuer: string };
  /** Subject or e-mail, exactly. */
  readonly user?: string;
  /** A group that the user was in. */
  readonly group?: string;
  readonly connection?: string;
  /** RFC 3339 UTC: started at or after. */
  readonly since?: string;
  /** RFC 3339 UTC: started before. */
  readonly until?: string;
  /** True: at least one statement was blocked. */
  readonly blocked?: true;
  /** `allow`, `warn`, `block` or `approve`: at least one statement met it. */
  readonly verdict?: string;
  /** `policy/rule`, or the rule's name alone. */
  readonly rule?: string;
  /** `schema.table`, or the table's name alone. */
  readonly table?: string;
  /** Entity or mask that replaced a value. */
  readonly entity?: string;
  /** Id of a request for approval. */
  readonly approval?: string;
  /** Words of a statement's masked text. */
  readonly text?: string;
  readonly correlationId?: string;
  /** `next` of the page before, or the id of its last session. */
  readonly cursor?: string;
  /** At most this many, newest first. */
  readonly limit: number;
}

export interface SessionIndex {
  /** `next` is the cursor of the following page, empty on the last. */
  list(filter: SessionFilter): { readonly items: readonly SessionSummary[]; readonly next: string };
  get(id: string): SessionSummary | undefined;
}

/** Who reads on while a session goes on. */
export interface Follower {
  /** Seconds since the epoch at which their token ends, and with it the stream. */
  readonly expiresAt: number;
  /** Called some times a second. Throws once they may not read any more, or have gone. */
  readonly check: () => void;
}

/**
 * What the routes need of the agent. Configuration comes through functions, asked at each request,
 * so that a reload needs no new server.
 */
export interface HttpDependencies {
  /** @throws HoopError `token_refused` */
  readonly verify: (token: string) => Promise<Identity>;
  /** What the agent says of itself to anyone: all that a login needs. */
  readonly card: () => WellKnown;
  readonly connections: () => readonly ConnectionResource[];
  /** The approval flow of that name. */
  readonly flow: (name: string) => ApprovalFlowResource | undefined;
  readonly roles: () => AgentResource['roles'];
  /** What people type for others to read is kept without the secrets in it. */
  readonly withoutSecrets: (text: string) => string;
  readonly approvals: Approvals;
  /** Tries a held statement out and rolls it back. @throws HoopError `limit`, `recording_failed` */
  readonly preview: (request: string, reviewer: Identity) => Promise<RequestPreview>;
  /** Lines of JSON: requests as they come and change. */
  readonly requestFeed: { open(caller: Identity, filter: ListFilter): Readable; closeAll(): void };
  /** @throws HoopError `not_found` where nothing in Slack has buttons, `not_allowed` where Slack did not send it just now */
  readonly slack: (call: SlackCall) => Promise<void>;
  readonly sessions: SessionIndex;
  readonly audit: AuditDesk;
  /** Absent: this agent has no secret store. */
  readonly secrets?: SecretDesk;
  /**
   * The bytes of a session's recording as they stand; with `follower`, also those that come, until the session is
   * sealed. Undefined where there is none (any more).
   */
  readonly openRecording: (session: SessionSummary, follower?: Follower) => Promise<Readable | undefined>;
  /** What must hold to serve: configuration loaded, store open, recordings writable, listening. */
  readonly readiness: () => readonly { readonly name: string; readonly ready: boolean }[];
  /** What does not work as it should and keeps nobody from being served, such as `uploads`. */
  readonly attention?: () => readonly string[];
  readonly metrics: Metrics;
  /** Told of failures that no `HoopError` foresaw; the caller sees none of it. */
  readonly onFailure: (route: string, error: unknown) => void;
}
