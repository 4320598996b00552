import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { HoopError, messageOf } from '../core/errors.js';

const MAX_BYTES = 1024 * 1024;
const READABLE_BY_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes the folder, 0700, where it is missing.
 *
 * @throws HoopError `config_invalid` where it can't be made or written in, or others may write in it
 */
export function ensurePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new HoopError('config_invalid', 'the configuration folder can not be written', {
      why: messageOf(error),
      suggestion: 'make room and rights there, or name another folder with HOOP_CONFIG_DIR',
      cause: error,
    });
  }
  const stats = statSync(path);
  if (othersMay(stats, WRITABLE_BY_OTHERS)) {
    throw new HoopError('config_invalid', 'the configuration folder is open to other users', {
      why: `others own ${path} or may write in it`,
      suggestion: `run \`chmod 700 ${path}\`, or name another folder with HOOP_CONFIG_DIR`,
    });
  }
}

/** Did `ensurePrivateFolder` or `writePrivateFile` fail because nothing can be written there, as in many containers? */
export function isUnwritable(error: unknown): boolean {
  return error instanceof HoopError && error.code === 'config_invalid' && error.cause instanceof Error;
}

/**
 * The text of a file that only its owner may read; undefined where there is none.
 *
 * A symbolic link is not followed, and what others may read is refused: it may have been read.
 *
 * @throws HoopError `config_invalid`
 */
export function readPrivateFile(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, 'it cannot be opened, or is a symbolic link', error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw unreadable(path, 'it is no file');
    if (stats.size > MAX_BYTES) throw unreadable(path, `it is larger than ${MAX_BYTES} bytes`);
    if (othersMay(stats, READABLE_BY_OTHERS))
      throw unreadable(path, 'others own it or may read it; its mode must be 0600');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces the file at once, 0600: readers see the old text or the new one, never a part. */
export function writePrivateFile(path: string, text: string): void {
  ensurePrivateFolder(dirname(path));
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(
    draft,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function othersMay(stats: Stats, bits: number): boolean {
  // Windows has no such modes: the profile folder's own access list protects there.
  if (process.getuid === undefined) return false;
  return stats.uid !== process.getuid() || (stats.mode & bits) !== 0;
}

function unreadable(path: string, why: string, cause?: unknown): HoopError {
  return new HoopError('config_invalid', `${path} is not used`, {
    why,
    suggestion: `correct or remove ${path}`,
    cause,
  });
}
