import type {
  ApprovalRequest,
  ApprovalVote,
  BreakGlassReview,
  Grant,
  RequestFindings,
} from '../../src/core/approval.js';
import type {
  GrantEnd,
  GrantFilter,
  GrantStore,
  RequestFilter,
  RequestStore,
  Resolution,
} from '../../src/approvals/request-store.js';

/** A grant store in memory. */
export class MemoryGrantStore implements GrantStore {
  readonly rows = new Map<string, Grant>();

  insert(grant: Grant): void {
    this.rows.set(grant.id, grant);
  }

  get(id: string): Grant | undefined {
    return this.rows.get(id);
  }

  list(filter: GrantFilter): readonly Grant[] {
    return [...this.rows.values()]
      .filter(
        (row) =>
          (filter.state === undefined || row.state === filter.state) &&
          (filter.request === undefined || row.request === filter.request) &&
          (filter.subject === undefined ||
            (row.requester.subject === filter.subject && row.requester.issuer === filter.issuer)),
      )
      .reverse();
  }

  end(id: string, end: GrantEnd): boolean {
    const row = this.rows.get(id);
    if (row?.state !== 'active') return false;
    this.rows.set(id, { ...row, ...end });
    return true;
  }
}

/** A request store in memory; `failing` makes each write throw, as a full disk would. */
export class MemoryRequestStore implements RequestStore {
  readonly rows = new Map<string, ApprovalRequest>();
  readonly resolutions = new Map<string, number>();
  readonly grants = new MemoryGrantStore();
  failing = false;

  insert(request: ApprovalRequest): void {
    this.#check();
    this.rows.set(request.id, request);
  }

  get(id: string): ApprovalRequest | undefined {
    return this.rows.get(id);
  }

  list(filter: RequestFilter): readonly ApprovalRequest[] {
    return [...this.rows.values()].filter(
      (row) =>
        (filter.state === undefined || row.state === filter.state) &&
        (filter.reviewDue !== true || (row.breakGlass === true && row.review === undefined)) &&
        (filter.subject === undefined ||
          (row.requester.subject === filter.subject && row.requester.issuer === filter.issuer)),
    );
  }

  resolve(id: string, resolution: Resolution, grants: readonly Grant[] = []): boolean {
    this.#check();
    const row = this.rows.get(id);
    if (row?.state !== 'pending') return false;
    this.rows.set(id, { ...row, ...resolution });
    this.resolutions.set(id, (this.resolutions.get(id) ?? 0) + 1);
    for (const grant of grants) this.grants.insert(grant);
    return true;
  }

  review(id: string, review: BreakGlassReview): boolean {
    this.#check();
    const row = this.rows.get(id);
    if (row?.breakGlass !== true || row.review !== undefined) return false;
    this.rows.set(id, { ...row, review });
    return true;
  }

  complete(id: string, found: RequestFindings): boolean {
    this.#check();
    const row = this.rows.get(id);
    if (row === undefined) return false;
    this.rows.set(id, { ...row, ...found });
    return true;
  }

  addVote(id: string, vote: ApprovalVote): ApprovalRequest | undefined {
    this.#check();
    const row = this.rows.get(id);
    if (row?.state !== 'pending') return undefined;
    if (row.votes.some((other) => other.subject === vote.subject && other.issuer === vote.issuer)) return undefined;
    const voted = { ...row, votes: [...row.votes, vote] };
    this.rows.set(id, voted);
    return voted;
  }

  cancelPending(reason: string): void {
    for (const row of this.list({ state: 'pending' })) {
      if (row.kind === 'access') continue;
      this.resolve(row.id, {
        state: 'cancelled',
        decidedBy: '',
        decidedAt: '2026-11-21T00:00:00Z',
        decisionReason: reason,
      });
    }
  }

  #check(): void {
    if (this.failing) throw new Error('disk full');
  }
}
