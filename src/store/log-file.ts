import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const fdatasyncAsync = promisify(fdatasync);

/**
 * The database's write-ahead log, to put on disk what was committed without waiting for the disk. SQLite would do so
 * within the commit, and hold up the whole program for as long as the disk takes.
 *
 * The log is not the file that SQLite holds its locks on, so that opening and closing it takes none away.
 *
 * @see https://www.sqlite.org/wal.html#the_wal_file
 */
export class LogFile {
  readonly #path: string;

  /** @param database path of the database file */
  constructor(database: string) {
    this.#path = `${database}-wal`;
  }

  /** Everything committed before is on disk when the promise resolves. Rejects with what the system throws. */
  async sync(): Promise<void> {
    const fd = this.#open();
    if (fd === undefined) return;
    try {
      await fdatasyncAsync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** The same before it returns. */
  syncNow(): void {
    const fd = this.#open();
    if (fd === undefined) return;
    try {
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Where there is none, nothing was committed since the last time it was copied to the database and synced. */
  #open(): number | undefined {
    try {
      return openSync(this.#path, 'r+');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
