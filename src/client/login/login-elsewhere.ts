import { setTimeout as delay } from 'node:timers/promises';
import type { LoginPlace } from '../../identity/login-place.js';
import type { TokenSet } from '../../identity/token-set.js';
import type { TokenStore } from '../../identity/token-store.js';

const LOOK_EVERY_MS = 500;

/**
 * Two terminals may wait for the same login: once one is confirmed, the other is done as well. Only a login that was
 * kept after this one began counts.
 */
export class LoginElsewhere {
  /** Did another process log in first? */
  happened = false;

  constructor(
    private readonly store: Pick<TokenStore, 'changedAt' | 'read'>,
    private readonly place: LoginPlace,
  ) {}

  /**
   * @param login this process's own way; its signal is aborted where another was quicker
   * @returns the tokens of whichever comes first
   */
  async orElse(login: (signal: AbortSignal) => Promise<TokenSet>): Promise<TokenSet> {
    const before = { at: this.store.changedAt(this.place), id: await this.#loginId() };
    const ownDone = new AbortController();
    const overtaken = new AbortController();
    const own = login(overtaken.signal).finally(() => {
      ownDone.abort();
    });
    const other = this.#watch(before, ownDone.signal);
    const first = await Promise.race([own, other]);
    if (first !== undefined && !ownDone.signal.aborted) {
      this.happened = true;
      overtaken.abort(new Error('another login was quicker'));
      // It ends by the abort, which nobody else waits for.
      own.catch(() => undefined);
      return first;
    }
    return own;
  }

  /** A refresh of the login there was is no new one. */
  async #watch(
    before: { readonly at: number | undefined; readonly id: string | undefined },
    ended: AbortSignal,
  ): Promise<TokenSet | undefined> {
    let seen = before.at;
    while (!ended.aborted) {
      await delay(LOOK_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) break;
      const now = this.store.changedAt(this.place);
      if (now === undefined || now === seen) continue;
      seen = now;
      const tokens = await this.store.read(this.place).catch(() => undefined);
      if (tokens?.loginId !== undefined && tokens.loginId !== before.id) return tokens;
    }
    return undefined;
  }

  async #loginId(): Promise<string | undefined> {
    return (await this.store.read(this.place).catch(() => undefined))?.loginId;
  }
}
