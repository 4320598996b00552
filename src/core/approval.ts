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
  /** For how long it was given, in ms, where the reviewer said so. */
  readonly durationMs?: number;
}

/** What someone said afterwards of what went ahead under break-glass. */
export interface BreakGlassReview {
  readonly verdict: 'accepted' | 'objected';
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string;
}

/** What a condition of a flow reads of a request. */
export type ReviewedRequest = Pick<
  ApprovalRequest,
  'connection' | 'connectionType' | 'credential' | 'requester' | 'reason' | 'kind' | 'durationMs' | 'rules' | 'facts'
>;

/** What a condition of a flow reads of a reviewer: no more than a vote keeps, so that it can be judged again. */
export type Reviewer = Pick<ApprovalVote, 'subject' | 'issuer' | 'email' | 'groups'>;

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
  /** `access`: time-bound use of a connection, no statement; `statement` where absent. */
  readonly kind?: 'statement' | 'access';
  /** Address that the requester came from, and what their client calls itself. */
  readonly client?: { readonly address?: string; readonly application?: string };
  /** Bound values, masked and bounded; null for NULL. */
  readonly params?: readonly (string | null)[];
  /** The statement's facts, as recorded. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** How long access is asked for, in ms. */
  readonly durationMs?: number;
  /** Went ahead at once under break-glass; waits for someone to look at it afterwards. */
  readonly breakGlass?: boolean;
  /** Of break-glass, once someone looked at it. */
  readonly review?: BreakGlassReview;
  readonly impact?: RequestImpact;
  /** A flow of it has it tried out as soon as it waits; `preview` follows. */
  readonly previewWanted?: true;
  /** What came of that, masked for whoever it may be. Only those who may decide the request are shown it. */
  readonly preview?: RequestPreview;
}

/** What is found out of a request after it was opened. */
export type RequestFindings = Pick<ApprovalRequest, 'impact' | 'preview'>;

/** What a statement would touch, asked of the server before people decide. Every member is optional: what could not be found out is left out. */
export interface RequestImpact {
  /** Rows that the planner expects the statement to change or read. */
  readonly estimatedRows?: number;
  /** Tables reached, with their sizes as the server keeps them; `via` says how where not named by the statement. */
  readonly tables?: readonly {
    readonly name: string;
    readonly rows?: number;
    readonly bytes?: number;
    /** `statement`, `cascade`, `trigger`, `partition`, `other` (a view, rule, default or function) */
    readonly via: string;
  }[];
  /** One line each: triggers that fire, cascades followed. */
  readonly notes?: readonly string[];
  /** Why there is no estimate. */
  readonly unknown?: string;
}

/** Rows of a preview: masked, bounded text; null for NULL. */
export interface PreviewRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What came of trying a held statement out in a transaction that was rolled back. */
export interface RequestPreview {
  /** Rows that the statement changed, or gave. */
  readonly rows?: number;
  /** A sample of them as they are. */
  readonly before?: PreviewRows;
  /** A sample of them as they would be; of a read, what it gives. */
  readonly after?: PreviewRows;
  /** One line each: what the figures don't say. */
  readonly notes: readonly string[];
  /** Why it was not tried out. */
  readonly refused?: string;
}

/** What one flow still needs: an entry for each of its reviewer groups. */
export interface FlowProgress {
  readonly flow: string;
  readonly entries: readonly { readonly groups: readonly string[]; readonly count: number; readonly given: number }[];
}

/** How a wait ended, for the one who waits. */
export interface ApprovalOutcome {
  readonly state: Exclude<RequestState, 'pending'>;
  readonly by: string;
  readonly reason: string;
}

/** Permission that an approval gave, bound to exactly what was approved. */
export interface Grant {
  /** UUIDv7. */
  readonly id: string;
  /** The approved request that it comes from. */
  readonly request: string;
  /** `access`: the connection may be used; `statement`: what needs the flow may run. Neither stands for the other. */
  readonly kind: 'statement' | 'access';
  readonly flow: string;
  readonly scope: 'statement' | 'session' | 'connection';
  readonly connection: string;
  readonly credential: string;
  readonly requester: Pick<Identity, 'subject' | 'issuer' | 'email'>;
  /** The session of the request; empty for access. */
  readonly session: string;
  readonly bindHash: string;
  readonly approvedBy: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Runs that are left; absent where only time ends it. */
  readonly usesLeft?: number;
  /** `ended`: with the agent that knew its session. */
  readonly state: 'active' | 'used' | 'expired' | 'revoked' | 'ended';
  /** RFC 3339; empty while active. */
  readonly endedAt: string;
  readonly endedBy: string;
  readonly endReason: string;
}

/** A grant as the agent shows it to a caller. */
export type GrantView = Omit<Grant, 'bindHash'> & {
  /** It is active and the caller has the right to end it. */
  readonly mayRevoke: boolean;
};

/** A request as the agent shows it to a caller. */
export type RequestView = Omit<ApprovalRequest, 'bindHash'> & {
  /** It is pending, or waits for a look afterwards, and the caller has the right to decide it. */
  readonly mayDecide: boolean;
  /** Longest time, in ms, that this caller could approve it for; absent where it can't be approved for a time. */
  readonly maxDurationMs?: number;
  /** What each flow still needs, in the order of `flows`. */
  readonly progress?: readonly FlowProgress[];
};
