import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Stands in the folder of the queues between a program that ended and the next that starts. */
const MARK = '.ended';

/** Everything that was accepted is in its queue on disk. */
export function markCleanEnd(dir: string): void {
  if (existsSync(dir)) writeFileSync(join(dir, MARK), '', { mode: 0o600 });
}

/**
 * Did whoever used the folder before come to an end of their own? Asked once: from then on it is in use. Of a folder that
 * is not there nothing can be missing.
 */
export function takeCleanEnd(dir: string): boolean {
  const mark = join(dir, MARK);
  if (!existsSync(dir)) return true;
  const ended = existsSync(mark);
  rmSync(mark, { force: true });
  return ended;
}
