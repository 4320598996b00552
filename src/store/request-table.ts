import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import type {
  ApprovalRequest,
  ApprovalVote,
  BreakGlassReview,
  Grant,
  RequestFindings,
  RequestState,
} from '../core/approval.js';
import { inTransaction } from './database.js';
import type { GrantTable } from './grant-table.js';

export interface RequestFilter {
  readonly state?: RequestState;
  /** Only what went ahead under break-glass and nobody has looked at. */
  readonly reviewDue?: boolean;
  /** Of one requester; together with `issuer`. */
  readonly subject?: string;
  readonly issuer?: string;
  /** Newest first, at most this many; 1,000 where left out, or all of those that are pending. */
  readonly limit?: number;
}

export interface Resolution {
  readonly state: Exclude<RequestState, 'pending'>;
  readonly decidedBy: string;
  /** RFC 3339 UTC. */
  readonly decidedAt: string;
  readonly decisionReason: string;
}

interface Row {
  readonly id: string;
  readonly request: string;
  readonly state: RequestState;
  readonly decidedBy: string;
  readonly decidedAt: string;
  readonly decisionReason: string;
  /** Empty: none is needed; `due`; else the review as JSON. */
  readonly review: string;
}

const REVIEW_DUE = 'due';
const DEFAULT_LIMIT = 1000;
/** Of those that are over no more is read at once: each may hold a statement of many megabytes. */
const MAX_LISTED_BYTES = 32 * 1024 * 1024;
const COLUMNS =
  'id, request, state, decided_by AS decidedBy, decided_at AS decidedAt, decision_reason AS decisionReason, review';

/** Approval requests. Every change is on disk when its call returns. */
export class RequestTable {
  readonly #database: DatabaseSyncInstance;

  constructor(
    database: DatabaseSyncInstance,
    private readonly grants: GrantTable,
  ) {
    this.#database = database;
  }

  /** Throws what SQLite throws: a request that can't be kept must not be waited for. */
  insert(request: ApprovalRequest): void {
    inTransaction(this.#database, () => {
      const { state, votes, decidedBy, decidedAt, decisionReason, ...fixed } = request;
      const { subject, issuer } = request.requester;
      this.#database
        .prepare(
          'INSERT INTO approval_requests (id, state, subject, issuer, created_at, decided_by, decided_at, decision_reason, request, kind, review) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        )
        .run(
          request.id,
          state,
          subject,
          issuer,
          request.createdAt,
          decidedBy,
          decidedAt,
          decisionReason,
          JSON.stringify(fixed),
          request.kind ?? 'statement',
          request.breakGlass === true ? REVIEW_DUE : '',
        );
      for (const vote of votes) this.#insertVote(request.id, vote);
    });
  }

  get(id: string): ApprovalRequest | undefined {
    const row = this.#database.prepare(`SELECT ${COLUMNS} FROM approval_requests WHERE id = ?`).get(id) as
      Row | undefined;
    return row === undefined ? undefined : this.#request(row);
  }

  /** Newest first; of those that are over up to a thousand, and 32 MiB of them. */
  list(filter: RequestFilter = {}): readonly ApprovalRequest[] {
    const parts: string[] = [];
    const values: (string | number)[] = [];
    for (const name of ['state', 'subject', 'issuer'] as const) {
      const value = filter[name];
      if (value === undefined) continue;
      parts.push(`${name} = ?`);
      values.push(value);
    }
    if (filter.reviewDue === true) parts.push(`review = '${REVIEW_DUE}'`);
    const where = parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`;
    const sql = `SELECT ${COLUMNS}, octet_length(request) AS bytes FROM approval_requests ${where} ORDER BY created_at DESC, id DESC LIMIT ?`;
    // What waits is bounded where it is opened; somebody's many must not hide the others'.
    const pending = filter.state === 'pending';
    const limit = filter.limit ?? (pending ? -1 : DEFAULT_LIMIT);
    const listed: ApprovalRequest[] = [];
    let bytes = 0;
    for (const found of this.#database.prepare(sql).iterate(...values, limit)) {
      const row = found as Row & { readonly bytes: number };
      bytes += row.bytes;
      if (!pending && bytes > MAX_LISTED_BYTES && listed.length > 0) break;
      listed.push(this.#request(row));
    }
    return listed;
  }

  /**
   * Decides a pending request, and keeps the grants that it leaves in the same transaction. True when this call
   * decided it: of any number of calls, one.
   */
  resolve(id: string, patch: Resolution, grants: readonly Grant[] = []): boolean {
    return inTransaction(this.#database, () => {
      const result = this.#database
        .prepare(
          `UPDATE approval_requests SET state = ?, decided_by = ?, decided_at = ?, decision_reason = ? WHERE id = ? AND state = 'pending'`,
        )
        .run(patch.state, patch.decidedBy, patch.decidedAt, patch.decisionReason, id);
      if (Number(result.changes) !== 1) return false;
      for (const grant of grants) this.grants.insert(grant);
      return true;
    });
  }

  /** Keeps the look at break-glass. True when this call was the first, and one was due. */
  review(id: string, review: BreakGlassReview): boolean {
    const result = this.#database
      .prepare(`UPDATE approval_requests SET review = ? WHERE id = ? AND review = '${REVIEW_DUE}'`)
      .run(JSON.stringify(review), id);
    return Number(result.changes) === 1;
  }

  /** Adds what was found out later. False when there is no such request. */
  complete(id: string, { impact, preview }: RequestFindings): boolean {
    const set = impact === undefined ? '' : `, '$.impact', json(?)`;
    const more = preview === undefined ? '' : `, '$.preview', json(?)`;
    const values = [impact, preview].filter((found) => found !== undefined).map((found) => JSON.stringify(found));
    if (values.length === 0) return false;
    const result = this.#database
      .prepare(`UPDATE approval_requests SET request = json_set(request${set}${more}) WHERE id = ?`)
      .run(...values, id);
    return Number(result.changes) === 1;
  }

  /**
   * Adds one person's approval.
   *
   * @returns the request with all votes; undefined, and nothing changed, when it is unknown or over
   *   or when this person (issuer and subject) has voted
   */
  addVote(id: string, vote: ApprovalVote): ApprovalRequest | undefined {
    return inTransaction(this.#database, () => {
      const before = this.get(id);
      if (before?.state !== 'pending') return undefined;
      return this.#insertVote(id, vote) ? this.get(id) : undefined;
    });
  }

  /** Ends every pending request that holds a statement, as at the start of an agent: who waited is gone. @returns how many */
  cancelPending(reason: string, decidedAt = new Date().toISOString()): number {
    const result = this.#database
      .prepare(
        `UPDATE approval_requests SET state = 'cancelled', decided_at = ?, decision_reason = ? WHERE state = 'pending' AND kind <> 'access'`,
      )
      .run(decidedAt, reason);
    return Number(result.changes);
  }

  /** @returns was it this person's first? */
  #insertVote(id: string, vote: ApprovalVote): boolean {
    const result = this.#database
      .prepare(
        'INSERT INTO approval_votes (request, issuer, subject, email, group_names, at, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(id, vote.issuer, vote.subject, vote.email, JSON.stringify(vote.groups), vote.at, vote.durationMs ?? null);
    return Number(result.changes) === 1;
  }

  #request(row: Row): ApprovalRequest {
    const rows = this.#database
      .prepare(
        'SELECT subject, issuer, email, group_names AS groups, at, duration_ms AS durationMs FROM approval_votes WHERE request = ? ORDER BY at, issuer, subject',
      )
      .all(row.id) as VoteRow[];
    const votes = rows.map(({ durationMs, groups, ...vote }) => ({
      ...vote,
      groups: JSON.parse(groups) as string[],
      ...(durationMs === null ? {} : { durationMs }),
    }));
    const { state, decidedBy, decidedAt, decisionReason, review } = row;
    return {
      ...(JSON.parse(row.request) as ApprovalRequest),
      ...{ state, votes, decidedBy, decidedAt, decisionReason },
      ...(review === '' || review === REVIEW_DUE ? {} : { review: JSON.parse(review) as BreakGlassReview }),
    };
  }
}

type VoteRow = Omit<ApprovalVote, 'groups' | 'durationMs'> & {
  readonly groups: string;
  readonly durationMs: number | null;
};
