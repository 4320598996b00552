import { setTimeout as delay } from 'node:timers/promises';
import type { LoginPlace } from '../../identity/login-place.js';
import type { TokenStore } from '../../identity/token-store.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Waits for `hoop logout` in another terminal: who logs out expects that what was opened with the login ends with it.
 *
 * @param ended ends the watching; then it never resolves
 * @returns once the login that there is now is gone; never where there is none
 */
export async function loginEnded(
  store: Pick<TokenStore, 'changedAt'>,
  place: LoginPlace,
  ended: AbortSignal,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<void> {
  const watched = store.changedAt(place) !== undefined;
  // Twice: a refresh may just be writing it.
  for (let missing = 0; watched && missing < 2;) {
    await delay(lookEveryMs, undefined, { signal: ended, ref: false }).catch(() => undefined);
    if (ended.aborted) break;
    missing = store.changedAt(place) === undefined ? missing + 1 : 0;
  }
  if (!watched || ended.aborted) await new Promise<never>(() => undefined);
}
