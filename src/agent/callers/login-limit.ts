import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';

export interface LoginLimitOptions {
  /** Refused attempts that one source may make in a minute, and at once. */
  readonly perMinute: number;
  /** Monotonic milliseconds. */
  nowMs(): number;
}

/** What a source has left, as of one moment. */
interface Allowance {
  readonly left: number;
  readonly atMs: number;
}

const MINUTE_MS = 60_000;
/** Sources remembered; each takes about 100 B. */
const MAX_SOURCES = 20_000;
/** Proven tokens remembered, by digest. */
const MAX_PROVEN = 20_000;

/** Thrown where a source has used up its attempts; `retryAfterS` whole seconds until the next one. */
export class TooManyLogins extends Error {
  readonly error: HoopError;

  constructor(readonly retryAfterS: number) {
    super('too many refused logins');
    this.error = new HoopError('limit', 'too many refused logins from there', {
      suggestion: `wait ${String(retryAfterS)} s, then run \`hoop login\` again`,
    });
  }
}

/**
 * `limits.loginsPerMinute`: bounds what refused logins may cost the agent, for each source by itself.
 * Attempts that succeed cost nothing, and a token that was proven before passes whatever else its address sends: who
 * shares an address with an attacker goes on working, only new tokens from there wait.
 */
export class LoginLimit {
  /** Sources with less than a full allowance; the longest unseen first. */
  readonly #sources = new Map<string, Allowance>();
  readonly #proven = new Set<string>();

  constructor(private readonly options: LoginLimitOptions) {}

  /** Verifies a token that came from an address. @throws TooManyLogins; what `verify` throws */
  async token(address: string, token: string, verify: (token: string) => Promise<Identity>): Promise<Identity> {
    const digest = createHash('sha256').update(token).digest('base64');
    if (this.#proven.has(digest)) return this.#again(digest, () => verify(token));
    const source = sourceOf(address);
    // Taken first and given back after: attempts that run side by side count too.
    this.#take(source);
    try {
      const identity = await verify(token);
      this.#giveBack(source);
      this.#remember(digest);
      return identity;
    } catch (error) {
      // An identity provider that is away is nobody's wrong attempt.
      if (!(error instanceof HoopError) || error.code !== 'token_refused') this.#giveBack(source);
      throw error;
    }
  }

  async #again(digest: string, verify: () => Promise<Identity>): Promise<Identity> {
    try {
      return await verify();
    } catch (error) {
      // Ended or revoked: from now on it is an attempt like any other.
      this.#proven.delete(digest);
      throw error;
    }
  }

  /** Runs what may refuse somebody who is known; a refusal counts for them. @throws TooManyLogins; what `work` throws */
  subject<T>({ issuer, subject }: Pick<Identity, 'issuer' | 'subject'>, work: () => T): T {
    const source = createHash('sha256')
      .update(JSON.stringify([issuer, subject]))
      .digest('base64');
    this.#take(source);
    const result = work();
    this.#giveBack(source);
    return result;
  }

  /** Sources that are remembered now. */
  get size(): number {
    return this.#sources.size;
  }

  #take(source: string): void {
    const left = this.#left(source);
    if (left < 1) throw new TooManyLogins(Math.ceil(((1 - left) * MINUTE_MS) / this.options.perMinute / 1_000));
    this.#set(source, left - 1);
  }

  #giveBack(source: string): void {
    this.#set(source, this.#left(source) + 1);
  }

  #left(source: string): number {
    const { perMinute } = this.options;
    const known = this.#sources.get(source);
    if (known === undefined) return perMinute;
    return Math.min(perMinute, known.left + ((this.options.nowMs() - known.atMs) * perMinute) / MINUTE_MS);
  }

  #set(source: string, left: number): void {
    // Taken out first: a map keeps the order of insertion, so the longest unseen stays in front.
    this.#sources.delete(source);
    if (left >= this.options.perMinute) return;
    if (this.#sources.size >= MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value as string);
    this.#sources.set(source, { left, atMs: this.options.nowMs() });
  }

  #remember(digest: string): void {
    if (this.#proven.size >= MAX_PROVEN) this.#proven.delete(this.#proven.values().next().value as string);
    this.#proven.add(digest);
  }
}

/** An address; of IPv6 its /64, the least that one subscriber has. */
function sourceOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - front.length - back.length;
  return [...front, ...Array<string>(Math.max(0, missing)).fill('0'), ...back].slice(0, 4).join(':');
}
