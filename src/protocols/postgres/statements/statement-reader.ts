import { READ_OTHERWISE } from '../facts/findings.js';
import type { SqlFacts } from '../../../policy/types.js';
import type { ExpectedReplies } from '../results/expected-replies.js';
import type { SqlReader } from '../opening/session-options.js';
import type { Catalog, NameLookup } from '../catalog/types.js';
import type { Run } from './run.js';
import { SearchPath } from '../facts/search-path.js';
import { changesReading, decodeStatement, mayRestoreReading, unreadable } from './statement-text.js';

const NORMAL: ReadonlySet<string> = new Set(['client_encoding=UTF8', 'standard_conforming_strings=on']);

/** Effects of texts that change settings of the session. */
const SETS: ReadonlySet<string> = new Set(['set', 'set-config', 'set-role', 'session-authorization', 'discard']);

/** Effects of statements that may make, replace or rename what the next one names. */
const DEFINES: ReadonlySet<string> = new Set(['create', 'alter', 'drop', 'extension', 'stored-code', 'dynamic']);

/** Reads statements as the server will, given the encoding and string syntax it told last. */
export class StatementReader {
  #encoding = 'UTF8';
  #conforming = true;
  /** A statement is under way that may change how the next one reads. */
  #doubtful = false;
  /** A statement is under way after which names may stand for other objects. */
  #defining = false;
  /** A statement is under way whose failure would tell of masked columns, and is counted first. */
  #telling = false;
  /** Did this session ever read otherwise? Then the end of a transaction or a reset may bring another reading back. */
  #changed = false;

  readonly #path = new SearchPath();

  /** @param settings of the start-up packet */
  constructor(
    private readonly sql: SqlReader,
    private readonly expected: ExpectedReplies,
    settings: readonly (readonly [name: string, value: string])[],
  ) {
    for (const [name, value] of settings) this.#path.starting(name.toLowerCase(), value);
  }

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
    this.#path.parameter(name, value);
  }

  /** A statement is about to run. */
  running(run: Run): void {
    const { text, facts } = run;
    // Most statements change none, and need not be looked up again.
    const changes = facts.effects.some((effect) => SETS.has(effect)) ? this.sql.read(text).settings : [];
    this.#path.running(run, changes);
    this.runsOn(run);
    if (facts.effects.some((effect) => DEFINES.has(effect))) this.#defining = true;
    if (changesReading(text) || facts.uses?.hiddenSettings === true) this.#changed = this.#doubtful = true;
    else if (this.#changed && mayRestoreReading(text)) this.#doubtful = true;
  }

  /** More of it is asked for. */
  runsOn({ tells }: Run): void {
    if (tells === true) this.#telling = true;
  }

  /** A command of it is done. */
  completed(run: Run, tag: string): void {
    this.#path.completed(run, tag);
  }

  /** @param status `I` with no transaction open, `T` in one, `E` in a failed one */
  ready(status: string): void {
    this.#path.ready(status, this.expected.length > 0);
  }

  /** How the server looks names up now. */
  lookup(catalog: Catalog): NameLookup {
    return this.#path.lookup(catalog);
  }

  /**
   * Must the next statement wait until the server has said how it reads now, has done what it was told, or has said
   * whether it failed, and will it?
   */
  get mustWait(): boolean {
    if (this.expected.length === 0) this.#doubtful = this.#defining = this.#telling = false;
    return (this.#doubtful || this.#defining || this.#telling) && this.expected.settles;
  }

  /** Would the server read these bytes as that text? */
  readsAs(raw: Uint8Array, text: string): boolean {
    return this.#decoded(raw) === text;
  }

  /** The text, where it would take long to read; undefined where it would not, or can't be told. */
  unstudied(raw: Uint8Array): string | undefined {
    const text = this.#decoded(raw);
    return text !== undefined && this.sql.needsStudy(text) ? text : undefined;
  }

  read(raw: Uint8Array): { readonly text: string; readonly facts: SqlFacts } {
    const text = this.#decoded(raw);
    if (text !== undefined) return { text, facts: this.sql.read(text).facts };
    const shown = new TextDecoder().decode(raw);
    return { text: shown, facts: unreadable(shown, READ_OTHERWISE) };
  }

  #decoded(raw: Uint8Array): string | undefined {
    // Behind a change of encoding in the same pipeline nobody can tell yet how the server will read.
    if (this.#doubtful && this.expected.length > 0) return undefined;
    return decodeStatement(raw, this.#encoding, this.#conforming);
  }
}
