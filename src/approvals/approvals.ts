import type { ApprovalOutcome, ApprovalRequest } from '../core/approval.js';
import type { Clock } from '../core/clock.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type { ApprovalFlowResource } from '../core/resources.js';
import { GrantLedger } from './grants.js';
import type { GrantQuery } from './grants.js';
import type { RequestFilter, RequestStore, Resolution } from './request-store.js';
import { isMet, isSamePerson, mayReview } from './reviewers.js';

/** What the one who holds a statement says of it. */
export type OpenInput = Omit<
  ApprovalRequest,
  'id' | 'createdAt' | 'expiresAt' | 'state' | 'votes' | 'decidedBy' | 'decidedAt' | 'decisionReason'
>;

export interface ApprovalEvent {
  readonly type: 'requested' | 'voted' | 'resolved';
  /** As it stands after the event. */
  readonly request: ApprovalRequest;
}

export interface ApprovalsOptions<Timer> {
  readonly store: RequestStore;
  /** The flow of that name as configured now. */
  readonly flow: (name: string) => ApprovalFlowResource | undefined;
  readonly clock: Clock;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  readonly setTimer: (callback: () => void, delayMs: number) => Timer;
  readonly clearTimer: (timer: Timer) => void;
  /** Told after the state was stored; must not throw. */
  readonly onEvent: (event: ApprovalEvent) => void;
}

export interface ListFilter {
  readonly state: 'pending' | 'all';
  /** Only the viewer's own. */
  readonly mine: boolean;
}

/** Requests for approval: opened, decided once by people with the right, expired or withdrawn. */
export interface Approvals {
  /**
   * Asks for approval; `outcome` settles exactly once and never rejects.
   *
   * @throws HoopError `config_invalid` when a flow is not configured, `failed` after `close`;
   * whatever the store throws. Nothing waits then: the caller blocks the statement.
   */
  open(input: OpenInput): { readonly request: ApprovalRequest; readonly outcome: Promise<ApprovalOutcome> };
  /**
   * @returns the request as it stands now: still pending where more people must approve
   * @throws HoopError `not_allowed` for one's own or without the right, `already_decided`, `not_found`
   */
  decide(id: string, by: Identity, verdict: 'approve' | 'deny', reason: string): ApprovalRequest;
  /** The requester no longer waits. False when the request was over already: then its outcome stands. Never throws. */
  withdraw(id: string, why: string): boolean;
  /** An approved statement never began to run (client or upstream gone): its run stays good for the grant's ttl. */
  giveBack(id: string): void;
  /** Takes one run under what was approved before; the ids of those requests, or undefined: ask. */
  takeGrant(query: GrantQuery): readonly string[] | undefined;
  /** The viewer's own and those they may review, newest first. */
  list(viewer: Identity, filter: ListFilter): readonly ApprovalRequest[];
  /** @throws HoopError `not_found`, the same for those not there and those not the viewer's to see */
  get(viewer: Identity, id: string): ApprovalRequest;
  /** Has the viewer the right to decide this request, whatever its state? */
  mayDecide(viewer: Identity, request: ApprovalRequest): boolean;
  /** Cancels all that wait, then throws what the store may throw; nothing can be opened afterwards. */
  close(): void;
}

/** Requests left pending by an agent that died are cancelled here: whoever waited for them is gone. */
export function createApprovals<Timer>(options: ApprovalsOptions<Timer>): Approvals {
  return new ApprovalDesk(options);
}

/** Longest delay that Node's timers keep; a longer one fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

interface Wait<Timer> {
  readonly settle: (outcome: ApprovalOutcome) => void;
  readonly expiresAtMs: number;
  timer: Timer;
}

class ApprovalDesk<Timer> implements Approvals {
  readonly #waits = new Map<string, Wait<Timer>>();
  readonly #grants = new GrantLedger();
  #closed = false;

  constructor(private readonly options: ApprovalsOptions<Timer>) {
    options.store.cancelPending('agent ended');
  }

  open(input: OpenInput): { readonly request: ApprovalRequest; readonly outcome: Promise<ApprovalOutcome> } {
    if (this.#closed) throw new HoopError('failed', 'the agent is stopping');
    const flows = this.#flowsOf(input.flows);
    if (flows.length === 0 || flows.length < input.flows.length) {
      throw new HoopError('config_invalid', 'an approval flow that the statement needs is not configured');
    }
    const nowMs = this.options.clock.nowMs();
    const expiresAtMs = nowMs + Math.min(...flows.map((flow) => flow.waitMs));
    const request: ApprovalRequest = {
      ...input,
      id: this.options.newId(),
      createdAt: this.options.clock.timestamp(),
      expiresAt: new Date(expiresAtMs).toISOString(),
      state: 'pending',
      votes: [],
      decidedBy: '',
      decidedAt: '',
      decisionReason: '',
    };
    this.options.store.insert(request);
    const outcome = new Promise<ApprovalOutcome>((settle) => {
      this.#waits.set(request.id, { settle, expiresAtMs, timer: this.#timer(request.id, expiresAtMs) });
    });
    this.options.onEvent({ type: 'requested', request });
    return { request, outcome };
  }

  decide(id: string, by: Identity, verdict: 'approve' | 'deny', reason: string): ApprovalRequest {
    // Said before the look-up: a token that may never review learns nothing of which ids exist.
    if (by.machine || !by.mayReview)
      throw new HoopError('not_allowed', 'tokens of this identity provider may not decide requests');
    const request = this.#current(id);
    if (request === undefined) throw notFound();
    if (!this.mayDecide(by, request)) {
      const own = isSamePerson(by, request.requester);
      throw new HoopError(
        'not_allowed',
        own ? 'deciding your own request is not allowed' : 'you are not a reviewer of this request',
      );
    }
    if (request.state !== 'pending') throw alreadyDecided(request);
    return verdict === 'deny' ? this.#finish(id, 'denied', nameOf(by), reason) : this.#approve(id, by, reason);
  }

  withdraw(id: string, why: string): boolean {
    return this.#end(id, 'cancelled', why);
  }

  giveBack(id: string): void {
    this.#grants.giveBack(id);
  }

  takeGrant(query: GrantQuery): readonly string[] | undefined {
    return this.#closed ? undefined : this.#grants.take(query, this.options.clock.nowMs());
  }

  list(viewer: Identity, filter: ListFilter): readonly ApprovalRequest[] {
    const asked: RequestFilter = {
      ...(filter.state === 'pending' ? { state: 'pending' as const } : {}),
      ...(filter.mine ? { subject: viewer.subject, issuer: viewer.issuer } : {}),
    };
    const seen = this.options.store.list(asked).filter((request) => this.#maySee(viewer, request));
    return [...seen].sort((one, other) => (one.id < other.id ? 1 : -1));
  }

  get(viewer: Identity, id: string): ApprovalRequest {
    const request = this.#current(id);
    if (request === undefined || !this.#maySee(viewer, request)) throw notFound();
    return request;
  }

  mayDecide(viewer: Identity, request: ApprovalRequest): boolean {
    return this.#flowsOf(request.flows).some((flow) => mayReview(flow, request, viewer));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#grants.clear();
    for (const id of [...this.#waits.keys()]) this.#end(id, 'cancelled', 'agent stopped');
    this.options.store.cancelPending('agent stopped');
  }

  #approve(id: string, by: Identity, reason: string): ApprovalRequest {
    const { subject, issuer, email, groups } = by;
    const voted = this.options.store.addVote(id, {
      subject,
      issuer,
      email,
      groups,
      at: this.options.clock.timestamp(),
    });
    if (voted === undefined) {
      const now = this.options.store.get(id);
      if (now?.state === 'pending')
        throw new HoopError('already_decided', 'you approved this request already; it waits for others');
      throw now === undefined ? notFound() : alreadyDecided(now);
    }
    const flows = this.#flowsOf(voted.flows);
    const met = flows.length === voted.flows.length && flows.every((flow) => isMet(flow, voted));
    if (met) return this.#finish(id, 'approved', nameOf(by), reason);
    this.options.onEvent({ type: 'voted', request: voted });
    return voted;
  }

  /** Decides, or says who was first. */
  #finish(id: string, state: 'approved' | 'denied', decidedBy: string, reason: string): ApprovalRequest {
    const decided = this.#resolve(id, state, decidedBy, reason);
    if (decided !== undefined) return decided;
    const now = this.options.store.get(id);
    throw now === undefined ? notFound() : alreadyDecided(now);
  }

  /** The one place where a request ends: the store says who was first, only that one settles the wait. */
  #resolve(id: string, state: Resolution['state'], decidedBy: string, reason: string): ApprovalRequest | undefined {
    const { store, clock } = this.options;
    const resolution: Resolution = { state, decidedBy, decidedAt: clock.timestamp(), decisionReason: reason };
    if (!store.resolve(id, resolution)) return undefined;
    const request = store.get(id);
    if (request === undefined) throw new HoopError('failed', 'the request left the store while it was decided');
    if (state === 'approved') {
      for (const flow of this.#flowsOf(request.flows)) this.#grants.add(request, flow, clock.nowMs());
    }
    this.#settle(id, { state, by: decidedBy, reason });
    this.options.onEvent({ type: 'resolved', request });
    return request;
  }

  /** Ends a request nobody decided. Called from timers and hang-ups: a store that fails must not leave anyone waiting. */
  #end(id: string, state: 'expired' | 'cancelled', reason: string): boolean {
    try {
      return this.#resolve(id, state, '', reason) !== undefined;
    } catch {
      return this.#settle(id, { state, by: '', reason });
    }
  }

  #settle(id: string, outcome: ApprovalOutcome): boolean {
    const wait = this.#waits.get(id);
    if (wait === undefined) return false;
    this.#waits.delete(id);
    this.options.clearTimer(wait.timer);
    wait.settle(outcome);
    return true;
  }

  /** The request; first ended when its time is over, should the timer be late (a machine that slept). */
  #current(id: string): ApprovalRequest | undefined {
    const request = this.options.store.get(id);
    if (request?.state !== 'pending' || this.options.clock.nowMs() < Date.parse(request.expiresAt)) return request;
    return this.#resolve(id, 'expired', '', 'not decided in time') ?? this.options.store.get(id);
  }

  #timer(id: string, expiresAtMs: number): Timer {
    const leftMs = Math.max(0, expiresAtMs - this.options.clock.nowMs());
    return this.options.setTimer(() => this.#tick(id), Math.min(leftMs, MAX_DELAY_MS));
  }

  #tick(id: string): void {
    const wait = this.#waits.get(id);
    if (wait === undefined) return;
    if (this.options.clock.nowMs() >= wait.expiresAtMs) this.#end(id, 'expired', 'not decided in time');
    else wait.timer = this.#timer(id, wait.expiresAtMs);
  }

  #maySee(viewer: Identity, request: ApprovalRequest): boolean {
    return isSamePerson(viewer, request.requester) || this.mayDecide(viewer, request);
  }

  #flowsOf(names: readonly string[]): readonly ApprovalFlowResource[] {
    return names.flatMap((name) => this.options.flow(name) ?? []);
  }
}

/** How records and people name who decided. */
function nameOf(identity: Identity): string {
  return identity.email === '' ? identity.subject : identity.email;
}

function notFound(): HoopError {
  return new HoopError('not_found', 'no such request');
}

function alreadyDecided(request: ApprovalRequest): HoopError {
  const by = request.decidedBy === '' ? '' : ` by ${request.decidedBy}`;
  return new HoopError('already_decided', `the request is ${request.state} already${by}`);
}
