import { closeSync, constants, fdatasync, fsync, ftruncateSync, open, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { HoopError } from '../../core/errors.js';
import { GroupCommit } from './group-commit.js';

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);
const openAsync = promisify(open);

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
/** A new file that must not exist; no link is followed. */
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND;
const MODE = 0o600;

export type Durability = 'flush' | 'sync';

/**
 * An append-only file that holds whole lines only: a write that fails halfway is cut back to the
 * last line that was written whole.
 */
export class RecordingFile {
  readonly #fd: number;
  #bytes: number;
  readonly #commit = new GroupCommit(() => this.#toDisk());
  #folderSynced = false;

  private constructor(
    private readonly path: string,
    fd: number,
    bytes: number,
  ) {
    this.#fd = fd;
    this.#bytes = bytes;
  }

  /** A new file, 0600, that must not exist; no link is followed. Throws what the system throws. */
  static create(path: string): RecordingFile {
    return new RecordingFile(path, openSync(path, CREATE, MODE), 0);
  }

  /** The same, beside the program: making a file costs more than anything else in a session of one request. */
  static async createBeside(path: string): Promise<RecordingFile> {
    return new RecordingFile(path, await openAsync(path, CREATE, MODE), 0);
  }

  /** Goes on with a file after its first `bytes` bytes; what follows them is cut off. */
  static resume(path: string, bytes: number): RecordingFile {
    const fd = openSync(path, O_WRONLY | O_NOFOLLOW | O_APPEND);
    try {
      ftruncateSync(fd, bytes);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return new RecordingFile(path, fd, bytes);
  }

  /**
   * Everything given is in the kernel when this returns.
   *
   * @throws HoopError `recording_failed`; nothing of `bytes` stays in the file then, where the system lets it be cut
   */
  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) {
        const written = writeSync(this.#fd, bytes, at, bytes.length - at);
        if (written === 0) throw new Error('nothing written');
        at += written;
      }
      this.#bytes += bytes.length;
    } catch (cause) {
      this.#cutBack();
      throw writeFailure(cause);
    }
  }

  /**
   * Everything written so far is on disk when the promise resolves. Calls that come while the disk
   * works share the next round (group commit).
   */
  sync(): Promise<void> {
    return this.#commit.run();
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Closes it, and removes it where nothing was written. */
  abandon(): void {
    this.close();
    if (this.#bytes === 0) rmSync(this.path, { force: true });
  }

  async #toDisk(): Promise<void> {
    try {
      await Promise.all([fdatasyncAsync(this.#fd), this.#folderSynced ? undefined : syncFolder(dirname(this.path))]);
      this.#folderSynced = true;
    } catch (cause) {
      throw writeFailure(cause);
    }
  }

  #cutBack(): void {
    try {
      ftruncateSync(this.#fd, this.#bytes);
    } catch {
      // The torn line stays; the next start cuts it off.
    }
  }
}

/** Folders in which files were made a moment ago. */
const folders = new Map<string, GroupCommit>();

/** The entry of a new file is on disk only when its folder is; all that were made meanwhile share one round. */
async function syncFolder(path: string): Promise<void> {
  let commit = folders.get(path);
  if (commit === undefined) folders.set(path, (commit = new GroupCommit(() => folderToDisk(path))));
  try {
    await commit.run();
  } finally {
    if (commit.idle) folders.delete(path);
  }
}

async function folderToDisk(path: string): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await fsyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The system's code says why (`ENOSPC`, `EROFS`); its message would name paths. */
export function writeFailure(cause: unknown): HoopError {
  if (cause instanceof HoopError) return cause;
  const code = (cause as { code?: unknown } | null)?.code;
  return new HoopError('recording_failed', 'the session can not be recorded', {
    ...(typeof code === 'string' ? { why: `writing the recording failed with ${code}` } : {}),
    cause,
  });
}
