import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/** Is there a process with this id? */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Settles once the process has gone; rejects after `withinMs`. */
export async function gone(pid: number, withinMs: number): Promise<void> {
  for (const endMs = performance.now() + withinMs; isRunning(pid); await delay(LOOK_EVERY_MS)) {
    if (performance.now() > endMs) throw new Error(`process ${String(pid)} still runs after ${String(withinMs)} ms`);
  }
}

/** Command lines of running processes that hold a text. */
export function processesNaming(text: string): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(text));
}
