import type { Identity } from './identity.js';

export type RequestState = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';

/** One person's approval, with the groups it was given in: they decide which reviewer entry it can meet. */
export interface ApprovalVote {
  readonly subject: string;
  readonly issuer: string;
  readonly email: string;
  readonly groups: readonly string[];
  /** RFC 3339. */
  readonly at: string;
}

/** A held statement waiting for people, or what became of it. */
export interface ApprovalRequest {
  /** UUIDv7. */
  readonly id: string;
  readonly session: string;
  /** Number of the statement in its session. */
  readonly statement: number;
  readonly connection: string;
  readonly connectionType: string;
  readonly credential: string;
  readonly requester: Pick<Identity, 'subject' | 'email' | 'groups' | 'issuer' | 'machine'>;
  /** Masked text, whole. */
  readonly text: string;
  /** Hex SHA-256 over exact text, parameters, connection, credential and requester. */
  readonly bindHash: string;
  /** `policy/rule` and message of every rule met. */
  readonly rules: readonly { readonly rule: string; readonly message: string }[];
  /** Names of the flows that must all be met. */
  readonly flows: readonly string[];
  readonly reason: string;
  readonly correlationId: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly state: RequestState;
  /** Approvals so far: distinct people. */
  readonly votes: readonly ApprovalVote[];
  readonly decidedBy: string;
  readonly decidedAt: string;
  readonly decisionReason: string;
}

/** How a wait ended, for the one who waits. */
export interface ApprovalOutcome {
  readonly state: Exclude<RequestState, 'pending'>;
  readonly by: string;
  readonly reason: string;
}

/** A request as the agent shows it to a caller. */
export type RequestView = Omit<ApprovalRequest, 'bindHash'> & {
  /** It is pending and the caller has the right to decide it. */
  readonly mayDecide: boolean;
};
