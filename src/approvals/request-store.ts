import type { ApprovalRequest, ApprovalVote, RequestState } from '../core/approval.js';

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
  /** Ends a pending request. False, and nothing changed, when it was over already or is not there. */
  resolve(id: string, resolution: Resolution): boolean;
  /**
   * Adds one person's approval to a pending request and returns the request with it. Undefined, and
   * nothing changed, when the request is over or that person (`subject` and `issuer`) has voted.
   */
  addVote(id: string, vote: ApprovalVote): ApprovalRequest | undefined;
  /** Cancels every pending request, `reason` as its decision's reason. */
  cancelPending(reason: string): void;
}
