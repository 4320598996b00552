import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withFileLock } from '../../src/identity/file-lock.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let built: Promise<void> | undefined;

/** Builds dist/ where the sources are newer; one test process does it, the others wait. */
export function buildCli(): Promise<void> {
  built ??= withFileLock(
    join(ROOT, '.cache', 'build.lock'),
    async () => {
      execFileSync(process.execPath, ['scripts/build.mjs', '--if-needed'], { cwd: ROOT, stdio: 'inherit' });
    },
    { waitMs: 230_000 },
  );
  return built;
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What `pattern` finds in stderr, as soon as it is there. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** The same for stdout. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the built `hoop` as its own process, with nothing of the test's HOOP_ variables. */
export function startHoop(args: readonly string[], env: Readonly<Record<string, string>>, stdin = ''): Running {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('HOOP_') && name !== 'NO_COLOR' && name !== 'FORCE_COLOR',
  );
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'run.js'), ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
  });
  const out = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      out[name] += text;
      for (const listener of listeners) listener();
    });
  }
  child.stdin.on('error', () => undefined).end(stdin);
  const finished = new Promise<Finished>((resolve) => child.on('close', (status) => resolve({ status, ...out })));
  const find = (name: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(out[name]);
        if (found !== null) resolve(found);
      };
      listeners.add(look);
      look();
      void finished.then(() =>
        reject(new Error(`hoop ended without saying ${String(pattern)}:\n${out.stdout}${out.stderr}`)),
      );
    });
  return {
    child,
    finished,
    said: (pattern) => find('stderr', pattern),
    printed: (pattern) => find('stdout', pattern),
  };
}

/** Runs the built `hoop` to its end. */
export function runHoop(args: readonly string[], env: Readonly<Record<string, string>>, stdin = ''): Promise<Finished> {
  return startHoop(args, env, stdin).finished;
}
