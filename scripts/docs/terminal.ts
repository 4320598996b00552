import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** How long a terminal has for its end. */
const CLOSE_MS = 20_000;

/** One bash, as somebody types into it; both of its outputs are one. */
export class Terminal {
  /** All that it ever showed. */
  all = '';
  /** Since the last command was typed. */
  sinceCommand = '';
  /** Of what was typed last; undefined while it runs. */
  status: number | undefined;
  readonly #shell: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  readonly #listeners = new Set<() => void>();
  #marks: string[] = [];

  constructor(folder: string) {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('HOOP_') && name !== 'FORCE_COLOR'),
    );
    // A group of its own: what runs in it is ended with it.
    this.#shell = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env, detached: true });
    this.#ended = new Promise((resolve) => this.#shell.once('close', () => resolve()));
    this.#shell.stdin.write('exec 2>&1\n');
    this.#shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#show(text);
    });
  }

  /** Types commands; what was typed before goes on first. */
  type(commands: string): void {
    const mark = randomBytes(8).toString('hex');
    this.#marks.push(mark);
    this.status = undefined;
    this.sinceCommand = '';
    // Programs get an empty input, not what is typed after them.
    this.#shell.stdin.write(`{ ${commands}\n} </dev/null\necho "${mark} $?"\n`);
  }

  /** Until all that was typed has ended. */
  async done(ms: number, line: number): Promise<void> {
    await this.until(() => (this.status === undefined ? 'its end' : undefined), ms, line);
  }

  /**
   * Until nothing is missing any more.
   *
   * @throws Error that says what is missing, of which line of the page, and what was shown instead
   */
  async until(missing: () => string | undefined, ms: number, line: number): Promise<void> {
    let what = missing();
    if (what === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      const look = (): void => {
        what = missing();
        if (what !== undefined) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
    what = missing();
    if (what !== undefined) throw new Error(`line ${String(line)} misses ${what}\n--- shown:\n${this.sinceCommand}`);
  }

  /** Presses Ctrl-C, and closes it. */
  async close(): Promise<void> {
    const { pid } = this.#shell;
    if (pid === undefined || this.#shell.exitCode !== null) return;
    this.#shell.stdin.end();
    process.kill(-pid, 'SIGINT');
    const timer = setTimeout(() => {
      process.kill(-pid, 'SIGKILL');
    }, CLOSE_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #show(text: string): void {
    this.all += text;
    this.sinceCommand += text;
    for (const mark of this.#marks) {
      const ended = new RegExp(`${mark} (\\d+)\\n`).exec(this.sinceCommand);
      if (ended === null) continue;
      this.sinceCommand = this.sinceCommand.replace(ended[0], '');
      this.#marks = this.#marks.filter((other) => other !== mark);
      if (this.#marks.length === 0) this.status = Number(ended[1]);
    }
    for (const listener of [...this.#listeners]) listener();
  }
}
