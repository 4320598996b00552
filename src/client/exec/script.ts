import { HoopError } from '../../core/errors.js';
import type { TextParts } from './script-source.js';
import { StatementSplitter, type StatementText } from './statement-splitter.js';

/** Largest single statement, in UTF-16 units. The agent has a limit of its own, which is smaller. */
const MAX_STATEMENT = 64 << 20;
/** Data lines are joined up to about this many characters. */
const COPY_CHARACTERS = 64 * 1024;

/** The statements of a script, read as they are asked for; between two of them may stand the data of a COPY. */
export class Script {
  readonly #parts: AsyncIterator<string>;
  readonly #splitter = new StatementSplitter();
  #ended = false;

  constructor(parts: TextParts) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** The next statement; undefined at the end. @throws HoopError usage, limit, and what reading throws */
  async next(): Promise<StatementText | undefined> {
    for (;;) {
      const statement = this.#splitter.next();
      if (statement !== undefined) return statement;
      if (!(await this.#readOn())) return undefined;
      if (this.#splitter.kept > MAX_STATEMENT)
        throw new HoopError('limit', `a statement is over ${String(MAX_STATEMENT >> 20)} MiB`);
    }
  }

  /**
   * What stands behind `COPY … FROM STDIN;`, from the next line on, up to a line that is `\.` or the end.
   *
   * @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
   */
  async *copyData(): AsyncGenerator<string> {
    // The rest of the statement's own line.
    await this.#line();
    let joined = '';
    for (let line = await this.#line(); line !== undefined; line = await this.#line()) {
      if (/^\\\.\r?\n?$/.test(line)) break;
      joined += line;
      if (joined.length < COPY_CHARACTERS) continue;
      yield joined;
      joined = '';
    }
    if (joined !== '') yield joined;
  }

  /** Gives up what was not read. */
  async close(): Promise<void> {
    await this.#parts.return?.();
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const line = this.#splitter.takeLine();
      if (line !== undefined) return line === '' ? undefined : line;
      await this.#readOn();
    }
  }

  async #readOn(): Promise<boolean> {
    if (this.#ended) return false;
    const part: IteratorResult<string, unknown> = await this.#parts.next();
    if (part.done === true) {
      this.#ended = true;
      this.#splitter.end();
      return true;
    }
    // The wire ends a text at a zero byte: what stands behind it would silently not run.
    if (part.value.includes('\0')) throw new HoopError('usage', 'the script holds a zero byte');
    this.#splitter.push(part.value);
    return true;
  }
}
