import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { HoopError } from '../core/errors.js';
import { HOOP_PROGRAM } from './hoop-program.js';

export interface AgentProcess {
  readonly url: string;
  readonly pid: number;
  /** Settles when it ends, whoever ended it; gives its exit status or the signal. */
  readonly ended: Promise<string>;
  /** Asks it to end, and after a while ends it. */
  close(): Promise<void>;
}

/** The agent seals what is open within this; after it nothing is waited for. */
const CLOSE_WITHIN_MS = 5_000;

/**
 * Starts `hoop agent start` as a process of its own, so that it can be ended and killed as a real one.
 *
 * @param logFile what the agent logs
 * @throws HoopError `failed` with the last lines of the log where it ends before it listens
 */
export async function startAgentProcess(options: {
  readonly configDir: string;
  readonly logFile: string;
  /** What the secrets in the resource files come from. */
  readonly env: Readonly<Record<string, string>>;
}): Promise<AgentProcess> {
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(process.execPath, [HOOP_PROGRAM, 'agent', 'start', '--config', options.configDir, '--json'], {
    // A group of its own: Ctrl-C in the terminal goes to us alone, and we end it in order. Over the channel it learns
    // when we are gone without having done so.
    detached: true,
    stdio: ['ignore', 'pipe', log, 'ipc'],
    env: { ...agentEnvironment(), ...options.env },
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal ?? `status ${String(code)}`);
    });
    child.once('error', (error) => {
      resolve(error.message);
    });
  });
  const started = await Promise.race([
    listening(child),
    ended.then((how) => ({ why: `${how} ${lastLines(options.logFile)}` })),
  ]);
  if (!('url' in started)) throw new HoopError('failed', 'the agent ended before it listened', started);
  const { url } = started;
  return { url, pid: child.pid as number, ended, close: () => closeChild(child, ended) };
}

/** The first thing it says on stdout: where it listens, or what kept it from that. */
function listening(child: ChildProcess): Promise<{ readonly url: string } | { readonly why: string }> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const told = JSON.parse(line) as { readonly url?: string; readonly error?: { readonly message: string } };
      resolve(told.url === undefined ? { why: told.error?.message ?? line } : { url: told.url });
    });
  });
}

/** Without the variables meant for the CLI or for an agent of the user's own, and without Node's debugger. */
function agentEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('HOOP_') && name !== 'NODE_OPTIONS'),
  );
}

async function closeChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_WITHIN_MS);
  await ended;
  clearTimeout(timer);
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-3).join('; ');
}
