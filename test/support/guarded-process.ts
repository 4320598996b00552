import { spawn } from 'node:child_process';
import type { Account } from './postgres-programs.js';

/** A background program that cannot outlive the tests. */
export interface GuardedProcess {
  /** Everything printed so far, both streams. */
  output(): string;
  /** Settles when the output matches; rejects when the program ends before. */
  outputMatching(pattern: RegExp): Promise<void>;
  /** Ends it at once and removes its folder. */
  stop(): Promise<void>;
}

/**
 * The shell starts the program and waits for it. A second one reads the input, which ends when the test lets go of it
 * or its process is killed, and then ends the program. Signals meant for the tests pass this shell by, so that the
 * folder is removed in every case.
 */
const GUARD = `
trap '' INT TERM HUP
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & program=$!
( while read -r _; do :; done; kill -QUIT "$program" ) <&3 >/dev/null 2>&1 & watcher=$!
wait "$program"; status=$?
kill -KILL "$watcher" 2>/dev/null
rm -rf "$folder"
exit "$status"
`;

/**
 * @param command program and arguments
 * @param account who runs it
 * @param folder removed once the program has ended
 */
export function guard(command: readonly string[], account: Account, folder: string): GuardedProcess {
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', folder, ...command], {
    ...account,
    cwd: '/',
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-1_000_000);
      for (const watch of watchers) watch();
    });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // A pipe to a shell that has ended breaks; that it ended is told by `close`.
  child.stdin.on('error', () => undefined);
  return {
    output: () => output,
    outputMatching: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (pattern.test(output)) resolve();
        };
        watchers.add(watch);
        watch();
        void ended.then(() => reject(new Error(`${command[0] ?? ''} ended early:\n${output}`)));
      }),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
