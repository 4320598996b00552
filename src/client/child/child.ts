import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { escapeControls } from '../../core/display.js';
import { windowsCommand } from './windows-command.js';

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Is the child in the foreground of a terminal? Then Ctrl-C reaches it without our help. */
  readonly onTerminal: boolean;
  /** Takes the lines that say why the child could not run. */
  readonly complain: (lines: string) => void;
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** The shell's own exit codes for a command that is not there or may not run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * Runs a program with this process's standard streams and passes signals on to it.
 *
 * @returns its exit code; 128+n when signal n ended it; 127 not found, 126 not executable
 * @throws HoopError `usage` for arguments that a batch file of Windows can't be given
 */
export function runChild(options: ChildOptions): Promise<number> {
  return new Promise((resolve) => {
    const child = start(options);
    const forward = (signal: NodeJS.Signals): void => {
      // A terminal sends Ctrl-C to the whole group; passed on too, the child would count two.
      if (options.onTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT')) return;
      child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const finish = (code: number): void => {
      for (const signal of FORWARDED) process.off(signal, forward);
      resolve(code);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      const missing = error.code === 'ENOENT';
      options.complain(
        missing
          ? threeLines(
              'command not found',
              'no program of that name is there',
              'check the spelling of what follows `--`',
            )
          : threeLines('command could not be run', error.message, 'check that the file is a program and may be run'),
      );
      finish(missing ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => {
      finish(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

function start({ command, args, env }: ChildOptions): ChildProcess {
  if (process.platform !== 'win32') return spawn(command, [...args], { stdio: 'inherit', env });
  const { file, args: own, verbatim } = windowsCommand(command, args, env, existsSync);
  return spawn(file, [...own], { stdio: 'inherit', env, windowsVerbatimArguments: verbatim });
}

/** As every failure is told; here without an error of the table, whose exit statuses a shell's 126 and 127 are none of. */
function threeLines(what: string, why: string, remedy: string): string {
  return `error: ${what}\nwhy:   ${escapeControls(why)}\ndo:    ${remedy}`;
}
