import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import type { Grant } from '../core/approval.js';

export interface GrantFilter {
  readonly state?: Grant['state'];
  /** Of one requester; together with `issuer`. */
  readonly subject?: string;
  readonly issuer?: string;
  readonly request?: string;
}

export interface GrantEnd {
  readonly state: Exclude<Grant['state'], 'active'>;
  /** RFC 3339 UTC. */
  readonly endedAt: string;
  readonly endedBy: string;
  readonly endReason: string;
}

interface Row extends GrantEnd {
  readonly given: string;
}

/** Those that are over are listed up to this many; the active ones all: they are what an agent starts with. */
const MAX_OVER = 1000;
const COLUMNS = 'given, state, ended_at AS endedAt, ended_by AS endedBy, end_reason AS endReason';

/** What approvals left behind. Every change is on disk when its call returns. */
export class GrantTable {
  constructor(private readonly database: DatabaseSyncInstance) {}

  /** Throws what SQLite throws: a grant that can't be kept must not be used. */
  insert(grant: Grant): void {
    const { state, endedAt, endedBy, endReason, ...given } = grant;
    const { subject, issuer } = grant.requester;
    this.database
      .prepare(
        'INSERT INTO grants (id, request, state, subject, issuer, ended_at, ended_by, end_reason, given) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(grant.id, grant.request, state, subject, issuer, endedAt, endedBy, endReason, JSON.stringify(given));
  }

  get(id: string): Grant | undefined {
    const row = this.database.prepare(`SELECT ${COLUMNS} FROM grants WHERE id = ?`).get(id) as Row | undefined;
    return row === undefined ? undefined : grantOf(row);
  }

  /** Newest first. */
  list(filter: GrantFilter = {}): readonly Grant[] {
    const parts: string[] = [];
    const values: string[] = [];
    for (const name of ['state', 'subject', 'issuer', 'request'] as const) {
      const value = filter[name];
      if (value === undefined) continue;
      parts.push(`${name} = ?`);
      values.push(value);
    }
    const where = parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`;
    const limit = filter.state === 'active' ? '' : `LIMIT ${String(MAX_OVER)}`;
    const sql = `SELECT ${COLUMNS} FROM grants ${where} ORDER BY id DESC ${limit}`;
    return (this.database.prepare(sql).all(...values) as Row[]).map(grantOf);
  }

  /** Ends an active grant. True when this call ended it: of any number of calls, one. */
  end(id: string, end: GrantEnd): boolean {
    const result = this.database
      .prepare(
        `UPDATE grants SET state = ?, ended_at = ?, ended_by = ?, end_reason = ? WHERE id = ? AND state = 'active'`,
      )
      .run(end.state, end.endedAt, end.endedBy, end.endReason, id);
    return Number(result.changes) === 1;
  }
}

function grantOf({ given, state, endedAt, endedBy, endReason }: Row): Grant {
  return { ...(JSON.parse(given) as Grant), ...{ state, endedAt, endedBy, endReason } };
}
