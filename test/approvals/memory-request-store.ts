import type { ApprovalRequest, ApprovalVote } from '../../src/core/approval.js';
import type { RequestFilter, RequestStore, Resolution } from '../../src/approvals/request-store.js';

/** A request store in memory; `failing` makes each write throw, as a full disk would. */
export class MemoryRequestStore implements RequestStore {
  readonly rows = new Map<string, ApprovalRequest>();
  readonly resolutions = new Map<string, number>();
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
        (filter.subject === undefined ||
          (row.requester.subject === filter.subject && row.requester.issuer === filter.issuer)),
    );
  }

  resolve(id: string, resolution: Resolution): boolean {
    this.#check();
    const row = this.rows.get(id);
    if (row?.state !== 'pending') return false;
    this.rows.set(id, { ...row, ...resolution });
    this.resolutions.set(id, (this.resolutions.get(id) ?? 0) + 1);
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
