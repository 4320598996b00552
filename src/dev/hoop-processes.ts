import { spawn } from 'node:child_process';
import { HOOP_PROGRAM } from './hoop-program.js';

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningHoop {
  readonly finished: Promise<Finished>;
  /** What `pattern` finds in what was printed, both streams, as soon as it is there; rejects where it ends without. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
}

/** Longest that one command of the tour may take; the longest that is expected takes about 2 s. */
const COMMAND_MS = 30_000;

/** Runs real `hoop` commands as processes, each person with a configuration of their own. */
export class HoopProcesses {
  readonly #running = new Set<RunningHoop>();

  constructor(private readonly options: { readonly agentUrl: string; configDir(user: string): string }) {}

  start(user: string, args: readonly string[]): RunningHoop {
    const child = spawn(process.execPath, [HOOP_PROGRAM, ...args], {
      env: this.#environment(user),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out = { stdout: '', stderr: '' };
    const listeners = new Set<() => void>();
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        out[name] += text;
        for (const listener of listeners) listener();
      });
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS);
    const finished = new Promise<Finished>((resolve) => {
      child.once('close', (status) => {
        clearTimeout(timer);
        this.#running.delete(running);
        resolve({ status, ...out });
      });
    });
    const said = (pattern: RegExp): Promise<RegExpExecArray> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(out.stdout) ?? pattern.exec(out.stderr);
          if (found !== null) resolve(found);
        };
        listeners.add(look);
        look();
        void finished.then(({ status }) => {
          reject(new Error(`hoop ${args.join(' ')} ended with status ${String(status)}: ${out.stderr || out.stdout}`));
        });
      });
    const running: RunningHoop = { finished, said, signal: (name) => child.kill(name) };
    this.#running.add(running);
    return running;
  }

  run(user: string, args: readonly string[]): Promise<Finished> {
    return this.start(user, args).finished;
  }

  /** Runs a command with `--json`. @throws Error where it fails or prints something else */
  async json<T>(user: string, args: readonly string[]): Promise<T> {
    const { status, stdout, stderr } = await this.run(user, [...args, '--json']);
    if (status !== 0)
      throw new Error(`hoop ${args.join(' ')} ended with status ${String(status)}: ${stderr || stdout}`);
    return JSON.parse(stdout) as T;
  }

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    const left = [...this.#running];
    for (const running of left) running.signal('SIGKILL');
    await Promise.all(left.map(({ finished }) => finished));
  }

  /** Nothing of the caller's own hoop: not its agent, token or profile. */
  #environment(user: string): NodeJS.ProcessEnv {
    const foreign = /^(?:HOOP_|PG|NODE_OPTIONS$|FORCE_COLOR$)/;
    const inherited = Object.entries(process.env).filter(([name]) => !foreign.test(name));
    return {
      ...Object.fromEntries(inherited),
      HOOP_AGENT_URL: this.options.agentUrl,
      HOOP_CONFIG_DIR: this.options.configDir(user),
      HOOP_KEYRING: 'file',
      NO_COLOR: '1',
    };
  }
}
