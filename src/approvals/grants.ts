import type { ApprovalRequest } from '../core/approval.js';
import type { Identity } from '../core/identity.js';
import type { ApprovalFlowResource } from '../core/resources.js';
import { isSamePerson } from './reviewers.js';

/** A statement that needs approval, as a grant is looked up for it. */
export interface GrantQuery {
  /** Hex SHA-256 over exact text, parameters, connection, credential and requester. */
  readonly bindHash: string;
  readonly session: string;
  readonly connection: string;
  readonly credential: string;
  readonly requester: Pick<Identity, 'subject' | 'issuer'>;
  /** Every flow that the statement needs; each must be covered. */
  readonly flows: readonly string[];
}

interface Grant {
  readonly request: ApprovalRequest;
  readonly flow: string;
  readonly scope: ApprovalFlowResource['grant']['scope'];
  readonly expiresAtMs: number;
  /** Infinity where only time ends it. */
  runsLeft: number;
  /** Was the held run given back? Once only. */
  returned: boolean;
}

/**
 * What approvals leave behind: which later statements of the requester may run without asking again.
 *
 * Held in memory alone: a grant that outlived the agent that knew its session would be a grant
 * that nobody can revoke. Everything here is synchronous, so a single use cannot be taken twice.
 */
export class GrantLedger {
  #grants: Grant[] = [];

  /** Notes an approved request. The statement that waited is itself the one run of a single-use grant. */
  add(request: ApprovalRequest, flow: ApprovalFlowResource, nowMs: number): void {
    this.#dropExpired(nowMs);
    const lasting = flow.grant.scope !== 'statement' || flow.grant.unlimitedUses;
    this.#grants.push({
      request,
      flow: flow.name,
      scope: flow.grant.scope,
      expiresAtMs: nowMs + flow.grant.ttlMs,
      runsLeft: lasting ? Infinity : 0,
      returned: false,
    });
  }

  /** The run that an approval stood for never began: it may begin later, once, within the ttl. */
  giveBack(requestId: string): void {
    for (const grant of this.#grants) {
      if (grant.request.id !== requestId || grant.returned || grant.runsLeft !== 0) continue;
      grant.returned = true;
      grant.runsLeft = 1;
    }
  }

  /**
   * Takes one run under grants that together cover every flow asked for; all or none is taken.
   *
   * @returns ids of the approved requests behind it, each once; undefined when a flow is not covered
   */
  take(query: GrantQuery, nowMs: number): readonly string[] | undefined {
    this.#dropExpired(nowMs);
    if (query.flows.length === 0) return undefined;
    const taken = new Set<Grant>();
    for (const flow of query.flows) {
      const fitting = this.#grants.filter((grant) => grant.flow === flow && grant.runsLeft > 0 && fits(grant, query));
      // A lasting grant first: a single use is not spent where time covers it.
      const best = fitting.find((grant) => grant.runsLeft === Infinity) ?? fitting[0];
      if (best === undefined) return undefined;
      taken.add(best);
    }
    for (const grant of taken) grant.runsLeft -= 1;
    return [...new Set([...taken].map((grant) => grant.request.id))];
  }

  clear(): void {
    this.#grants = [];
  }

  #dropExpired(nowMs: number): void {
    this.#grants = this.#grants.filter((grant) => grant.expiresAtMs > nowMs);
  }
}

/** Same requester, connection and credential always; then what the scope adds. */
function fits({ scope, request }: Grant, query: GrantQuery): boolean {
  if (!isSamePerson(request.requester, query.requester)) return false;
  if (request.connection !== query.connection || request.credential !== query.credential) return false;
  if (scope === 'statement') return request.bindHash === query.bindHash;
  return scope === 'connection' || request.session === query.session;
}
