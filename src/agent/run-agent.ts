import { constants } from 'node:os';
import { giveHeapRoom } from './heap-room.js';
import type { AgentLog } from './log.js';
import { startAgent } from './start.js';
import { resourcesFingerprint, watchResources } from './resources/watch-resources.js';

/** How long running statements may take to end after SIGTERM; what is killed later than this is killed by nobody's fault. */
const GRACE_MS = 25_000;

export interface RunAgentOptions {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: AgentLog;
  /** The agent takes callers at this address from now on. */
  readonly onListening: (url: string) => void;
  /** Said to people: why nothing new is taken, and that a second signal does not wait. */
  readonly onDraining: (signal: string) => void;
}

/**
 * Runs an agent until SIGTERM, SIGINT, or the end of the process that started it with a channel.
 * Statements that run may end first; a second signal ends it at once. SIGHUP and changed files reload.
 *
 * @returns once everything is sealed and closed
 * @throws what `startAgent` throws
 */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const { dir, env, log } = options;
  surviveTheUnforeseen(log);
  giveHeapRoom();
  const ended = endSignal();
  const known = await resourcesFingerprint(dir);
  const agent = await startAgent(dir, env, log);
  const reload = (): void => {
    agent.reload().catch((error: unknown) => {
      log.failure('not reloaded', error);
    });
  };
  process.on('SIGHUP', reload);
  const watch = watchResources(dir, known, reload);
  options.onListening(agent.url);
  options.onDraining(await ended);
  watch.close();
  await agent.close(GRACE_MS);
}

/** One broken session must not end the others: what nothing caught is logged by kind and place, and the agent goes on. */
function surviveTheUnforeseen(log: AgentLog): void {
  process.on('uncaughtException', (error) => {
    log.failure('unforeseen exception', error);
  });
  process.on('unhandledRejection', (error) => {
    log.failure('unforeseen rejection', error);
  });
}

/** The first signal that asks to end; the second ends the process at once. */
function endSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    const end = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(128 + constants.signals[signal]);
      asked = true;
      resolve(signal);
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    // Who started this process and held a channel to it has gone: nobody is left to end it.
    process.once('disconnect', () => {
      if (!asked) end('SIGTERM');
    });
  });
}
