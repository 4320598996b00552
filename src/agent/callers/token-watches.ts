import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import { ProviderAway } from '../../identity/provider-away.js';

/** With the minute's half that an answer is believed for, a revocation counts within a minute. */
const EVERY_MS = 20_000;

export interface TokenWatchesOptions {
  /** Is the issuer of this token still one of those configured? */
  readonly trusts: (identity: Identity) => boolean;
  /** How often a token is proven again, in ms. */
  readonly everyMs?: number;
}

export interface Watched {
  /** As the token was proven at first. */
  readonly identity: Identity;
  /** Proves the token anew; throws where it is good no more. */
  readonly again: () => Promise<Identity>;
  /** It is still good; who it is about may be in other groups by now. */
  readonly onGood?: (identity: Identity) => void;
  readonly onRefused: () => void;
}

/**
 * Tokens by which something long lives: tunnels, streams of events. Each is proven again and again. A provider that says
 * of its tokens whether they were revoked is asked that; of others the verifier knows whether the key still counts that
 * signed the token, which a thief's token, made with a stolen key to last for years, does not outlive.
 */
export class TokenWatches {
  readonly #looks = new Set<() => void>();

  constructor(private readonly options: TokenWatchesOptions) {}

  /** Looks at all of them at once: what proves tokens has changed. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** @returns ends the watch */
  watch(watched: Watched): () => void {
    const { identity, again, onGood, onRefused } = watched;
    let stopped = false;
    const refuse = (): void => {
      stop();
      onRefused();
    };
    const prove = (): void => {
      // After its end nobody can say more of it; whatever lives by it has its own rule for that.
      if (identity.expiresAt * 1000 <= Date.now()) {
        clearInterval(timer);
        return;
      }
      again().then(
        (fresh) => {
          if (!stopped) onGood?.(fresh);
        },
        (error: unknown) => {
          if (!stopped && counts(error, identity)) refuse();
        },
      );
    };
    const look = (): void => {
      if (this.options.trusts(identity)) prove();
      else refuse();
    };
    const timer = setInterval(prove, this.options.everyMs ?? EVERY_MS).unref();
    const stop = (): void => {
      stopped = true;
      clearInterval(timer);
      this.#looks.delete(look);
    };
    this.#looks.add(look);
    return stop;
  }
}

/** Where a provider that has to be asked does not answer, nobody vouches for the token; a signature needs nobody. */
function counts(error: unknown, { revocable }: Identity): boolean {
  if (revocable === true) return true;
  return error instanceof HoopError && error.code === 'token_refused' && !(error instanceof ProviderAway);
}
