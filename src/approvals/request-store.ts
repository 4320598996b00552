import type {
  ApprovalRequest,
  ApprovalVote,
  BreakGlassReview,
  Grant,
  RequestFindings,
  RequestState,
} from '../core/approval.js';

/** What becomes of a request when it is over. */
export interface Resolution {
  readonly state: Exclude<RequestState, 'pending'>;
  /** Who decided, as shown to people; empty where nobody did. */
  readonly decidedBy: string;
  /** RFC 3339. */
  readonly decidedAt: string;
  readonly decisionReason: string;
}

export interface RequestFilter {
  readonly state?: RequestState;
  /** Only what went ahead under break-glass and nobody has looked at. */
  readonly reviewDue?: boolean;
  /** Of one requester: both or neither of `subject` and `issuer`. */
  readonly subject?: string;
  readonly issuer?: string;
}

/**
 * Where requests are kept. Each method is one transaction and durable when it returns; a failure
 * throws, and then nothing was changed.
 */
export interface RequestStore {
  insert(request: ApprovalRequest): void;
  get(id: string): ApprovalRequest | undefined;
  list(filter: RequestFilter): readonly ApprovalRequest[];
  /**
   * Ends a pending request, and keeps what it leaves behind in the same transaction. False, and nothing changed,
   * when it was over already or is not there.
   */
  resolve(id: string, resolution: Resolution, grants: readonly Grant[]): boolean;
  /**
   * Adds one person's approval to a pending request and returns the request with it. Undefined, and
   * nothing changed, when the request is over or that person (`subject` and `issuer`) has voted.
   */
  addVote(id: string, vote: ApprovalVote): ApprovalRequest | undefined;
  /** Keeps the look that someone took at break-glass. False, and nothing changed, when someone was first or none is due. */
  review(id: string, review: BreakGlassReview): boolean;
  /** Adds what was found out after it was opened. False when it is not there. */
  complete(id: string, found: RequestFindings): boolean;
  /** Cancels every pending request that holds a statement, `reason` as its decision's reason. */
  cancelPending(reason: string): void;
}

/** How a grant ended. */
export interface GrantEnd {
  readonly state: Exclude<Grant['state'], 'active'>;
  /** RFC 3339. */
  readonly endedAt: string;
  readonly endedBy: string;
  readonly endReason: string;
}

export interface GrantFilter {
  readonly state?: Grant['state'];
  /** Of one requester: both or neither of `subject` and `issuer`. */
  readonly subject?: string;
  readonly issuer?: string;
  readonly request?: string;
}

/** Where grants are kept, as `RequestStore` keeps requests. */
export interface GrantStore {
  insert(grant: Grant): void;
  get(id: string): Grant | undefined;
  /** Newest first. */
  list(filter: GrantFilter): readonly Grant[];
  /** Ends an active grant. False, and nothing changed, when it was over already or is not there. */
  end(id: string, end: GrantEnd): boolean;
}
