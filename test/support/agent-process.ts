import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AgentFolder } from './agent.js';
import { buildCli } from './built-cli.js';

const PROGRAM = fileURLToPath(new URL('agent-program.mjs', import.meta.url));

export interface AgentProcess {
  readonly url: string;
  readonly pid: number;
  /** Is it still there? */
  running(): boolean;
  log(): string;
  /** Resident memory in MiB. */
  residentMib(): number;
  kill(): Promise<void>;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

/**
 * Starts the agent as a process, as it is built.
 *
 * @param options.fileKib no file of its may grow over so many KiB, as on a full disk
 * @param options.killAfterMs it is killed so many milliseconds after it was started, ready or not
 */
export async function startAgentProcess(
  folder: AgentFolder,
  options: { readonly fileKib?: number; readonly killAfterMs?: number } = {},
): Promise<AgentProcess> {
  await buildCli();
  const limit = options.fileKib === undefined ? '' : `ulimit -f ${String(options.fileKib)}; `;
  const child = spawn('bash', ['-c', `${limit}exec "$@"`, 'bash', process.execPath, PROGRAM, folder.conf], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...folder.env },
  });
  if (options.killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), options.killAfterMs);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close');
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => {
      resolve(text.trim());
    });
    void ended.then(() => {
      reject(new Error(`the agent ended early:\n${log}`));
    });
  });
  const pid = child.pid as number;
  return {
    url,
    pid,
    running: () => child.exitCode === null && child.signalCode === null,
    log: () => log,
    residentMib: () =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]) / 1024,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
