import type { Colours } from '../cli/colours.js';
import { HoopError, messageOf } from '../core/errors.js';

/** A step did not give what the tour shows. */
export class StepFailed extends Error {
  constructor(
    readonly step: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StepFailed';
  }
}

/** Longest that one step of the tour may take. */
const STEP_MS = 40_000;

/** Tells the tour: numbered steps, the commands they run, what came, and what was checked. */
export class TourGuide {
  #step = '';
  #steps = 0;
  #checks = 0;

  constructor(
    private readonly print: (line: string) => void,
    private readonly colours: Colours,
  ) {}

  get checks(): number {
    return this.#checks;
  }

  /** Runs one step, bounded in time. @throws StepFailed where it fails, with its title */
  async step<T>(title: string, run: () => Promise<T>): Promise<T> {
    this.#steps += 1;
    this.#step = `${String(this.#steps)}. ${title}`;
    this.print(`\n${this.colours.bold(this.#step)}`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${String(STEP_MS / 1000)} s`)), STEP_MS);
    });
    try {
      return await Promise.race([run(), late]);
    } catch (error) {
      if (error instanceof StepFailed) throw error;
      throw new StepFailed(this.#step, reasonOf(error), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  command(user: string, line: string): void {
    this.print(`   ${this.colours.dim(`${user} $`)} ${this.colours.cyan(line)}`);
  }

  /** What came, line by line, bounded. */
  shows(text: string, maxLines = 12): void {
    const lines = text.trimEnd().split('\n');
    for (const line of lines.slice(0, maxLines)) this.print(`   ${this.colours.plain(line)}`);
    if (lines.length > maxLines)
      this.print(`   ${this.colours.dim(`… ${String(lines.length - maxLines)} lines more`)}`);
  }

  /** @throws StepFailed where what is claimed does not hold */
  check(claim: string, holds: boolean, came: unknown = ''): void {
    if (!holds) {
      const got = typeof came === 'string' ? came : JSON.stringify(came);
      throw new StepFailed(this.#step, `expected: ${claim}${got === '' ? '' : `; came: ${got}`}`);
    }
    this.#checks += 1;
    this.print(`   ${this.colours.green('✓')} ${this.colours.plain(claim)}`);
  }
}

/** What went wrong, and why where that is known apart. */
export function reasonOf(error: unknown): string {
  const why = error instanceof HoopError ? error.why : undefined;
  return why === undefined ? messageOf(error) : `${messageOf(error)}: ${why}`;
}
