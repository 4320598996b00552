import type { Run } from './run.js';
import type { PostgresSessionOptions } from './session-options.js';

/** Effects that leave what other statements of the session mean as it was. */
const NEUTRAL: ReadonlySet<string> = new Set([
  ...['select', 'insert', 'update', 'delete', 'merge', 'truncate', 'copy-in', 'copy-out'],
  ...['begin', 'commit', 'rollback', 'explain', 'lock', 'listen', 'notify', 'vacuum', 'refresh', 'comment'],
]);

/** Most statements, and characters of them, that are remembered: after more the session is like no other. */
const MAX_CHANGES = 64;
const MAX_CHARS = 64 * 1024;

/**
 * What a session has done that may change what its later statements mean: settings (`search_path`, `role`), prepared
 * statements, temporary tables. An approval given in one state does not hold in another.
 *
 * Told too often rather than too seldom: what a transaction took back counts all the same.
 */
export class SessionState {
  #changes: readonly string[] = [];
  #chars = 0;
  /** Too much to remember. */
  #unique = false;

  constructor(private readonly options: Pick<PostgresSessionOptions, 'startup' | 'cancelKey'>) {}

  /** This statement goes up. */
  running(run: Run): void {
    if (!run.facts.opaque && run.facts.effects.every((effect) => NEUTRAL.has(effect))) return;
    const change = JSON.stringify([run.text, run.bound?.texts() ?? []]);
    this.#chars += change.length;
    this.#unique ||= this.#changes.length === MAX_CHANGES || this.#chars > MAX_CHARS;
    this.#changes = this.#unique ? [] : [...this.#changes, change];
  }

  /** Has any such statement gone up? */
  get changed(): boolean {
    return this.#unique || this.#changes.length > 0;
  }

  /** The same for sessions in the same state, which may be this one later. */
  get state(): unknown {
    // Its random key stands for the session; it goes into a hash and nowhere else.
    if (this.#unique) return ['session', [...this.options.cancelKey.secret], this.options.cancelKey.pid];
    const settings = this.options.startup.settings.filter(([name]) => name !== 'application_name');
    return [settings.map(([name, value]) => `${name}=${value}`).sort(), this.#changes];
  }
}
