import type { Approvals } from '../../approvals/approvals.js';
import type { ApprovalRequest, Grant } from '../../core/approval.js';
import { messageOf } from '../../core/errors.js';
import type { RecordedEvent, SessionStart } from '../../core/events.js';
import type { Notice } from '../notices.js';
import type { SessionRecorder } from '../sessions/session-host.js';

export interface ApprovalRecordsOptions {
  readonly open: (start: SessionStart) => SessionRecorder;
  readonly newId: () => string;
  readonly labelsOf: (connection: string) => Readonly<Record<string, string>>;
  /** What a request for access left behind. */
  readonly grantsOf: (request: string) => readonly Grant[];
  readonly withdraw: Approvals['withdraw'];
  /** What people typed may hold secrets. */
  readonly withoutSecrets: (text: string) => string;
  readonly log: (message: string, fields: Readonly<Record<string, string>>) => void;
}

/** What one step is called in lists, and what is recorded of it. */
interface Told {
  readonly title: string;
  readonly events: readonly RecordedEvent[];
}

/** Nobody is connected: what they are about has no number. */
const NO_STATEMENT = 0;

/**
 * Records the steps of approvals that no session records: asking for access and what becomes of it, looking at break-glass
 * afterwards, the end of a grant. Each step is a recording of its own, sealed at once, of the one who asked; the steps of
 * one request share its id as their correlation id, unless it has one.
 */
export class ApprovalRecords {
  readonly #writing = new Set<Promise<void>>();

  constructor(private readonly options: ApprovalRecordsOptions) {}

  /** Never throws. A request that can't be recorded is withdrawn. */
  notice(notice: Notice): void {
    const told = this.#toldOf(notice);
    if (told === undefined) return;
    const { request } = notice;
    const failed = (error: unknown): void => {
      this.options.log(`a step of an approval is not recorded: ${messageOf(error)}`, { request: request.id });
      if (notice.type === 'requested') this.options.withdraw(request.id, 'the request can not be recorded');
    };
    try {
      const written = this.#write(request, told).catch(failed);
      this.#writing.add(written);
      void written.then(() => this.#writing.delete(written));
    } catch (error) {
      failed(error);
    }
  }

  /** Resolves once all that was told is sealed. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #write(request: ApprovalRequest, { title, events }: Told): Promise<void> {
    const recorder = this.options.open(this.#startOf(request));
    recorder.record({ type: 'statement', statement: NO_STATEMENT, text: title, via: 'approval' });
    for (const event of events) recorder.record(event);
    return recorder.seal({ type: 'session.end', reason: 'done', statements: 0, blocked: 0 });
  }

  #startOf({ requester, connection, connectionType, credential, client, ...request }: ApprovalRequest): SessionStart {
    const { subject, email, groups, issuer, machine } = requester;
    return {
      type: 'session.start',
      kind: 'approval',
      session: this.options.newId(),
      user: { subject, email, groups, issuer, machine, attributes: {} },
      connection: { name: connection, type: connectionType, labels: this.options.labelsOf(connection) },
      credential,
      client: client ?? {},
      correlationId: request.correlationId === '' ? request.id : request.correlationId,
    };
  }

  #toldOf({ type, request, grant }: Notice): Told | undefined {
    const about = { statement: NO_STATEMENT, request: request.id };
    const access = request.kind === 'access';
    switch (type) {
      case 'requested':
        return access ? { title: request.text, events: [this.#requested(request)] } : undefined;
      case 'voted':
        return access ? { title: `approval of ${request.text}`, events: votedEvents(request) } : undefined;
      case 'resolved':
        return access ? this.#resolved(request) : undefined;
      case 'reviewed': {
        const { review } = request;
        if (review === undefined) return undefined;
        const { verdict, by, reason } = review;
        const event = { type: 'approval.reviewed' as const, ...about, ...sessionOf(request), verdict, by };
        return { title: `look at break-glass: ${request.text}`, events: [{ ...event, ...this.#why(reason) }] };
      }
      case 'grant.ended': {
        if (grant === undefined) return undefined;
        const { id, state, endedBy, endReason } = grant;
        const by = endedBy === '' ? {} : { by: endedBy };
        const event = { type: 'grant.ended' as const, ...about, ...sessionOf(request), grant: id, state, ...by };
        return { title: `grant ${state}: ${request.text}`, events: [{ ...event, ...this.#why(endReason) }] };
      }
      case 'updated':
        return undefined;
    }
  }

  #requested({ id, flows, reason, durationMs, breakGlass }: ApprovalRequest): RecordedEvent {
    return {
      type: 'approval.requested',
      statement: NO_STATEMENT,
      request: id,
      flow: flows.join(', '),
      ...this.#why(reason),
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(breakGlass === true ? { breakGlass } : {}),
    };
  }

  #resolved(request: ApprovalRequest): Told {
    const { id, state, decidedBy, decisionReason, text } = request;
    const about = { statement: NO_STATEMENT, request: id };
    const outcome = state === 'pending' ? 'cancelled' : state;
    const by = decidedBy === '' ? {} : { by: decidedBy };
    const given = this.options.grantsOf(id).map(({ id: grant, scope, expiresAt }): RecordedEvent => ({
      type: 'grant.given',
      ...about,
      grant,
      scope,
      expiresAt,
    }));
    return {
      title: `${outcome}: ${text}`,
      events: [
        { type: 'approval.resolved', ...about, outcome, ...by, ...this.#why(decisionReason) },
        ...(state === 'approved' ? given : []),
      ],
    };
  }

  #why(reason: string): { readonly reason?: string } {
    return reason === '' ? {} : { reason: this.options.withoutSecrets(reason) };
  }
}

/** The last approval: the step at which others must follow. */
function votedEvents({ id, votes }: ApprovalRequest): readonly RecordedEvent[] {
  return votes.slice(-1).map(({ email, subject, durationMs }) => ({
    type: 'approval.voted',
    statement: NO_STATEMENT,
    request: id,
    by: email === '' ? subject : email,
    ...(durationMs === undefined ? {} : { durationMs }),
  }));
}

function sessionOf({ session }: ApprovalRequest): { readonly session?: string } {
  return session === '' ? {} : { session };
}
