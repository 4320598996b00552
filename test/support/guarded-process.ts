import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Account } from './postgres-programs.js';

/** A background program that cannot outlive the tests. */
export interface GuardedProcess {
  /** Of the program itself, once it runs. */
  pid(): number | undefined;
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
 * folder is removed in every case; the program is started before, or it would ignore them as well.
 */
const GUARD = `
signal=$1; folder=$2; shift 2
exec 4<&0
"$@" </dev/null 3>&- 4<&- & program=$!
trap '' INT TERM HUP
echo "$program" >&3
exec 3>&-
( while read -r _; do :; done; kill -"$signal" "$program"; sleep 10; kill -KILL "$program" ) <&4 >/dev/null 2>&1 & watcher=$!
wait "$program"; status=$?
kill -KILL "$watcher" 2>/dev/null
[ -z "$folder" ] || rm -rf "$folder"
exit "$status"
`;

export interface GuardOptions {
  /** Who runs it; the caller where absent. */
  readonly account?: Account;
  /** Removed once the program has ended. */
  readonly folder?: string;
  /** What ends it; PostgreSQL gives up at once on QUIT. Ten seconds later it is killed. */
  readonly signal?: 'TERM' | 'QUIT';
  /** All it sees besides PATH and the C locale. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told all that it prints, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** @param command program and arguments */
export function guard(command: readonly string[], options: GuardOptions = {}): GuardedProcess {
  const { account = {}, folder = '', env = {}, signal = 'TERM', onOutput = () => undefined } = options;
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', signal, folder, ...command], {
    ...account,
    cwd: '/',
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let pid = '';
  (child.stdio[3] as Readable).on('data', (chunk: Buffer) => (pid += chunk.toString()));
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      onOutput(chunk.toString());
      output = (output + chunk.toString()).slice(-1_000_000);
      for (const watch of watchers) watch();
    });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // A pipe to a shell that has ended breaks; that it ended is told by `close`.
  child.stdin.on('error', () => undefined);
  return {
    pid: () => (pid.endsWith('\n') ? Number(pid) : undefined),
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
