import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import type { ApprovalRequest, ApprovalVote, RequestState } from '../core/approval.js';
import { inTransaction } from './database.js';

export interface RequestFilter {
  readonly state?: RequestState;
  /** Of one requester; together with `issuer`. */
  readonly subject?: string;
  readonly issuer?: string;
  /** Newest first, at most this many; 1,000 where left out. */
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
}

const DEFAULT_LIMIT = 1000;
const COLUMNS =
  'id, request, state, decided_by AS decidedBy, decided_at AS decidedAt, decision_reason AS decisionReason';

/** Approval requests. Every change is on disk when its call returns. */
export class RequestTable {
  readonly #database: DatabaseSyncInstance;

  constructor(database: DatabaseSyncInstance) {
    this.#database = database;
  }

  /** Throws what SQLite throws: a request that can't be kept must not be waited for. */
  insert(request: ApprovalRequest): void {
    inTransaction(this.#database, () => {
      const { state, votes, decidedBy, decidedAt, decisionReason, ...fixed } = request;
      const { subject, issuer } = request.requester;
      this.#database
        .prepare('INSERT INTO approval_requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
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
        );
      for (const vote of votes) this.#insertVote(request.id, vote);
    });
  }

  get(id: string): ApprovalRequest | undefined {
    const row = this.#database.prepare(`SELECT ${COLUMNS} FROM approval_requests WHERE id = ?`).get(id) as
      Row | undefined;
    return row === undefined ? undefined : this.#request(row);
  }

  /** Newest first. */
  list(filter: RequestFilter = {}): readonly ApprovalRequest[] {
    const parts: string[] = [];
    const values: (string | number)[] = [];
    for (const name of ['state', 'subject', 'issuer'] as const) {
      const value = filter[name];
      if (value === undefined) continue;
      parts.push(`${name} = ?`);
      values.push(value);
    }
    const where = parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`;
    const sql = `SELECT ${COLUMNS} FROM approval_requests ${where} ORDER BY created_at DESC, id DESC LIMIT ?`;
    const rows = this.#database.prepare(sql).all(...values, filter.limit ?? DEFAULT_LIMIT) as Row[];
    return rows.map((row) => this.#request(row));
  }

  /** Decides a pending request. True when this call decided it: of any number of calls, one. */
  resolve(id: string, patch: Resolution): boolean {
    const result = this.#database
      .prepare(
        `UPDATE approval_requests SET state = ?, decided_by = ?, decided_at = ?, decision_reason = ? WHERE id = ? AND state = 'pending'`,
      )
      .run(patch.state, patch.decidedBy, patch.decidedAt, patch.decisionReason, id);
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

  /** Ends every pending request, as at the start of an agent: who waited is gone. @returns how many */
  cancelPending(reason: string, decidedAt = new Date().toISOString()): number {
    const result = this.#database
      .prepare(
        `UPDATE approval_requests SET state = 'cancelled', decided_at = ?, decision_reason = ? WHERE state = 'pending'`,
      )
      .run(decidedAt, reason);
    return Number(result.changes);
  }

  /** @returns was it this person's first? */
  #insertVote(id: string, vote: ApprovalVote): boolean {
    const result = this.#database
      .prepare(
        'INSERT INTO approval_votes (request, issuer, subject, email, group_names, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(id, vote.issuer, vote.subject, vote.email, JSON.stringify(vote.groups), vote.at);
    return Number(result.changes) === 1;
  }

  #request(row: Row): ApprovalRequest {
    const rows = this.#database
      .prepare(
        'SELECT subject, issuer, email, group_names AS groups, at FROM approval_votes WHERE request = ? ORDER BY at, issuer, subject',
      )
      .all(row.id) as (Omit<ApprovalVote, 'groups'> & { readonly groups: string })[];
    const votes = rows.map((vote) => ({ ...vote, groups: JSON.parse(vote.groups) as string[] }));
    const { state, decidedBy, decidedAt, decisionReason } = row;
    return { ...(JSON.parse(row.request) as ApprovalRequest), state, votes, decidedBy, decidedAt, decisionReason };
  }
}
