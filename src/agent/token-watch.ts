import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import { ProviderAway } from '../identity/provider-away.js';

/** With the minute's half that an answer is believed for, a revocation counts within a minute. */
const EVERY_MS = 20_000;

export interface TokenWatchOptions {
  /** As the token was proven at first. */
  readonly identity: Identity;
  /** Proves the token anew; throws where it is good no more. */
  readonly again: () => Promise<Identity>;
  /** It is still good; who it is about may be in other groups by now. */
  readonly onGood?: (identity: Identity) => void;
  readonly onRefused: () => void;
  /** In ms. */
  readonly everyMs?: number | undefined;
}

export interface TokenWatch {
  /** Looks at once: what proves tokens has changed. */
  look(): void;
  stop(): void;
}

/**
 * Proves a token again and again while something long lives by it. A provider that says of its tokens whether they were
 * revoked is asked that; of others the verifier knows whether the key still counts that signed the token, which a
 * thief's token, made with a stolen key to last for years, does not outlive.
 */
export function watchToken({ identity, again, onGood, onRefused, everyMs }: TokenWatchOptions): TokenWatch {
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    clearInterval(timer);
  };
  const look = (): void => {
    // After its end nobody can say more of it; whatever lives by it has its own rule for that.
    if (identity.expiresAt * 1000 <= Date.now()) {
      stop();
      return;
    }
    again().then(
      (fresh) => {
        if (!stopped) onGood?.(fresh);
      },
      (error: unknown) => {
        if (stopped || !counts(error, identity)) return;
        stop();
        onRefused();
      },
    );
  };
  const timer = setInterval(look, everyMs ?? EVERY_MS).unref();
  return { look, stop };
}

/** Where a provider that has to be asked does not answer, nobody vouches for the token; a signature needs nobody. */
function counts(error: unknown, { revocable }: Identity): boolean {
  if (revocable === true) return true;
  return error instanceof HoopError && error.code === 'token_refused' && !(error instanceof ProviderAway);
}
