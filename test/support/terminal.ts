import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** A terminal of its own, on a tmux server of its own. */
export class Terminal {
  readonly #socket = `hoop-${randomBytes(4).toString('hex')}`;

  constructor(command: string, size: { readonly columns: number; readonly rows: number } = { columns: 150, rows: 50 }) {
    const { columns, rows } = size;
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, '-s', 't', command);
  }

  type(...keys: readonly string[]): void {
    this.#tmux('send-keys', '-t', 't', ...keys);
  }

  line(text: string): void {
    // tmux takes a semicolon at the end for its own.
    this.#tmux('send-keys', '-t', 't', '-l', text.replace(/;$/, '\\;'));
    this.type('Enter');
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
