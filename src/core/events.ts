import type { Identity } from './identity.js';
import type { OutputDigest } from './output-digest.js';

/**
 * What a recording is made of. A room says what happened (`RecordedEvent`); the recorder adds
 * `seq`, `at`, `prev` and `hash`. Whatever is put here must be masked already.
 */
export type RecordedEvent =
  | SessionStart
  | StatementEvent
  | RequestEvent
  | DecisionEvent
  | ApprovalRequested
  | ApprovalVoted
  | ApprovalResolved
  | ApprovalReviewed
  | ApprovalPreviewed
  | GrantGiven
  | GrantEnded
  | ResultEvent
  | OutputEvent
  | BodyEvent
  | TtyEvent
  | SessionEnd;

export interface SessionStart {
  readonly type: 'session.start';
  readonly session: string;
  /** `approval`: no client's connection, but a step of a request for access, or of what a request left behind. */
  readonly kind?: 'approval';
  readonly user: Pick<Identity, 'subject' | 'email' | 'groups' | 'issuer' | 'machine' | 'attributes'>;
  readonly connection: {
    readonly name: string;
    readonly type: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** The stored credential's name (for databases its user name), never its value. */
  readonly credential: string;
  /** Names of the stored secrets that the credential needs. */
  readonly secrets?: readonly string[];
  /** What the client says of itself, e.g. `application_name`; and the address it came from. */
  readonly client: { readonly application?: string; readonly address?: string; readonly database?: string };
  readonly correlationId?: string;
  /** The grant of access that it is under. */
  readonly grant?: string;
}

export interface StatementEvent {
  readonly type: 'statement';
  /** Numbers the statements of a session from 1; decision, approval and result refer to it. */
  readonly statement: number;
  /** Masked text. */
  readonly text: string;
  /** `query`, `parse`, `execute`, `startup`, `function-call`; `approval`: what a step of one is about */
  readonly via: string;
  /** Masked, bounded text form of bound values; null for NULL. */
  readonly params?: readonly (string | null)[];
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Bytes of the whole text where `text` was cut. */
  readonly textBytes?: number;
}

/** One HTTP request, or the one that opened an upgraded stream. */
export interface RequestEvent {
  readonly type: 'request';
  /** Always 1: a request is a session of its own. */
  readonly statement: number;
  readonly method: string;
  /** Normalised path and masked query, as sent upstream below the connection's `url`. */
  readonly path: string;
  /** Masked text for people and searches: of a model request what is new in the conversation, else method and path. */
  readonly text: string;
  /** Who says that, where it is not the user alone: `tool`, `tool, user`. */
  readonly from?: string;
  /** Masked body, bounded. */
  readonly body?: string;
  /** Bytes of the whole body; absent where it is still being sent. */
  readonly bodyBytes?: number;
  readonly contentType?: string;
  /** `chat.completions`, `responses`, `messages`, … of a model request. */
  readonly endpoint?: string;
  readonly model?: string;
  readonly stream?: boolean;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface DecisionEvent {
  readonly type: 'decision';
  readonly statement: number;
  readonly action: 'allow' | 'warn' | 'block' | 'approve';
  /** `policy/rule` of every rule met, the deciding one first. */
  readonly rules: readonly string[];
  readonly message?: string;
  readonly policyHash: string;
  /** What an observing policy would have done. */
  readonly observed?: readonly { readonly rule: string; readonly action: string }[];
}

export interface ApprovalRequested {
  readonly type: 'approval.requested';
  readonly statement: number;
  readonly request: string;
  readonly flow: string;
  /** Why, as the requester says. */
  readonly reason?: string;
  /** Of access: for how long, in ms. */
  readonly durationMs?: number;
  /** It went ahead at once. */
  readonly breakGlass?: true;
}

/** One of several reviewers approved; others must. */
export interface ApprovalVoted {
  readonly type: 'approval.voted';
  readonly statement: number;
  readonly request: string;
  readonly by: string;
  /** For how long it was given, in ms, where the reviewer said so. */
  readonly durationMs?: number;
}

/** Somebody looked at what went ahead under break-glass. */
export interface ApprovalReviewed {
  readonly type: 'approval.reviewed';
  readonly statement: number;
  readonly request: string;
  /** The session in which it went ahead; absent for access. */
  readonly session?: string;
  readonly verdict: 'accepted' | 'objected';
  readonly by: string;
  readonly reason?: string;
}

/** What an approved request for access left behind. */
export interface GrantGiven {
  readonly type: 'grant.given';
  readonly statement: number;
  readonly request: string;
  readonly grant: string;
  readonly scope: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** A grant covers nothing any more. */
export interface GrantEnded {
  readonly type: 'grant.ended';
  readonly statement: number;
  readonly request: string;
  readonly grant: string;
  /** The session of its request; absent for access. */
  readonly session?: string;
  /** `revoked`, `expired` */
  readonly state: string;
  readonly by?: string;
  readonly reason?: string;
}

export interface ApprovalResolved {
  readonly type: 'approval.resolved';
  readonly statement: number;
  readonly request: string;
  readonly outcome: 'approved' | 'denied' | 'expired' | 'cancelled';
  /** Not asked for again: it runs under this grant, which that request left. */
  readonly grant?: string;
  readonly by?: string;
  readonly reason?: string;
}

/** A held statement was tried out and rolled back. */
export interface ApprovalPreviewed {
  readonly type: 'approval.preview';
  readonly statement: number;
  readonly request: string;
  /** The reviewer who asked for it. */
  readonly by?: string;
  /** The flow that asks for it of every statement; absent where a reviewer did. */
  readonly flow?: string;
  /** Rows that it changed, or gave. */
  readonly rows?: number;
  /** Rows of the masked samples. */
  readonly shown: number;
  readonly notes: readonly string[];
  /** Why it was not tried out. */
  readonly refused?: string;
}

export interface ResultEvent {
  readonly type: 'result';
  readonly statement: number;
  /** The server's command tag, e.g. `SELECT 3`. */
  readonly tag?: string;
  readonly rows?: number;
  readonly bytes?: number;
  /** Of rows that are not all recorded: of their DataRow or CopyData messages, as the client got them. */
  readonly digest?: OutputDigest;
  /** Values masked, by entity or mask name. */
  readonly masked?: Readonly<Record<string, number>>;
  readonly durationMs?: number;
  readonly error?: { readonly code: string; readonly message: string };
  /** HTTP status given to the client. */
  readonly status?: number;
  /** To the first byte of the answer's body, from when the request went up. */
  readonly firstByteMs?: number;
  /** What a model call used, as the upstream counted it. */
  readonly usage?: ModelUsage;
  /** US dollars, where the connection has a price for the model. */
  readonly costUsd?: number;
  /** Names of the tools that the model called. */
  readonly toolCalls?: readonly string[];
  /** What each of these was called with, masked, bounded; what belongs to none that can be told stands behind. */
  readonly toolArguments?: readonly string[];
  /** Content that was passed without being looked at, and why. */
  readonly notInspected?: string;
  /** Of an upgraded stream: all messages as they went on, recorded or not. */
  readonly messages?: MessageTotals;
  /** Of an upgraded stream: the first close code (1005 none was told, 1006 broken off), and who closed it. */
  readonly closed?: { readonly code: number; readonly by: 'client' | 'upstream' | 'agent' };
}

/** Messages and bytes of an upgraded stream, by who sent them. */
export interface MessageTotals {
  readonly client: { readonly messages: number; readonly bytes: number };
  readonly upstream: { readonly messages: number; readonly bytes: number };
}

/** Tokens of one model call. */
export interface ModelUsage {
  /** All of them, those of caches too. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the input, what was read from a cache, where the upstream says so. */
  readonly cachedInputTokens?: number;
  /** Of the input, what was written to one, where it says so. */
  readonly cacheWriteTokens?: number;
}

/** The body of an answer, or one message of an upgraded stream. */
export interface BodyEvent {
  readonly type: 'output';
  readonly statement: number;
  /** Masked, bounded. */
  readonly body: string;
  /** Bytes of the whole body as the client got it. */
  readonly bodyBytes: number;
  /** Of a body that is not recorded whole: of all of it, masked as it is recorded. */
  readonly digest?: OutputDigest;
  readonly contentType?: string;
  /** Text of a model's answer put together from its stream, masked, bounded: one of each choice or block. */
  readonly text?: readonly string[];
  /** Which of these are what the model thought, from 0. */
  readonly thoughts?: readonly number[];
  /** Of an upgraded stream: who sent it. */
  readonly from?: 'client' | 'upstream';
}

export interface OutputEvent {
  readonly type: 'output';
  readonly statement: number;
  readonly columns?: readonly string[];
  /** Masked rows, bounded; null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** True size of all rows, in rows; more than `rows.length` when cut. */
  readonly totalRows: number;
}

/** What passed on a terminal, or its new size. */
export interface TtyEvent {
  readonly type: 'tty';
  readonly statement: number;
  /** Who sent it: keys come from the client, the screen from upstream. */
  readonly from: 'client' | 'upstream';
  /** Masked text with its control sequences, never cut within a character; empty where only the size changed. */
  readonly data: string;
  /** Size of the window from here on, in cells. */
  readonly columns?: number;
  readonly rows?: number;
}

export interface SessionEnd {
  readonly type: 'session.end';
  /** `client`, `upstream`, `agent`, `revoked`, `fault`, `limit`, `crash`; `done` where nobody was connected */
  readonly reason: string;
  readonly statements: number;
  readonly blocked: number;
}

/** One line of a recording as it stands in the file. */
export interface ChainedEvent {
  readonly seq: number;
  /** RFC 3339 UTC with microseconds. */
  readonly at: string;
  readonly type: string;
  /** Hex SHA-256 of the event before; 64 zeros for the first. */
  readonly prev: string;
  /** Hex SHA-256 of this event's canonical JSON (RFC 8785) without `hash`. */
  readonly hash: string;
  readonly [field: string]: unknown;
}
