import type { Clock } from '../core/clock.js';
import type { Identity } from '../core/identity.js';
import { ProviderAway } from './provider-away.js';

const MAX_KEPT = 10_000;
/** A provider that does not answer takes nobody's access for this long after it last vouched for it. */
const GRACE_MS = 60_000;

export interface Proof {
  readonly identity: Identity;
  /** Milliseconds since the epoch. */
  readonly untilMs: number;
}

/** Tokens that were proven, by the whole digest: a key by a part of the token lets one token pass for another. */
export class ProvenTokens {
  readonly #proven = new Map<string, Proof & { readonly provenAtMs: number }>();
  readonly #running = new Map<string, Promise<Identity>>();

  constructor(private readonly clock: Clock) {}

  /** The identity of the token with that digest; `prove` is called once for all who ask at the same time. */
  async of(digest: string, prove: () => Promise<Proof>): Promise<Identity> {
    const nowMs = this.clock.nowMs();
    const known = this.#proven.get(digest);
    if (known !== undefined && nowMs < known.untilMs) return known.identity;
    const running = this.#running.get(digest) ?? this.#prove(digest, prove);
    this.#running.set(digest, running);
    return running;
  }

  async #prove(digest: string, prove: () => Promise<Proof>): Promise<Identity> {
    const startedAtMs = this.clock.nowMs();
    try {
      const { identity, untilMs } = await prove();
      this.#keep(digest, {
        identity,
        untilMs: Math.min(identity.expiresAt * 1000, untilMs),
        provenAtMs: startedAtMs,
      });
      return identity;
    } catch (error) {
      return this.#despite(digest, error);
    } finally {
      this.#running.delete(digest);
    }
  }

  /** Only of revocable tokens: of others the keys' own age is the measure. */
  #despite(digest: string, error: unknown): Identity {
    const known = this.#proven.get(digest);
    const nowMs = this.clock.nowMs();
    if (error instanceof ProviderAway) {
      const young = known?.identity.revocable === true && nowMs - known.provenAtMs < GRACE_MS;
      if (known !== undefined && young && nowMs < known.identity.expiresAt * 1000) return known.identity;
    }
    this.#proven.delete(digest);
    throw error;
  }

  /** The oldest leaves where there are too many. */
  #keep(digest: string, proof: Proof & { readonly provenAtMs: number }): void {
    this.#proven.delete(digest);
    if (this.#proven.size >= MAX_KEPT) this.#proven.delete(this.#proven.keys().next().value as string);
    this.#proven.set(digest, proof);
  }
}
