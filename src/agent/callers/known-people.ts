import type { Clock } from '../../core/clock.js';
import type { Identity } from '../../core/identity.js';
import type { Store } from '../../store/store.js';

/** Who a person was when their token was verified last. */
interface Seen {
  readonly identity: Identity;
  readonly atMs: number;
}

/** What has not changed is written again only after so long, in ms. */
const WRITE_EVERY_MS = 10 * 60_000;

/**
 * Remembers what their last token said of people who may act without one: those whom a configuration names. Kept sealed in
 * the store, so that nobody who can write to its file makes a reviewer of themselves.
 */
export class KnownPeople {
  readonly #seen = new Map<string, Seen>();

  /** @param named is somebody's memory wanted? */
  constructor(
    private readonly store: Pick<Store, 'putKey' | 'getKey'>,
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly named: (issuer: string, subject: string) => boolean,
  ) {}

  /** A token was verified. Throws what the store throws. */
  see(identity: Identity): void {
    const { issuer, subject } = identity;
    if (!this.named(issuer, subject)) return;
    const name = nameOf(issuer, subject);
    const before = this.#seen.get(name);
    const seen: Seen = { identity, atMs: this.clock.nowMs() };
    this.#seen.set(name, seen);
    const same = before !== undefined && isSame(before.identity, identity);
    if (same && seen.atMs - before.atMs < WRITE_EVERY_MS) {
      this.#seen.set(name, { identity, atMs: before.atMs });
      return;
    }
    this.store.putKey(name, Buffer.from(JSON.stringify(seen)));
  }

  /** Who the person is; undefined where no token of theirs was verified within that time. */
  within(issuer: string, subject: string, spanMs: number): Identity | undefined {
    const name = nameOf(issuer, subject);
    const seen = this.#seen.get(name) ?? this.#read(name);
    return seen !== undefined && this.clock.nowMs() - seen.atMs <= spanMs ? seen.identity : undefined;
  }

  #read(name: string): Seen | undefined {
    const kept = this.store.getKey(name);
    return kept === undefined ? undefined : (JSON.parse(Buffer.from(kept).toString('utf8')) as Seen);
  }
}

function nameOf(issuer: string, subject: string): string {
  return `person ${JSON.stringify([issuer, subject])}`;
}

/** All that a decision depends on. */
function isSame(one: Identity, other: Identity): boolean {
  return (
    one.email === other.email &&
    one.mayReview === other.mayReview &&
    one.machine === other.machine &&
    one.groups.length === other.groups.length &&
    one.groups.every((group, index) => group === other.groups[index])
  );
}
