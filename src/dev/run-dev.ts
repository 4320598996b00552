import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HoopError } from '../core/errors.js';
import { writeShellFiles } from './shell-files.js';
import { startTrialStack, type TrialStack } from './trial-stack.js';

/**
 * Runs the trial stack until Ctrl-C, SIGTERM or a closed terminal; leaves no process, and no file unless
 * `keep` names a folder for them.
 *
 * @param onRunning told once everything runs
 * @throws HoopError where a part does not start, or the agent ends by itself
 */
export async function runDev(options: {
  readonly keep: string | undefined;
  readonly onRunning: (stack: TrialStack) => void;
}): Promise<void> {
  const stopped = firstSignal();
  const dir = options.keep === undefined ? await mkdtemp(join(tmpdir(), 'hoop-dev-')) : resolve(options.keep);
  try {
    const stack = await startTrialStack({ dir });
    try {
      await writeShellFiles(stack);
      options.onRunning(stack);
      const broken = await Promise.race([stopped, stack.broken]);
      if (broken !== undefined)
        throw new HoopError('failed', `the ${broken.part} ended by itself`, { why: broken.why });
    } finally {
      await stack.close();
    }
  } finally {
    if (options.keep === undefined) await rm(dir, { recursive: true, force: true });
  }
}

/** Resolves at the first signal that asks to end; a second one ends at once, the agent then notices by its channel. */
function firstSignal(): Promise<undefined> {
  return new Promise((done) => {
    let asked = false;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (asked) process.exit(128 + constants.signals[name]);
        asked = true;
        done(undefined);
      });
    }
  });
}
