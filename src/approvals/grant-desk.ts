import type { ApprovalRequest, Grant } from '../core/approval.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type { ApprovalFlowResource } from '../core/resources.js';
import type { ApprovalsOptions, GrantListFilter } from './contract.js';
import { Deadlines } from './deadlines.js';
import { grantTerms } from './flow-rules.js';
import { type AccessQuery, GrantLedger, type GrantQuery } from './grants.js';
import { nameOf } from './request-faults.js';
import type { GrantEnd } from './request-store.js';
import { isSamePerson, mayReview } from './reviewers.js';

/** What approvals leave behind: made with the approval, used, ended by people or by time. */
export class GrantDesk<Timer> {
  readonly #ledger: GrantLedger;
  readonly #deadlines: Deadlines<Timer>;

  constructor(private readonly options: ApprovalsOptions<Timer>) {
    this.#ledger = new GrantLedger(options.grants);
    this.#deadlines = new Deadlines(options);
    const kept = this.#ledger.restore(options.clock.nowMs(), (state, reason) => this.#end(state, '', reason));
    for (const grant of kept) this.#expireLater(grant);
  }

  /** The grants of an approved request: stored together with the approval, then held. */
  make(request: ApprovalRequest, flows: readonly ApprovalFlowResource[], approvedBy: string): readonly Grant[] {
    const { clock, newId } = this.options;
    // Broken glass lets one statement through: the next one breaks it again, and is seen again.
    if (request.breakGlass === true && request.kind !== 'access') return [];
    return flows.map((flow) => {
      const { scope, expiresAtMs, usesLeft } = grantTerms(flow, request, clock.nowMs());
      const { subject, issuer, email } = request.requester;
      return {
        id: newId(),
        request: request.id,
        kind: request.kind ?? 'statement',
        flow: flow.name,
        scope,
        connection: request.connection,
        credential: request.credential,
        requester: { subject, issuer, email },
        session: request.session,
        bindHash: request.bindHash,
        approvedBy,
        createdAt: clock.timestamp(),
        expiresAt: new Date(expiresAtMs).toISOString(),
        ...(usesLeft === undefined ? {} : { usesLeft }),
        state: 'active',
        endedAt: '',
        endedBy: '',
        endReason: '',
      };
    });
  }

  hold(grants: readonly Grant[]): void {
    for (const grant of grants) {
      this.#ledger.hold(grant, this.options.clock.nowMs());
      if (grant.usesLeft === undefined) this.#expireLater(grant);
    }
  }

  giveBack(requestId: string): void {
    this.#ledger.giveBack(requestId);
  }

  take(query: GrantQuery): readonly Grant[] | undefined {
    return this.#ledger.take(query, this.options.clock.nowMs());
  }

  access(query: AccessQuery): Grant | undefined {
    return this.#ledger.access(query, this.options.clock.nowMs());
  }

  list(viewer: Identity, filter: GrantListFilter, everyone: boolean): readonly Grant[] {
    const asked = {
      ...(filter.state === 'active' ? { state: 'active' as const } : {}),
      ...(filter.mine ? { subject: viewer.subject, issuer: viewer.issuer } : {}),
    };
    const nowMs = this.options.clock.nowMs();
    return this.options.grants
      .list(asked)
      .filter((grant) => filter.state === 'all' || Date.parse(grant.expiresAt) > nowMs)
      .filter((grant) => everyone || isSamePerson(viewer, grant.requester) || this.mayRevoke(viewer, grant));
  }

  /** The one who has it, and who may review its request. */
  mayRevoke(viewer: Identity, grant: Grant): boolean {
    if (isSamePerson(viewer, grant.requester)) return true;
    const flow = this.options.flow(grant.flow);
    const request = this.options.store.get(grant.request);
    return flow !== undefined && request !== undefined && mayReview(flow, request, viewer);
  }

  revoke(by: Identity, id: string, reason: string, everyone: boolean): readonly Grant[] {
    const found = this.#named(id).filter((grant) => everyone || this.mayRevoke(by, grant));
    if (found.length === 0) throw new HoopError('not_found', 'no such grant');
    const ended = found.flatMap((grant) => this.#finish(grant, 'revoked', nameOf(by), reason) ?? []);
    const [first] = found;
    if (ended.length === 0 && first !== undefined) {
      const now = this.options.grants.get(first.id) ?? first;
      const who = now.endedBy === '' ? '' : ` by ${now.endedBy}`;
      throw new HoopError('already_decided', `the grant is ${now.state} already${who}`);
    }
    return ended;
  }

  /** Ends whatever came of a request. */
  revokeOf(request: ApprovalRequest, by: string, reason: string): void {
    for (const grant of this.#ledger.of(request)) this.#finish(grant, 'revoked', by, reason);
  }

  close(): void {
    this.#deadlines.clearAll();
    this.#ledger.close(this.#end('ended', '', 'agent stopped'));
  }

  #named(id: string): readonly Grant[] {
    const grant = this.options.grants.get(id);
    if (grant !== undefined) return [grant];
    return this.options.grants.list({ request: id });
  }

  #expireLater(grant: Grant): void {
    this.#deadlines.set(grant.id, Date.parse(grant.expiresAt), () => {
      try {
        this.#finish(grant, 'expired', '', '');
      } catch {
        // It is held no more, so nothing runs under it; the next start says so in the store.
      }
    });
  }

  #finish(grant: Grant, state: GrantEnd['state'], by: string, reason: string): Grant | undefined {
    this.#deadlines.clear(grant.id);
    const end = this.#end(state, by, reason);
    if (!this.#ledger.end(grant.id, end)) return undefined;
    const ended = { ...grant, ...end };
    const request = this.options.store.get(grant.request);
    if (request !== undefined) this.options.onEvent({ type: 'grant.ended', request, grant: ended });
    return ended;
  }

  #end(state: GrantEnd['state'], endedBy: string, endReason: string): GrantEnd {
    return { state, endedAt: this.options.clock.timestamp(), endedBy, endReason };
  }
}
