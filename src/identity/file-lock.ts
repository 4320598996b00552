import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HoopError } from '../core/errors.js';
import { ensurePrivateFolder } from './private-file.js';

/** Longer than anything done under a lock may take: then whoever holds it has died elsewhere. */
const STALE_MS = 90_000;
const POLL_MS = 50;

/**
 * Runs `work` while no other process of this user runs its own under the same lock file.
 *
 * A lock whose process is gone is taken over.
 *
 * @throws HoopError `failed` after `waitMs`
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { readonly waitMs: number },
): Promise<T> {
  ensurePrivateFolder(dirname(path));
  const mark = `${process.pid} ${hostname()} ${randomBytes(8).toString('hex')}`;
  const attempts = Math.ceil(options.waitMs / POLL_MS);
  for (let attempt = 0; !tryTake(path, mark); attempt += 1) {
    if (attempt >= attempts) throw new HoopError('failed', 'another hoop holds the lock for too long', { why: path });
    takeFromTheDead(path);
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (readMark(path) === mark) rmSync(path, { force: true });
  }
}

function tryTake(path: string, mark: string): boolean {
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    try {
      writeFileSync(descriptor, mark);
    } finally {
      closeSync(descriptor);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function takeFromTheDead(path: string): void {
  const mark = readMark(path);
  if (mark === undefined || !isDead(path, mark)) return;
  // Moved aside before it is removed: two that find it dead must not both remove, one its follower's lock.
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
    if (readMark(aside) !== mark) linkSync(aside, path);
  } catch {
    // Another was quicker; the next attempt sees what there is.
  } finally {
    rmSync(aside, { force: true });
  }
}

function isDead(path: string, mark: string): boolean {
  const [pid = '', host = ''] = mark.split(' ');
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_MS) return true;
    // Another machine's process numbers say nothing here.
    if (host !== hostname() || !/^\d+$/.test(pid)) return false;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function readMark(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
