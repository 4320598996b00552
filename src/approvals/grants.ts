import type { ApprovalRequest, Grant } from '../core/approval.js';
import type { Identity } from '../core/identity.js';
import type { GrantEnd, GrantStore } from './request-store.js';
import { isSamePerson } from './reviewers.js';

/** A statement that needs approval, as a grant is looked up for it. */
export interface GrantQuery {
  /** Hex SHA-256 over text, parameters, connection, credential and requester. */
  readonly bindHash: string;
  readonly session: string;
  readonly connection: string;
  readonly credential: string;
  readonly requester: Pick<Identity, 'subject' | 'issuer'>;
  /** Every flow that the statement needs; each must be covered. */
  readonly flows: readonly string[];
}

/** The use of a connection, as a grant is looked up for it. */
export interface AccessQuery {
  readonly connection: string;
  readonly credential: string;
  readonly requester: Pick<Identity, 'subject' | 'issuer'>;
  readonly flow: string;
}

interface Held {
  readonly grant: Grant;
  readonly expiresAtMs: number;
  /** Infinity where only time ends it. */
  runsLeft: number;
  /** Was the held run given back? Once only. */
  returned: boolean;
}

/**
 * The grants that are good now, in memory, so that looking one up costs nothing and a single use can't be taken
 * twice: everything here is synchronous. The store says what became of each; what is written there comes first.
 *
 * What was given for a statement ends with the agent: nobody else knows its session. Access outlives it.
 */
export class GrantLedger {
  readonly #held = new Map<string, Held>();

  constructor(private readonly store: GrantStore) {}

  /** Takes up what an earlier agent left: access goes on, all else is over. @returns what goes on */
  restore(nowMs: number, end: (state: GrantEnd['state'], reason: string) => GrantEnd): readonly Grant[] {
    const kept: Grant[] = [];
    for (const grant of this.store.list({ state: 'active' })) {
      const past = Date.parse(grant.expiresAt) <= nowMs;
      if (grant.kind === 'access' && !past) {
        this.hold(grant, nowMs);
        kept.push(grant);
      } else if (past) this.store.end(grant.id, end('expired', ''));
      else this.store.end(grant.id, end('ended', 'agent ended'));
    }
    return kept;
  }

  /** Holds a grant that is stored already; single uses whose time is over are let go. */
  hold(grant: Grant, nowMs: number): void {
    for (const [id, held] of this.#held) {
      if (held.runsLeft !== Infinity && held.expiresAtMs <= nowMs) this.#held.delete(id);
    }
    this.#held.set(grant.id, {
      grant,
      expiresAtMs: Date.parse(grant.expiresAt),
      runsLeft: grant.usesLeft ?? Infinity,
      returned: false,
    });
  }

  /** The run that an approval stood for never began: it may begin later, once, within the ttl. */
  giveBack(requestId: string): void {
    for (const held of this.#held.values()) {
      if (held.grant.request !== requestId || held.returned || held.runsLeft !== 0) continue;
      held.returned = true;
      held.runsLeft = 1;
    }
  }

  /**
   * Takes one run under grants that together cover every flow asked for; all or none is taken.
   *
   * @returns the grants behind it; undefined when a flow is not covered
   */
  take(query: GrantQuery, nowMs: number): readonly Grant[] | undefined {
    if (query.flows.length === 0) return undefined;
    const taken = new Set<Held>();
    for (const flow of query.flows) {
      const fitting = [...this.#held.values()].filter(
        (held) => held.grant.flow === flow && held.runsLeft > 0 && held.expiresAtMs > nowMs && fits(held.grant, query),
      );
      // A lasting grant first: a single use is not spent where time covers it.
      const best = fitting.find((held) => held.runsLeft === Infinity) ?? fitting[0];
      if (best === undefined) return undefined;
      taken.add(best);
    }
    for (const held of taken) held.runsLeft -= 1;
    return [...taken].map(({ grant }) => grant);
  }

  /** The grant under which a connection may be used now: the one that lasts longest. */
  access(query: AccessQuery, nowMs: number): Grant | undefined {
    let best: Held | undefined;
    for (const held of this.#held.values()) {
      const { kind, flow } = held.grant;
      if (kind !== 'access' || flow !== query.flow || held.expiresAtMs <= nowMs || !concerns(held.grant, query))
        continue;
      if (best === undefined || held.expiresAtMs > best.expiresAtMs) best = held;
    }
    return best?.grant;
  }

  /**
   * Ends a grant, first in memory: were it not stored, it would be good no more all the same.
   *
   * @returns whether this call ended it in the store
   */
  end(id: string, end: GrantEnd): boolean {
    this.#held.delete(id);
    return this.store.end(id, end);
  }

  /** The grants that came of a request and are held now. */
  of(request: Pick<ApprovalRequest, 'id'>): readonly Grant[] {
    return [...this.#held.values()].map(({ grant }) => grant).filter((grant) => grant.request === request.id);
  }

  /** Those that end with the agent, when it ends. */
  close(end: GrantEnd): void {
    for (const { grant } of [...this.#held.values()]) {
      if (grant.kind === 'access') this.#held.delete(grant.id);
      else this.end(grant.id, end);
    }
  }
}

/** Same requester, connection and credential always. */
function concerns(grant: Grant, query: Pick<GrantQuery, 'requester' | 'connection' | 'credential'>): boolean {
  if (!isSamePerson(grant.requester, query.requester)) return false;
  return grant.connection === query.connection && grant.credential === query.credential;
}

/** Then what the scope adds; access is no permission to run what needs approval. */
function fits(grant: Grant, query: GrantQuery): boolean {
  if (grant.kind !== 'statement' || !concerns(grant, query)) return false;
  if (grant.scope === 'statement') return grant.bindHash === query.bindHash;
  return grant.scope === 'connection' || grant.session === query.session;
}
