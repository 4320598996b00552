import { HoopError } from '../core/errors.js';
import { withFileLock } from './file-lock.js';
import type { Fetch } from './http-fetch.js';
import type { LoginPlace } from './login-place.js';
import { isNearEnd } from './token-set.js';
import type { TokenSet } from './token-set.js';
import type { TokenStore } from './token-store.js';

/** Longer than one refresh takes when the provider hangs. */
const LOCK_WAIT_MS = 60_000;

/**
 * The login's tokens, refreshed where their end is near: once for all processes that ask at the same time,
 * since a provider that rotates refresh tokens ends a login whose old one is used twice.
 *
 * @throws HoopError `not_logged_in`, `token_refused` where the provider ended the login, `unreachable`
 */
export async function freshTokens(place: LoginPlace, store: TokenStore, fetch: Fetch): Promise<TokenSet> {
  const tokens = await readLogin(place, store);
  if (!isNearEnd(tokens, nowS())) return tokens;
  if (tokens.refreshToken === undefined) return stillGood(tokens);
  return withFileLock(store.lockPath(place), () => refreshOnce(place, store, fetch), { waitMs: LOCK_WAIT_MS });
}

async function refreshOnce(place: LoginPlace, store: TokenStore, fetch: Fetch): Promise<TokenSet> {
  // Another process may have done it while this one waited for the lock.
  const tokens = await readLogin(place, store);
  if (!isNearEnd(tokens, nowS()) || tokens.refreshToken === undefined) return stillGood(tokens);
  // Loaded where a refresh is due: nearly all commands find a token that is good.
  const { refreshGrant } = await import('./refresh-grant.js');
  try {
    const next = await refreshGrant(tokens, fetch);
    await store.write(place, next);
    return next;
  } catch (error) {
    // A short outage of the provider costs nobody the time that the old token still has.
    if (error instanceof HoopError && error.code === 'unreachable' && nowS() < tokens.expiresAt) return tokens;
    throw error;
  }
}

async function readLogin(place: LoginPlace, store: TokenStore): Promise<TokenSet> {
  const tokens = await store.read(place);
  if (tokens !== undefined) return tokens;
  throw new HoopError('not_logged_in', 'not logged in', {
    why: `the profile ${place.profile} has no login at ${place.agentUrl}`,
    suggestion: loginAdvice(place),
  });
}

/** `hoop login` alone would log in where flags and environment lead then, which may be elsewhere. */
function loginAdvice({ profile, agentUrl, env }: LoginPlace): string {
  const has = (name: string): boolean => (env[name] ?? '') !== '';
  if (has('HOOP_CLIENT_ID') !== has('HOOP_CLIENT_SECRET'))
    return 'set both HOOP_CLIENT_ID and HOOP_CLIENT_SECRET, or run `hoop login`';
  return `run \`hoop login ${agentUrl}${profile === 'default' ? '' : ` --profile ${profile}`}\``;
}

function stillGood(tokens: TokenSet): TokenSet {
  if (nowS() < tokens.expiresAt) return tokens;
  throw new HoopError('not_logged_in', 'the login has ended', { why: 'its token expired and cannot be refreshed' });
}

function nowS(): number {
  return Math.floor(Date.now() / 1000);
}
