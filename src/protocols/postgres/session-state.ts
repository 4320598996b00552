import type { ExpectedReplies } from './results/expected-replies.js';
import type { Run } from './statements/run.js';
import type { PostgresSessionOptions } from './opening/session-options.js';

/** Where a transaction begins or ends, what was changed in it may come to nothing. */
const TURNS: ReadonlySet<string> = new Set(['begin', 'commit', 'rollback']);

/** Effects that leave what other statements of the session mean as it was. */
const NEUTRAL: ReadonlySet<string> = new Set([
  ...['select', 'insert', 'update', 'delete', 'merge', 'truncate', 'copy-in', 'copy-out'],
  ...[...TURNS, 'explain', 'lock', 'listen', 'notify', 'vacuum', 'refresh', 'comment'],
]);

/** Most statements, and characters of them, that are remembered: after more the session is like no other. */
const MAX_CHANGES = 64;
const MAX_CHARS = 64 * 1024;

/**
 * What a session has done that may change what its later statements mean: settings (`search_path`, `role`), prepared
 * statements, temporary tables, and the transactions and failures that may have taken some of it back. An approval given
 * in one state does not hold in another.
 *
 * Told too often rather than too seldom: two sessions of the same state got there by the same way.
 */
export class SessionState {
  #changes: readonly string[] = [];
  #chars = 0;
  /** Everything that was told, also where it is too much to remember. */
  #told = 0;
  /** Too much to remember, or nobody knows in which order it came about. */
  #unique = false;
  /** As the server told last: `I`, `T` or `E`. */
  #status = 'I';
  /** A failure would take something back. */
  #unsettled = false;
  /** A transaction was begun or ended, and the server has not said so yet. */
  #turning = false;
  #failures = 0;
  #latest: Run | undefined;
  /** Asked behind a change that was not answered: whether that failed was not known. */
  readonly #askedBehind = new WeakSet<Run>();

  constructor(
    private readonly options: Pick<PostgresSessionOptions, 'startup' | 'cancelKey'>,
    private readonly expected: Pick<ExpectedReplies, 'length' | 'failures' | 'awaits'>,
  ) {}

  /** This statement goes up. */
  running(run: Run): void {
    const { opaque, effects } = run.facts;
    const turns = effects.some((effect) => TURNS.has(effect));
    const changes = opaque || effects.some((effect) => !NEUTRAL.has(effect));
    if (changes || (turns && this.changed)) {
      this.#countFailures();
      this.#unique ||= this.#turning;
      this.#remember([run.text, run.bound?.texts() ?? [], this.#status]);
      this.#unsettled = true;
      this.#latest = run;
    }
    this.#turning ||= turns;
  }

  /** @param status `I` with no transaction open, `T` in one, `E` in a failed one */
  ready(status: string): void {
    this.#status = status;
    if (this.expected.length > 0) return;
    this.#turning = false;
    if (status !== 'I') return;
    this.#countFailures();
    this.#unsettled = false;
  }

  /** Has any such statement gone up? */
  get changed(): boolean {
    return this.#unique || this.#changes.length > 0;
  }

  /** What an approval of this statement is bound to: the same for sessions in the same state, which may be this one later. */
  of(run: Run): unknown {
    this.#countFailures();
    if (this.#latest !== undefined && this.expected.awaits(this.#latest)) this.#askedBehind.add(run);
    const { secret, pid } = this.options.cancelKey;
    // The random key stands for the session; it goes into a hash and nowhere else.
    const alone = ['session', [...secret], pid, this.#told];
    if (this.#unique || this.#askedBehind.has(run)) return alone;
    const settings = this.options.startup.settings.filter(([name]) => name !== 'application_name');
    return [settings.map(([name, value]) => `${name}=${value}`).sort(), this.#changes];
  }

  /** What failed since it was looked at last may have taken back what it stood behind. */
  #countFailures(): void {
    const failures = this.expected.failures - this.#failures;
    this.#failures = this.expected.failures;
    if (failures > 0 && this.#unsettled) this.#remember(['failed', failures]);
  }

  #remember(told: readonly unknown[]): void {
    const change = JSON.stringify(told);
    this.#told += 1;
    this.#chars += change.length;
    this.#unique ||= this.#changes.length === MAX_CHANGES || this.#chars > MAX_CHARS;
    this.#changes = this.#unique ? [] : [...this.#changes, change];
  }
}
