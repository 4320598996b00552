import { createLocalJWKSet } from 'jose';
import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../core/clock.js';
import type { Fetch } from './http-fetch.js';
import { isLoopback } from './loopback.js';
import { ProviderAway } from './provider-away.js';
import { readBody } from './read-body.js';

/** A key that the issuer withdrew proves nothing after this time. */
export const MAX_KEY_AGE_MS = 10 * 60_000;
/** From here on they are fetched anew beside the work, so that a short outage goes unnoticed. */
const RENEW_AFTER_MS = 5 * 60_000;
/** Tokens with made-up key ids must not become requests to the issuer. */
const MIN_REFETCH_MS = 30_000;
/** After a failure, sooner: nobody gets in meanwhile. */
const RETRY_AFTER_MS = 2_000;
const MAX_BYTES = 512 * 1024;

export type KeyLookup = ReturnType<typeof createLocalJWKSet>;

/** The keys of one issuer, fetched through its discovery document and trusted for ten minutes at most. */
export class IssuerKeys {
  #keys: { readonly lookup: KeyLookup; readonly ids: ReadonlySet<string>; readonly fetchedAtMs: number } | undefined;
  #discovery: Readonly<Record<string, unknown>> = {};
  #fetching: Promise<void> | undefined;
  #attemptedAtMs = Number.NEGATIVE_INFINITY;
  #failed = false;

  constructor(
    private readonly issuer: string,
    private readonly clock: Clock,
    private readonly fetch: Fetch,
  ) {}

  /**
   * The keys to prove a token with; fetched again where they are too old or do not know the key.
   *
   * @param kid the token's key id, if it has one
   * @returns `until`: milliseconds since the epoch to which what they prove may be believed
   * @throws HoopError `token_refused` where the issuer does not answer and none that is young enough is held
   */
  async lookup(kid: string | undefined): Promise<{ readonly keys: KeyLookup; readonly until: number }> {
    const age = this.#age();
    const unknown = kid !== undefined && this.#keys?.ids.has(kid) !== true;
    if (age >= MAX_KEY_AGE_MS || (unknown && this.#mayRefetch())) await this.#refetch();
    else if (age >= RENEW_AFTER_MS && this.#mayRefetch()) this.#refetch().catch(ignoreUntilTooOld);
    const held = this.#keys;
    if (held === undefined || this.#age() >= MAX_KEY_AGE_MS) throw unavailable();
    return { keys: held.lookup, until: held.fetchedAtMs + MAX_KEY_AGE_MS };
  }

  /**
   * An endpoint that the discovery document names.
   *
   * @throws HoopError `token_refused` where there is none
   */
  async endpoint(name: 'introspection_endpoint' | 'userinfo_endpoint'): Promise<string> {
    await this.lookup(undefined);
    try {
      return checkUri(this.#discovery[name], this.issuer, name);
    } catch (error) {
      throw unavailable(error);
    }
  }

  #age(): number {
    return this.#keys === undefined ? Number.POSITIVE_INFINITY : this.clock.nowMs() - this.#keys.fetchedAtMs;
  }

  #mayRefetch(): boolean {
    return this.clock.nowMs() - this.#attemptedAtMs >= (this.#failed ? RETRY_AFTER_MS : MIN_REFETCH_MS);
  }

  /** One fetch at a time; all who wait share it. */
  async #refetch(): Promise<void> {
    if (this.#fetching === undefined) {
      if (this.#failed && !this.#mayRefetch()) throw unavailable();
      this.#attemptedAtMs = this.clock.nowMs();
      this.#fetching = this.#load().finally(() => (this.#fetching = undefined));
    }
    await this.#fetching;
  }

  async #load(): Promise<void> {
    // Counted from before the request: a key withdrawn while it ran is still in the answer.
    const fetchedAtMs = this.clock.nowMs();
    this.#failed = true;
    try {
      const discovery = await this.#getJson(`${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
      if (discovery['issuer'] !== this.issuer) throw new Error('the discovery document is of another issuer');
      const keySet = await this.#getJson(checkUri(discovery['jwks_uri'], this.issuer, 'key set'));
      const lookup = createLocalJWKSet(keySet as unknown as JSONWebKeySet);
      const ids = new Set(
        lookup
          .jwks()
          .keys.map((key) => key.kid)
          .filter((kid) => kid !== undefined),
      );
      this.#keys = { lookup, ids, fetchedAtMs };
      this.#discovery = discovery;
      this.#failed = false;
    } catch (error) {
      throw unavailable(error);
    }
  }

  async #getJson(url: string): Promise<Record<string, unknown>> {
    const response = await this.fetch(url, { headers: { accept: 'application/json' } });
    if (response.status !== 200) throw new Error(`the identity provider answered with status ${response.status}`);
    const value: unknown = JSON.parse(await readBody(response.body, MAX_BYTES));
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error('its answer is no JSON object');
    return value as Record<string, unknown>;
  }
}

function checkUri(uri: unknown, issuer: string, what: string): string {
  const url = typeof uri === 'string' && URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined) throw new Error(`the discovery document names no ${what}`);
  const clear = url.protocol === 'http:' && isLoopback(url) && issuer.startsWith('http:');
  if (url.protocol !== 'https:' && !clear) throw new Error(`the ${what} is offered over plain http`);
  return url.href;
}

/** Where a renewal beside the work fails, the keys held stay good until they are too old; then it is told. */
function ignoreUntilTooOld(): void {}

function unavailable(cause?: unknown): Error {
  return new ProviderAway('the keys of the identity provider are not available', cause);
}
