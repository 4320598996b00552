import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { basename } from 'node:path';

import type { DatabaseSyncInstance } from '@photostructure/sqlite';

/** More than so many copies of one step mean that something else is wrong. */
const MAX_COPIES = 100;

/**
 * Copies the database beside itself before its tables change: `hoop.db.v3.backup`, 0600, on disk when this returns. A copy
 * that is there already is never written over.
 *
 * @returns the copy's file name
 * @throws what the system or the library throws: then nothing may be changed
 */
export function backUp(database: DatabaseSyncInstance, path: string, version: number): string {
  for (let copy = 0; copy < MAX_COPIES; copy += 1) {
    const name = `${path}.v${String(version)}${copy === 0 ? '' : `.${String(copy)}`}.backup`;
    if (!make(name)) continue;
    // Into an empty file that is there: SQLite would make its own by the process's umask.
    database.prepare('VACUUM INTO ?').run(name);
    const file = openSync(name, 'r');
    fsyncSync(file);
    closeSync(file);
    return basename(name);
  }
  throw new Error('too many backups of the store');
}

function make(name: string): boolean {
  try {
    closeSync(openSync(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
