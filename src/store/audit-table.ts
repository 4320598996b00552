import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { HoopError } from '../core/errors.js';
import type { Reading } from '../core/reading.js';
import { inTransaction } from './database.js';
import { comparable } from './session-filter.js';

/** A policy set that was in force. */
export interface KeptPolicies {
  /** Hex SHA-256 of `source`, as decisions name it. */
  readonly hash: string;
  /** Canonical JSON of the definitions. */
  readonly source: string;
  /** When it came into force for the first and for the last time, RFC 3339 UTC. */
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface ReadingFilter {
  readonly session?: string;
  /** Subject or e-mail, exact. */
  readonly user?: string;
  /** RFC 3339 UTC, at or after. */
  readonly since?: string;
  /** RFC 3339 UTC, before. */
  readonly until?: string;
  /** `next` of the page before. */
  readonly cursor?: string;
  /** 1 to 1,000; 100 where left out. */
  readonly limit?: number;
}

export interface ReadingPage {
  /** Newest first. */
  readonly items: readonly (Reading & { readonly id: string })[];
  /** Cursor of the next page; empty on the last. */
  readonly next: string;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** What an auditor asks for besides recordings. Every change is on disk when its call returns. */
export class AuditTable {
  readonly #database: DatabaseSyncInstance;

  constructor(database: DatabaseSyncInstance) {
    this.#database = database;
  }

  /** Keeps a policy set that comes into force. @param at RFC 3339 UTC */
  policiesInForce(hash: string, source: string, at: string): void {
    this.#database
      .prepare(
        'INSERT INTO policy_sets VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET last_at = excluded.last_at',
      )
      .run(hash, source, at, at);
  }

  policies(hash: string): KeptPolicies | undefined {
    const row = this.#database
      .prepare('SELECT hash, source, first_at AS firstAt, last_at AS lastAt FROM policy_sets WHERE hash = ?')
      .get(hash) as KeptPolicies | undefined;
    return row === undefined ? undefined : { ...row };
  }

  /** Throws what SQLite throws: what can't be noted must not be read. */
  addReadings(readings: readonly Reading[]): void {
    const put = this.#database.prepare(
      'INSERT INTO readings (at, session, what, subject, issuer, email, detail) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    inTransaction(this.#database, () => {
      for (const { at, session, what, subject, issuer, email, detail } of readings)
        put.run(at, session, what, subject, issuer, email, detail);
    });
  }

  /** @throws HoopError `usage` for a cursor or limit that is none */
  readings(filter: ReadingFilter = {}): ReadingPage {
    const limit = filter.limit ?? DEFAULT_LIMIT;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw new HoopError('usage', `limit is not 1 to ${String(MAX_LIMIT)}`);
    const parts: string[] = [];
    const values: (string | number)[] = [];
    const add = (sql: string, ...given: readonly (string | number)[]): void => {
      parts.push(sql);
      values.push(...given);
    };
    if (filter.session !== undefined) add('session = ?', filter.session);
    if (filter.user !== undefined) add('(subject = ? OR email = ?)', filter.user, filter.user);
    if (filter.since !== undefined) add('at >= ?', comparable(filter.since));
    if (filter.until !== undefined) add('at < ?', comparable(filter.until));
    if (filter.cursor !== undefined) {
      if (!/^\d{1,15}$/.test(filter.cursor)) throw new HoopError('usage', 'cursor is not one that a list gave');
      add('row < ?', Number(filter.cursor));
    }
    const where = parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`;
    const rows = this.#database
      .prepare(
        `SELECT row, at, session, what, subject, issuer, email, detail FROM readings ${where} ORDER BY row DESC LIMIT ?`,
      )
      .all(...values, limit + 1) as unknown as (Reading & { readonly row: number })[];
    const items = rows.slice(0, limit).map(({ row, ...reading }) => ({ id: String(row), ...reading }));
    return { items, next: rows.length > limit ? (items.at(-1)?.id ?? '') : '' };
  }

  /** Ids of the requests for approval that were made in a span of time, oldest first. RFC 3339 UTC, `to` excluded. */
  requestIds(from: string, to: string): readonly string[] {
    const rows = this.#database
      .prepare('SELECT id FROM approval_requests WHERE created_at >= ? AND created_at < ? ORDER BY created_at, id')
      .all(comparable(from), comparable(to)) as { readonly id: string }[];
    return rows.map(({ id }) => id);
  }
}
