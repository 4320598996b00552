import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** Is tmux there? */
export function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program in a terminal of its own, on a tmux server of its own. */
export class Terminal {
  readonly #socket = `hoop-${randomBytes(4).toString('hex')}`;

  constructor(command: string, { columns = 80, rows = 24, env = {} }: TerminalOptions = {}) {
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...variables, '-s', 't', command);
  }

  /** Keys by tmux's names; a letter is itself. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', '-t', 't', ...keys);
  }

  type(text: string): void {
    // tmux takes a semicolon at the end for its own.
    this.#tmux('send-keys', '-t', 't', '-l', text.replace(/;$/, '\\;'));
  }

  get screen(): string {
    return this.#tmux('capture-pane', '-p', '-t', 't');
  }

  /** Waits until the screen holds what is looked for. */
  async shows(wanted: RegExp, withinMs = 60_000, everyMs = 50): Promise<string> {
    for (const endMs = performance.now() + withinMs; performance.now() < endMs; await delay(everyMs)) {
      const { screen } = this;
      if (wanted.test(screen)) return screen;
    }
    throw new Error(`the screen never showed ${String(wanted)}:\n${this.screen}`);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-t', 't', '-x', String(columns), '-y', String(rows));
  }

  /** Is the terminal in its alternate screen? */
  get alternate(): boolean {
    return this.#tmux('display-message', '-p', '-t', 't', '#{alternate_on}').trim() === '1';
  }

  /** From now on, what the program writes to the terminal also goes into this file. */
  copyTo(file: string): void {
    this.#tmux('pipe-pane', '-t', 't', '-o', `cat > '${file}'`);
  }

  close(): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }
}
