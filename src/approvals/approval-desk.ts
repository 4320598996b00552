import type { ApprovalOutcome, ApprovalRequest, FlowProgress, Grant, RequestFindings } from '../core/approval.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type { ApprovalFlowResource } from '../core/resources.js';
import type {
  ApprovalEvent,
  Approvals,
  ApprovalsOptions,
  GrantListFilter,
  ListFilter,
  Opened,
  OpenInput,
} from './contract.js';
import { Deadlines } from './deadlines.js';
import { breaksGlass, expiryOf, longestGrant, requireApprovable, requireAskable } from './flow-rules.js';
import { GrantDesk } from './grant-desk.js';
import type { AccessQuery, GrantQuery } from './grants.js';
import { alreadyDecided, nameOf, noSuchRequest } from './request-faults.js';
import type { RequestFilter, Resolution } from './request-store.js';
import { RequestWatchers } from './request-watchers.js';
import { requireRoom } from './waiting-bounds.js';
import { isMet, isSamePerson, mayBeOneHuman, mayReview, progressOf } from './reviewers.js';

/** Who decided what nobody decided. */
const BREAK_GLASS = 'break-glass';
const LATE = 'not decided in time';

interface Wait {
  readonly settle: (outcome: ApprovalOutcome) => void;
  readonly input: OpenInput;
}

export class ApprovalDesk<Timer> implements Approvals {
  readonly #waits = new Map<string, Wait>();
  readonly #watchers = new RequestWatchers();
  readonly #deadlines: Deadlines<Timer>;
  readonly #grants: GrantDesk<Timer>;
  readonly #options: ApprovalsOptions<Timer>;
  #closed = false;

  constructor(options: ApprovalsOptions<Timer>) {
    this.#options = options;
    this.#deadlines = new Deadlines(options);
    options.store.cancelPending('agent ended');
    this.#grants = new GrantDesk(options);
    for (const request of options.store.list({ state: 'pending' })) this.#expireLater(request);
  }

  open(input: OpenInput): Opened {
    if (this.#closed) throw new HoopError('failed', 'the agent is stopping');
    const flows = this.#flowsOf(input.flows);
    if (flows.length === 0 || flows.length < input.flows.length) {
      throw new HoopError('config_invalid', 'an approval flow that this needs is not configured');
    }
    const { clock, store } = this.#options;
    const nowMs = clock.nowMs();
    const broken = breaksGlass(flows, input);
    const access = input.kind === 'access';
    if (!broken) requireAskable(flows, input, nowMs);
    if (!access && !broken) requireRoom(this.#waits.values(), input);
    const request: ApprovalRequest = {
      ...input,
      id: this.#options.newId(),
      createdAt: clock.timestamp(),
      expiresAt: new Date(expiryOf(flows, input.kind, nowMs)).toISOString(),
      state: 'pending',
      votes: [],
      decidedBy: '',
      decidedAt: '',
      decisionReason: '',
      ...(broken ? { breakGlass: true } : {}),
      ...(!broken && !access && flows.some(({ preview }) => preview) ? { previewWanted: true } : {}),
    };
    store.insert(request);
    const outcome = new Promise<ApprovalOutcome>((settle) => this.#waits.set(request.id, { settle, input }));
    this.#expireLater(request);
    this.#tell({ type: 'requested', request });
    if (!broken) return { request, outcome };
    try {
      return { request: this.#finish(request.id, 'approved', BREAK_GLASS, input.reason), outcome };
    } catch (error) {
      this.#end(request.id, 'cancelled', 'could not go ahead');
      throw error;
    }
  }

  decide(id: string, by: Identity, verdict: 'approve' | 'deny', reason: string, durationMs?: number): ApprovalRequest {
    // Said before the look-up: a token that may never review learns nothing of which ids exist.
    if (by.machine || !by.mayReview)
      throw new HoopError('not_allowed', 'tokens of this identity provider may not decide requests');
    const request = this.#current(id);
    if (request === undefined) throw noSuchRequest();
    if (!this.mayDecide(by, request)) {
      const own = mayBeOneHuman(by, request.requester);
      throw new HoopError(
        'not_allowed',
        own ? 'deciding your own request is not allowed' : 'you are not a reviewer of this request',
        own ? { suggestion: 'ask another reviewer' } : {},
      );
    }
    if (request.breakGlass === true) return this.#review(request, by, verdict, reason);
    if (request.state !== 'pending') throw alreadyDecided(request);
    if (verdict === 'deny') return this.#finish(id, 'denied', nameOf(by), reason);
    requireApprovable(this.#flowsOf(request.flows), request, durationMs, this.#options.clock.nowMs());
    return this.#approve(id, by, reason, durationMs);
  }

  withdraw(id: string, why: string): boolean {
    return this.#end(id, 'cancelled', why);
  }

  withdrawOwn(by: Identity, id: string): ApprovalRequest {
    const request = this.#current(id);
    if (request === undefined || !isSamePerson(by, request.requester)) throw noSuchRequest();
    if (request.state !== 'pending') throw alreadyDecided(request);
    return this.#finish(id, 'cancelled', '', 'withdrawn by the requester');
  }

  complete(id: string, found: RequestFindings): void {
    try {
      if (!this.#options.store.complete(id, found)) return;
    } catch {
      // It is shown to people and decides nothing: what can't be kept is not shown.
      return;
    }
    const request = this.#options.store.get(id);
    if (request !== undefined) this.#tell({ type: 'updated', request });
  }

  giveBack(id: string): void {
    this.#grants.giveBack(id);
  }

  takeGrant(query: GrantQuery): readonly Grant[] | undefined {
    return this.#closed ? undefined : this.#grants.take(query);
  }

  accessGrant(query: AccessQuery): Grant | undefined {
    return this.#closed ? undefined : this.#grants.access(query);
  }

  list(viewer: Identity, filter: ListFilter): readonly ApprovalRequest[] {
    const own = filter.mine ? { subject: viewer.subject, issuer: viewer.issuer } : {};
    const waiting: readonly RequestFilter[] = [{ state: 'pending' }, { reviewDue: true }];
    const seen = (filter.state === 'all' ? [{}] : waiting)
      .map((asked) => ({ ...own, ...asked }))
      .flatMap((one) => this.#options.store.list(one))
      .filter((request) => this.maySee(viewer, request));
    return [...seen].sort((one, other) => (one.id < other.id ? 1 : -1));
  }

  get(viewer: Identity, id: string): ApprovalRequest {
    const request = this.#current(id);
    if (request === undefined || !this.maySee(viewer, request)) throw noSuchRequest();
    return request;
  }

  maySee(viewer: Identity, request: ApprovalRequest): boolean {
    return isSamePerson(viewer, request.requester) || this.mayDecide(viewer, request);
  }

  mayDecide(viewer: Identity, request: ApprovalRequest): boolean {
    return this.#flowsOf(request.flows).some((flow) => mayReview(flow, request, viewer));
  }

  progress(request: ApprovalRequest): readonly FlowProgress[] {
    return this.#flowsOf(request.flows).map((flow) => progressOf(flow, request));
  }

  longestGrant(request: ApprovalRequest): number | undefined {
    return longestGrant(this.#flowsOf(request.flows), request);
  }

  watch(id: string, listener: (request: ApprovalRequest) => void): () => void {
    return this.#watchers.add(id, listener);
  }

  grants(viewer: Identity, filter: GrantListFilter, everyone: boolean): readonly Grant[] {
    return this.#grants.list(viewer, filter, everyone);
  }

  mayRevoke(viewer: Identity, grant: Grant): boolean {
    return this.#grants.mayRevoke(viewer, grant);
  }

  revoke(by: Identity, id: string, reason: string, everyone: boolean): readonly Grant[] {
    return this.#grants.revoke(by, id, reason, everyone);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadlines.clearAll();
    for (const [id, { input }] of [...this.#waits]) {
      // A request for access can be decided after the next start.
      if (input.kind !== 'access') this.#end(id, 'cancelled', 'agent stopped');
    }
    this.#grants.close();
    this.#options.store.cancelPending('agent stopped');
  }

  #approve(id: string, by: Identity, reason: string, durationMs: number | undefined): ApprovalRequest {
    const { subject, issuer, email, groups } = by;
    const at = this.#options.clock.timestamp();
    const vote = { subject, issuer, email, groups, at, ...(durationMs === undefined ? {} : { durationMs }) };
    const voted = this.#options.store.addVote(id, vote);
    if (voted === undefined) {
      const now = this.#options.store.get(id);
      if (now?.state === 'pending')
        throw new HoopError('already_decided', 'you approved this request already; it waits for others');
      throw now === undefined ? noSuchRequest() : alreadyDecided(now);
    }
    const flows = this.#flowsOf(voted.flows);
    const met = flows.length === voted.flows.length && flows.every((flow) => isMet(flow, voted));
    if (met) return this.#finish(id, 'approved', nameOf(by), reason);
    this.#tell({ type: 'voted', request: voted });
    return voted;
  }

  /** A look at what went ahead. Whoever objects ends what it left behind. */
  #review(request: ApprovalRequest, by: Identity, verdict: 'approve' | 'deny', reason: string): ApprovalRequest {
    const { store, clock } = this.#options;
    const review = {
      verdict: verdict === 'approve' ? ('accepted' as const) : ('objected' as const),
      by: nameOf(by),
      at: clock.timestamp(),
      reason,
    };
    const first = store.review(request.id, review);
    const now = store.get(request.id);
    if (now === undefined) throw noSuchRequest();
    if (!first) throw new HoopError('already_decided', `the request was reviewed already by ${now.review?.by ?? ''}`);
    if (verdict === 'deny') this.#grants.revokeOf(request, review.by, reason);
    this.#tell({ type: 'reviewed', request: now });
    return now;
  }

  /** Ends it, or says who was first. */
  #finish(id: string, state: Resolution['state'], decidedBy: string, reason: string): ApprovalRequest {
    const decided = this.#resolve(id, state, decidedBy, reason);
    if (decided !== undefined) return decided;
    const now = this.#options.store.get(id);
    throw now === undefined ? noSuchRequest() : alreadyDecided(now);
  }

  /** The one place where a request ends: the store says who was first, only that one settles the wait. */
  #resolve(id: string, state: Resolution['state'], decidedBy: string, reason: string): ApprovalRequest | undefined {
    const { store, clock } = this.#options;
    const before = store.get(id);
    if (before === undefined) return undefined;
    const resolution: Resolution = { state, decidedBy, decidedAt: clock.timestamp(), decisionReason: reason };
    const grants = state === 'approved' ? this.#grants.make(before, this.#flowsOf(before.flows), decidedBy) : [];
    // The run that waits is itself the one of a single-use grant: there is nothing to keep of it.
    const kept = grants.filter((grant) => grant.usesLeft !== 0);
    if (!store.resolve(id, resolution, kept)) return undefined;
    this.#grants.hold(grants);
    const request = { ...before, ...resolution };
    this.#settle(id, { state, by: decidedBy, reason });
    this.#tell({ type: 'resolved', request });
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
    this.#deadlines.clear(id);
    const wait = this.#waits.get(id);
    this.#waits.delete(id);
    wait?.settle(outcome);
    return wait !== undefined;
  }

  /** The request; first ended when its time is over, should the timer be late (a machine that slept). */
  #current(id: string): ApprovalRequest | undefined {
    const request = this.#options.store.get(id);
    if (request?.state !== 'pending' || this.#options.clock.nowMs() < Date.parse(request.expiresAt)) return request;
    return this.#resolve(id, 'expired', '', LATE) ?? this.#options.store.get(id);
  }

  #expireLater({ id, expiresAt }: ApprovalRequest): void {
    this.#deadlines.set(id, Date.parse(expiresAt), () => this.#end(id, 'expired', LATE));
  }

  #tell(event: ApprovalEvent): void {
    this.#options.onEvent(event);
    this.#watchers.tell(event.request);
  }

  #flowsOf(names: readonly string[]): readonly ApprovalFlowResource[] {
    return names.flatMap((name) => this.#options.flow(name) ?? []);
  }
}
