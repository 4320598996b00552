import { closeSync, constants, fstatSync, fchmodSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

import { DatabaseSync } from '@photostructure/sqlite';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { HoopError } from '../core/errors.js';
import { backUp } from './backup.js';
import { MIGRATIONS } from './schema.js';

/** Tables of an older version were brought up to this one. */
export interface Upgrade {
  readonly from: number;
  readonly to: number;
  /** Name of the copy that was made before, beside the store. */
  readonly backup: string;
}

/**
 * Opens the database file for this process alone: 0600, write-ahead log, every commit on disk.
 *
 * The exclusive lock is the kernel's: it ends with the process, however that ends.
 *
 * @throws HoopError `config_invalid` when the file can't be used, another process holds it, or a
 *   newer version of hoop wrote it
 */
export function openDatabase(path: string, onUpgraded?: (upgrade: Upgrade) => void): DatabaseSyncInstance {
  prepareFile(path);
  let database: DatabaseSyncInstance | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF',
    );
    const upgrade = migrate(database, path);
    if (upgrade !== undefined) onUpgraded?.(upgrade);
    return database;
  } catch (cause) {
    if (database !== undefined) closeQuietly(database);
    if (cause instanceof HoopError) throw cause;
    const busy = (cause as { errcode?: unknown }).errcode === SQLITE_BUSY;
    throw new HoopError(
      'config_invalid',
      busy ? 'the store is in use by another agent' : 'the store can not be opened',
      {
        ...(busy ? { suggestion: 'end the other agent, or give this one its own store' } : {}),
        cause,
      },
    );
  }
}

const SQLITE_BUSY = 5;

/**
 * Gives the lock back and closes. The library can't end prepared statements, and SQLite keeps a
 * closed file's lock until the last of them is collected: so the lock is given back by name first.
 */
export function closeDatabase(database: DatabaseSyncInstance): void {
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL');
    database.exec('SELECT count(*) FROM sqlite_schema');
  } finally {
    database.close();
  }
}

/** After a failure that is told already. */
function closeQuietly(database: DatabaseSyncInstance): void {
  try {
    closeDatabase(database);
  } catch {
    // Held by another process, or no database: there is no lock of ours to give back.
  }
}

/** Made here rather than by SQLite, which would follow a link and use the process's umask. */
function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      if (!fstatSync(fd).isFile()) throw new TypeError('no regular file');
      fchmodSync(fd, 0o600);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new HoopError('config_invalid', 'the store’s file can not be used', {
      suggestion: 'make the folder of the store writable for the agent, and the store a regular file',
      cause,
    });
  }
}

/** A store that holds something is copied before any of it changes. */
function migrate(database: DatabaseSyncInstance, path: string): Upgrade | undefined {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > MIGRATIONS.length) {
    throw new HoopError('config_invalid', `the store is of version ${version}, this hoop knows ${MIGRATIONS.length}`, {
      suggestion: 'run the version of hoop that wrote the store, or a newer one',
    });
  }
  const to = MIGRATIONS.length;
  const backup = version === 0 || version === to ? undefined : backUp(database, path, version);
  MIGRATIONS.slice(version).forEach((step, index) => {
    inTransaction(database, () => database.exec(`${step}; PRAGMA user_version = ${version + index + 1}`));
  });
  return backup === undefined ? undefined : { from: version, to, backup };
}

/** All or nothing, on disk when this returns. */
export function inTransaction<T>(database: DatabaseSyncInstance, run: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = run();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
