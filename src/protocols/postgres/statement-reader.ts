import type { SqlFacts } from '../../policy/types.js';
import type { ExpectedReplies } from './expected-replies.js';
import type { SqlReader } from './session-options.js';
import { changesReading, decodeStatement, mayRestoreReading, unreadable } from './statement-text.js';

const NORMAL: ReadonlySet<string> = new Set(['client_encoding=UTF8', 'standard_conforming_strings=on']);

/** Reads statements as the server will, given the encoding and string syntax it told last. */
export class StatementReader {
  #encoding = 'UTF8';
  #conforming = true;
  /** A statement is under way that may change how the next one reads. */
  #doubtful = false;
  /** Did this session ever read otherwise? Then the end of a transaction or a reset may bring another reading back. */
  #changed = false;

  constructor(
    private readonly sql: SqlReader,
    private readonly expected: ExpectedReplies,
  ) {}

  /** `client_encoding` as the server told it last. */
  get encoding(): string {
    return this.#encoding;
  }

  /** The server reported a setting. */
  parameter(name: string, value: string): void {
    if (!NORMAL.has(`${name}=${value}`))
      this.#changed ||= name === 'client_encoding' || name === 'standard_conforming_strings';
    if (name === 'client_encoding') this.#encoding = value;
    if (name === 'standard_conforming_strings') this.#conforming = value !== 'off';
  }

  /** This text is about to run. */
  running(text: string): void {
    if (changesReading(text)) this.#changed = this.#doubtful = true;
    else if (this.#changed && mayRestoreReading(text)) this.#doubtful = true;
  }

  /** Must the next text wait until the server has said how it reads now, and will it say so? */
  get mustWait(): boolean {
    if (this.expected.length === 0) this.#doubtful = false;
    return this.#doubtful && this.expected.settles;
  }

  read(raw: Uint8Array): { readonly text: string; readonly facts: SqlFacts } {
    // Behind a change of encoding in the same pipeline nobody can tell yet how the server will read.
    const text =
      this.#doubtful && this.expected.length > 0 ? undefined : decodeStatement(raw, this.#encoding, this.#conforming);
    if (text !== undefined) return { text, facts: this.sql.read(text).facts };
    const shown = new TextDecoder().decode(raw);
    return { text: shown, facts: unreadable(shown, 'text in an encoding or string syntax that can not be judged') };
  }
}
