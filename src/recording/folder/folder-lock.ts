import { closeSync, constants, linkSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { HoopError } from '../../core/errors.js';

/** Marks a recordings folder as in use; holds the owner's `{"pid","started"}`. */
export const LOCK = '.lock';

interface Owner {
  readonly pid: number;
  /** When the process started, in the system's own ticks; empty where the system does not tell. */
  readonly started: string;
}

/**
 * Takes the folder for this process. A lock whose process is gone (no such pid, or the pid now
 * belongs to a process that started at another time) is taken over.
 *
 * Sees the processes of its own host and pid namespace: two containers that share a folder must be
 * kept apart by who runs them.
 *
 * @returns gives the lock back
 * @throws HoopError `recording_failed` when another live process holds it or the folder can't be written
 */
export function lockFolder(dir: string): () => void {
  const path = join(dir, LOCK);
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (create(path, own)) return () => release(path, own);
    const held = read(path);
    if (held !== undefined && isAlive(held)) break;
    takeAside(path, held);
  }
  throw new HoopError('recording_failed', 'the recordings folder is in use by another agent', {
    suggestion: 'end the other agent, or give this one its own recordings folder',
  });
}

function create(path: string, text: string): boolean {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  // Written beside and linked: whoever reads the lock never sees half of it.
  const draft = `${path}.${process.pid}`;
  try {
    rmSync(draft, { force: true });
    const fd = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    writeSync(fd, text);
    closeSync(fd);
    linkSync(draft, path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new HoopError('recording_failed', 'the recordings folder is not writable', { cause });
  } finally {
    rmSync(draft, { force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Removes a stale lock, and puts it back when another process has replaced it in the meantime. */
function takeAside(path: string, stale: string | undefined): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (read(aside) !== stale) linkSync(aside, path);
  } catch {
    // Gone already, or held again: the next attempt sees which.
  } finally {
    rmSync(aside, { force: true });
  }
}

function release(path: string, own: string): void {
  if (read(path) === own) rmSync(path, { force: true });
}

function isAlive(text: string): boolean {
  let owner: Owner;
  try {
    owner = JSON.parse(text) as Owner;
  } catch {
    return false;
  }
  if (!Number.isInteger(owner.pid) || owner.pid <= 0) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startOf(owner.pid) === owner.started;
}

/** Field 22 of Linux's `/proc/PID/stat`, and the boot it counts from; empty on other systems. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19] ?? ''}`;
  } catch {
    return '';
  }
}
