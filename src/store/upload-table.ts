import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { inTransaction } from './database.js';

/** What a bucket has confirmed. */
export interface ConfirmedUpload {
  /** Below the recordings folder; a recording's is `DATE/SESSION`. */
  readonly path: string;
  /** Hex, of the bytes as they were sent. */
  readonly sha256: string;
  readonly bytes: number;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** Which recordings, and lists of them, lie in which bucket too. Every change is on disk when its call returns. */
export class UploadTable {
  /** Asked for every recording of a day. */
  #get: ReturnType<DatabaseSyncInstance['prepare']> | undefined;

  constructor(private readonly database: DatabaseSyncInstance) {}

  /** @param target which bucket, and where in it. @returns hex SHA-256 of what was confirmed; undefined for nothing */
  confirmed(target: string, path: string): string | undefined {
    this.#get ??= this.database.prepare('SELECT sha256 FROM uploads WHERE target = ? AND path = ?');
    return (this.#get.get(target, path) as { readonly sha256: string } | undefined)?.sha256;
  }

  confirm(target: string, uploads: readonly ConfirmedUpload[]): void {
    if (uploads.length === 0) return;
    const put = this.database.prepare(
      'INSERT OR REPLACE INTO uploads (target, path, sha256, bytes, at) VALUES (?, ?, ?, ?, ?)',
    );
    inTransaction(this.database, () => {
      for (const { path, sha256, bytes, at } of uploads) put.run(target, path, sha256, bytes, at);
    });
  }

  /** Recordings of a day that are gone, up to a session, need no remembering. */
  forget(date: string, through: string): void {
    this.database.prepare('DELETE FROM uploads WHERE path > ? AND path <= ?').run(`${date}/`, `${date}/${through}`);
  }
}
