import type { ApprovalOutcome, ApprovalRequest, FlowProgress, Grant, RequestFindings } from '../core/approval.js';
import type { Identity } from '../core/identity.js';
import type { ApprovalFlowResource } from '../core/resources.js';
import type { DeadlineTimers } from './deadlines.js';
import type { AccessQuery, GrantQuery } from './grants.js';
import type { GrantStore, RequestStore } from './request-store.js';

/** What the one who holds a statement, or wants access, says of it. */
export type OpenInput = Omit<
  ApprovalRequest,
  | 'id'
  | 'createdAt'
  | 'expiresAt'
  | 'state'
  | 'votes'
  | 'decidedBy'
  | 'decidedAt'
  | 'decisionReason'
  | 'breakGlass'
  | 'review'
  | 'previewWanted'
  | 'preview'
>;

export interface ApprovalEvent {
  /**
   * `updated`: more is known of it; `reviewed`: someone looked at what went ahead under break-glass;
   * `grant.ended`: what it left behind was revoked or expired, see `grant`.
   */
  readonly type: 'requested' | 'voted' | 'resolved' | 'updated' | 'reviewed' | 'grant.ended';
  /** As it stands after the event. */
  readonly request: ApprovalRequest;
  readonly grant?: Grant;
}

export interface ApprovalsOptions<Timer> extends DeadlineTimers<Timer> {
  readonly store: RequestStore;
  readonly grants: GrantStore;
  /** The flow of that name as configured now. */
  readonly flow: (name: string) => ApprovalFlowResource | undefined;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  /** Told after the state was stored; must not throw. */
  readonly onEvent: (event: ApprovalEvent) => void;
}

export interface ListFilter {
  /** `pending` holds what waits for a look after break-glass too. */
  readonly state: 'pending' | 'all';
  /** Only the viewer's own. */
  readonly mine: boolean;
}

export interface GrantListFilter {
  readonly state: 'active' | 'all';
  /** Only the viewer's own. */
  readonly mine: boolean;
}

export interface Opened {
  /** Approved already where it went ahead under break-glass. */
  readonly request: ApprovalRequest;
  readonly outcome: Promise<ApprovalOutcome>;
}

/** Requests for approval: opened, decided once by people with the right, expired or withdrawn; and what they leave behind. */
export interface Approvals {
  /**
   * Asks for approval; `outcome` settles exactly once and never rejects.
   *
   * @throws HoopError `approval_denied` where a flow does not take such a request (reason, schedule, duration),
   * `config_invalid` when a flow is not configured, `failed` after `close`; whatever the store throws. Nothing
   * waits then: the caller blocks the statement.
   */
  open(input: OpenInput): Opened;
  /**
   * @param durationMs approve for this long: of a statement any number of runs, of access no longer than was asked for
   * @returns the request as it stands now: still pending where more people must approve
   * @throws HoopError `not_allowed` for one's own or without the right, `already_decided`, `not_found`, `usage` for
   * a duration that can't be given
   */
  decide(id: string, by: Identity, verdict: 'approve' | 'deny', reason: string, durationMs?: number): ApprovalRequest;
  /** The requester no longer waits. False when the request was over already: then its outcome stands. Never throws. */
  withdraw(id: string, why: string): boolean;
  /**
   * The same, asked for by someone: only the requester may.
   *
   * @throws HoopError `not_found`, `already_decided`
   */
  withdrawOwn(by: Identity, id: string): ApprovalRequest;
  /** What was found out after it was opened; those who look at it are told. Never throws. */
  complete(id: string, found: RequestFindings): void;
  /** An approved statement never began to run (client or upstream gone): its run stays good for the grant's ttl. */
  giveBack(id: string): void;
  /** Takes one run under what was approved before; undefined: ask. @throws whatever the store throws */
  takeGrant(query: GrantQuery): readonly Grant[] | undefined;
  /** The grant under which a connection may be used now. */
  accessGrant(query: AccessQuery): Grant | undefined;
  /** The viewer's own and those they may review, newest first. */
  list(viewer: Identity, filter: ListFilter): readonly ApprovalRequest[];
  /** @throws HoopError `not_found`, the same for those not there and those not the viewer's to see */
  get(viewer: Identity, id: string): ApprovalRequest;
  /** May the viewer see this request: their own, or one they may review? */
  maySee(viewer: Identity, request: ApprovalRequest): boolean;
  /** Has the viewer the right to decide this request, whatever its state? */
  mayDecide(viewer: Identity, request: ApprovalRequest): boolean;
  /** What each of its flows still needs. */
  progress(request: ApprovalRequest): readonly FlowProgress[];
  /** Longest time, in ms, that it could be approved for; undefined where it can't be approved for a time. */
  longestGrant(request: ApprovalRequest): number | undefined;
  /** Calls the listener with each change of one request, until what is returned is called. */
  watch(id: string, listener: (request: ApprovalRequest) => void): () => void;
  /** The viewer's own and those of flows they may review, newest first. `all`: also everybody's. */
  grants(viewer: Identity, filter: GrantListFilter, everyone: boolean): readonly Grant[];
  /** May the viewer end it: the one who has it, or a reviewer of its request? */
  mayRevoke(viewer: Identity, grant: Grant): boolean;
  /**
   * Ends a grant, or all that came of a request.
   *
   * @param id of the grant or of its request
   * @param everyone the caller may end anybody's
   * @returns what was ended
   * @throws HoopError `not_found`, `already_decided` when it was over
   */
  revoke(by: Identity, id: string, reason: string, everyone: boolean): readonly Grant[];
  /** Cancels the statements that wait, then throws what the store may throw; nothing can be opened afterwards. */
  close(): void;
}
