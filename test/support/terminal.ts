import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

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

/** A terminal of its own, on a tmux server of its own. */
export class Terminal {
  readonly #socket = `hoop-${randomBytes(4).toString('hex')}`;

  constructor(command: string, { columns = 150, rows = 50, env = {} }: TerminalOptions = {}) {
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...variables, '-s', 't', command);
  }

  type(...keys: readonly string[]): void {
    this.#tmux('send-keys', '-t', 't', ...keys);
  }

  /** Text as it is; `type` takes names of keys. */
  text(text: string): void {
    // tmux takes a semicolon at the end for its own.
    this.#tmux('send-keys', '-t', 't', '-l', text.replace(/;$/, '\\;'));
  }

  line(text: string): void {
    this.text(text);
    this.type('Enter');
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-t', 't', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** Is it in its alternate screen? */
  get alternate(): boolean {
    return this.#tmux('display', '-p', '-t', 't', '#{alternate_on}').trim() === '1';
  }

  /** What is seen, without what has scrolled away. */
  get seen(): string {
    return this.#tmux('capture-pane', '-p', '-t', 't');
  }

  /** From now on, what programs write to it also goes into this file. */
  copyTo(file: string): void {
    this.#tmux('pipe-pane', '-t', 't', '-o', `cat > '${file}'`);
  }

  get screen(): string {
    return this.#tmux('capture-pane', '-p', '-t', 't', '-S', '-200');
  }

  /** What programs have called it. */
  get title(): string {
    return this.#tmux('display', '-p', '-t', 't', '#{pane_title}');
  }

  /** Waits, for up to `seconds`, until the screen holds what is looked for. */
  async shows(wanted: RegExp, seconds = 15): Promise<string> {
    for (let tries = 0; tries < seconds * 20; tries += 1) {
      const { screen } = this;
      if (wanted.test(screen)) return screen;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the screen never showed ${String(wanted)}:\n${this.screen}`);
  }

  clear(): void {
    this.type('C-l');
    this.#tmux('clear-history', '-t', 't');
  }

  close(): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }
}
