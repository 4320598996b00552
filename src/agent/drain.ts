import type { LiveSession } from './sessions/session-host.js';

const ADMIN_SHUTDOWN = '57P01';
const POLL_MS = 20;

/** Ends idle sessions at once and the others when their statement is done, or after `graceMs`. */
export async function drain(drives: ReadonlySet<LiveSession>, graceMs: number): Promise<void> {
  const end = performance.now() + graceMs;
  const told = new Set<LiveSession>();
  const terminate = (drive: LiveSession): void => {
    if (told.has(drive)) return;
    told.add(drive);
    drive.terminate('agent', ADMIN_SHUTDOWN, 'the hoop agent is shutting down');
  };
  for (;;) {
    for (const drive of [...drives]) if (drive.idle || performance.now() >= end) terminate(drive);
    if (drives.size === 0 || performance.now() >= end + 2_000) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
