import { concatBytes } from '../core/bytes.js';
import type { ApprovalOutcome, ApprovalRequest } from '../core/approval.js';
import { messageOf } from '../core/errors.js';
import type { RecordedEvent, SessionEnd } from '../core/events.js';
import type { Verdict } from '../policy/types.js';
import type { Decision, Question, Session, Side, Step } from '../protocols/contract.js';
import type { TunnelStream } from '../tunnel/stream.js';

/** A statement that waits for people. */
export interface Hold {
  readonly request: ApprovalRequest;
  readonly outcome: Promise<ApprovalOutcome>;
  withdraw(why: string): void;
}

/** What the drive needs of the agent. */
export interface DriveHost {
  /** Policy's word; a promise where something has to be read first. Throwing or rejecting blocks. */
  judge(question: Question): Verdict | Promise<Verdict>;
  /** Undefined where a grant already covers it. */
  hold(question: Question, verdict: Verdict): Hold | undefined;
  record(event: RecordedEvent): void;
  /** Everything recorded is safe when this returns or resolves. */
  flush(): void | Promise<void>;
  seal(end: SessionEnd): Promise<void>;
  /** News for the person at the other end of the tunnel. */
  tell(event: Readonly<Record<string, unknown>>): void;
  /** Asks the server to stop what runs. */
  cancelUpstream(): void;
  closed(): void;
  /** A failure of ours, for the log; never user data. */
  log(message: string): void;
}

/** Bytes of a client that are read ahead while its statement is decided: enough to see it hang up. */
const MAX_BACKLOG_BYTES = 1 << 20;
/** How long a server may take to finish after the client said goodbye. */
const GOODBYE_MS = 10_000;

export interface DrivenSession extends Session<Uint8Array> {
  readonly busy: boolean;
  readonly counts: { readonly statements: number; readonly blocked: number };
  terminate(reason: string, code: string, message: string): readonly Step[];
}

/**
 * Runs one session: carries out its steps between the client, the server, policy and the record.
 * The order that security rests on is kept here, once, for all protocols (docs/architecture.md).
 */
export class Drive {
  readonly #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  /** A ticket is open: nothing more of the client reaches the session. */
  #deciding = false;
  #clientEnded = false;
  #closed = false;
  #hold: Hold | undefined;
  #flushScheduled = false;
  #upstream: TunnelStream | undefined;

  constructor(
    private readonly session: DrivenSession,
    private readonly client: TunnelStream,
    private readonly host: DriveHost,
  ) {
    client.onData((bytes) => {
      this.#fromClient(bytes);
    });
    client.onEnd(() => {
      this.#clientGone();
    });
    client.onClose(() => {
      this.#clientGone();
    });
    client.onDrain(() => this.#upstream?.resume());
  }

  /** The server's side is open. */
  attach(upstream: TunnelStream): void {
    if (this.#closed) {
      upstream.destroy();
      return;
    }
    this.#upstream = upstream;
    upstream.onData((bytes) => {
      this.#guarded(() => this.session.receive('upstream', bytes));
    });
    upstream.onEnd(() => {
      this.#guarded(() => this.session.end('upstream'));
    });
    upstream.onClose(() => {
      this.#guarded(() => this.session.end('upstream'));
    });
    upstream.onDrain(() => {
      if (this.#backlogBytes <= MAX_BACKLOG_BYTES) this.client.resume();
    });
  }

  /** Carries out the first steps. */
  start(steps: readonly Step[]): void {
    this.#guarded(() => steps);
  }

  get idle(): boolean {
    return !this.session.busy && !this.#deciding;
  }

  /** The client asked, by its cancel key, to stop what runs or waits. */
  cancel(): void {
    if (this.#hold !== undefined) this.#hold.withdraw('cancelled by the requester');
    else if (this.session.busy) this.host.cancelUpstream();
  }

  /** Ends the session from the agent's side. */
  terminate(reason: string, code: string, message: string): void {
    this.#guarded(() => this.session.terminate(reason, code, message));
  }

  #fromClient(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (!this.#deciding) {
      this.#guarded(() => this.session.receive('client', bytes));
      return;
    }
    this.#backlog.push(bytes);
    this.#backlogBytes += bytes.length;
    if (this.#backlogBytes > MAX_BACKLOG_BYTES) this.client.pause();
  }

  #clientGone(): void {
    if (this.#clientEnded) return;
    this.#clientEnded = true;
    // A waiting statement of somebody who has left must not run any more.
    this.#hold?.withdraw('the requester hung up');
    if (this.#hold === undefined && this.#deciding) return;
    if (this.#hold === undefined) this.#guarded(() => this.session.end('client'));
  }

  #guarded(work: () => readonly Step[]): void {
    if (this.#closed) return;
    try {
      this.#run(work());
    } catch (error) {
      this.#failed(error);
    }
  }

  /** An error of ours: nobody can say what would have been right, so nothing more passes. */
  #failed(error: unknown): void {
    this.host.log(`session ended by an internal error: ${messageOf(error)}`);
    try {
      this.#run(this.session.terminate('fault', 'XX000', 'hoop: internal error; the session was ended'));
    } catch (again) {
      this.host.log(`and could not be ended in good order: ${messageOf(again)}`);
      this.#close('fault');
    }
  }

  #run(steps: readonly Step[]): void {
    let parts: Uint8Array[] = [];
    let side: Side | undefined;
    const flushParts = (): void => {
      if (side !== undefined && parts.length > 0) this.#send(side, concatBytes(parts));
      parts = [];
    };
    for (const step of steps) {
      if (this.#closed) return;
      if (step.kind === 'send') {
        if (side !== step.to) flushParts();
        side = step.to;
        parts.push(step.bytes);
      } else if (step.kind === 'record') {
        this.#recordResult(step.event);
      } else {
        flushParts();
        if (step.kind === 'close') this.#close(step.reason);
        else this.#ask(step.ticket, step.question);
      }
    }
    flushParts();
  }

  /** What ran can't be undone: where its result can't be recorded, the next statement is refused, and the client keeps its order. */
  #recordResult(event: RecordedEvent): void {
    try {
      this.host.record(event);
      this.#flushSoon();
    } catch (error) {
      this.host.log(`recording: ${messageOf(error)}`);
    }
  }

  #send(to: Side, bytes: Uint8Array): void {
    if (to === 'client') {
      if (!this.client.write(bytes)) this.#upstream?.pause();
    } else if (this.#upstream?.write(bytes) === false) {
      this.client.pause();
    }
  }

  #ask(ticket: number, question: Question): void {
    this.#deciding = true;
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.host.judge(question);
    } catch (error) {
      this.#undecided(ticket, question, error);
      return;
    }
    if (!(verdict instanceof Promise)) {
      this.#decided(ticket, question, verdict);
      return;
    }
    verdict.then(
      (known) => {
        this.#decided(ticket, question, known);
      },
      (error: unknown) => {
        this.#undecided(ticket, question, error);
      },
    );
  }

  #undecided(ticket: number, question: Question, error: unknown): void {
    this.host.log(`undecided, so blocked: ${messageOf(error)}`);
    const message = `blocked: the statement could not be decided (${messageOf(error)})`;
    this.#decided(ticket, question, { action: 'block', rule: 'hoop/undecided', message, flows: [], matches: [], policyHash: '' });
  }

  #decided(ticket: number, question: Question, verdict: Verdict): void {
    if (this.#closed) return;
    if (question.phase === 'prepare' && verdict.action !== 'block') {
      this.#answer(ticket, { action: 'allow', notices: [] });
      return;
    }
    try {
      this.#recordDecision(question, verdict);
      const hold = verdict.action === 'approve' ? this.host.hold(question, verdict) : undefined;
      if (hold !== undefined) {
        this.#wait(ticket, question, verdict, hold);
        return;
      }
      this.#afterFlush(ticket, () => {
        if (verdict.action === 'block') this.#block(ticket, verdict);
        else this.#answer(ticket, { action: 'allow', notices: warnings(verdict) });
      });
    } catch (error) {
      this.#unrecorded(ticket, error);
    }
  }

  #recordDecision(question: Question, verdict: Verdict): void {
    const event = question.event();
    if (event === undefined) return;
    this.host.record(event);
    const deciding = verdict.matches.filter((match) => !match.observed);
    const observed = verdict.matches.filter((match) => match.observed);
    this.host.record({
      type: 'decision',
      statement: question.statement,
      action: verdict.action,
      rules: deciding.length === 0 && verdict.rule !== '' ? [verdict.rule] : deciding.map((match) => `${match.policy}/${match.rule}`),
      ...(verdict.message === '' ? {} : { message: verdict.message }),
      policyHash: verdict.policyHash,
      ...(observed.length === 0 ? {} : { observed: observed.map((match) => ({ rule: `${match.policy}/${match.rule}`, action: match.action })) }),
    });
  }

  /** What is forwarded was recorded before; where it can't be recorded it is refused. */
  #afterFlush(ticket: number, proceed: () => void): void {
    let flushed: void | Promise<void>;
    try {
      flushed = this.host.flush();
    } catch (error) {
      this.#unrecorded(ticket, error);
      return;
    }
    if (flushed === undefined) {
      proceed();
      return;
    }
    flushed.then(proceed, (error: unknown) => {
      this.#unrecorded(ticket, error);
    });
  }

  #unrecorded(ticket: number, error: unknown): void {
    this.host.log(`not recorded, so refused: ${messageOf(error)}`);
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.withdraw('the request can not be recorded');
    this.#answer(ticket, { action: 'block', code: 'recording_failed', message: 'hoop: the session can not be recorded, so nothing is run' });
  }

  #block(ticket: number, verdict: Verdict): void {
    const message = verdict.message === '' ? `blocked by policy ${verdict.rule}` : `blocked by policy ${verdict.rule}: ${verdict.message}`;
    this.host.tell({ event: 'blocked', rule: verdict.rule, message: verdict.message });
    this.#answer(ticket, { action: 'block', message: verdict.rule.startsWith('hoop/') ? verdict.message : message });
  }

  #wait(ticket: number, question: Question, verdict: Verdict, hold: Hold): void {
    const { request } = hold;
    this.#hold = hold;
    this.host.record({ type: 'approval.requested', statement: question.statement, request: request.id, flow: verdict.flows.join(', ') });
    this.host.tell({ event: 'approval.waiting', request: request.id, flows: request.flows, expiresAt: request.expiresAt });
    hold.outcome.then(
      (outcome) => {
        this.#resolved(ticket, question, verdict, hold, outcome);
      },
      (error: unknown) => {
        this.#resolved(ticket, question, verdict, hold, { state: 'cancelled', by: '', reason: messageOf(error) });
      },
    );
    const rule = verdict.message === '' ? verdict.rule : `${verdict.rule}: ${verdict.message}`;
    this.#afterFlush(ticket, () => {
      this.#answer(ticket, { action: 'hold', request: request.id, message: `waiting for approval by policy ${rule}\nrequest ${request.id} until ${request.expiresAt}; a reviewer runs: hoop approve ${request.id}` }, true);
    });
  }

  #resolved(ticket: number, question: Question, verdict: Verdict, hold: Hold, outcome: ApprovalOutcome): void {
    // Withdrawn because it could not be recorded: its statement has been refused already.
    if (this.#hold !== hold) return;
    this.#hold = undefined;
    if (this.#closed) return;
    const { request } = hold;
    const { state, by, reason } = outcome;
    try {
      this.host.record({ type: 'approval.resolved', statement: question.statement, request: request.id, outcome: state, ...(by === '' ? {} : { by }), ...(reason === '' ? {} : { reason }) });
    } catch (error) {
      this.#unrecorded(ticket, error);
      return;
    }
    this.host.tell({ event: 'approval.resolved', request: request.id, outcome: state, by, reason });
    if (this.#clientEnded) {
      this.#guarded(() => this.session.end('client'));
      return;
    }
    this.#afterFlush(ticket, () => {
      this.#answer(ticket, outcomeDecision(request, outcome, warnings(verdict)));
    });
  }

  #answer(ticket: number, decision: Decision, staysOpen = false): void {
    if (!staysOpen) this.#deciding = false;
    this.#guarded(() => this.session.answer(ticket, decision));
    if (staysOpen || this.#deciding || this.#closed) return;
    this.#workOffBacklog();
    if (this.#clientEnded && !this.#deciding) this.#guarded(() => this.session.end('client'));
  }

  #workOffBacklog(): void {
    while (!this.#deciding && !this.#closed && this.#backlog.length > 0) {
      const bytes = this.#backlog.shift() as Uint8Array;
      this.#backlogBytes -= bytes.length;
      this.#guarded(() => this.session.receive('client', bytes));
    }
    if (this.#backlog.length === 0 && !this.#deciding) this.client.resume();
  }

  /** Results are written soon after they came, many in one write; a failure shows at the next statement. */
  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      if (this.#closed) return;
      try {
        this.host.flush()?.catch((error: unknown) => {
          this.host.log(`recording: ${messageOf(error)}`);
        });
      } catch (error) {
        this.host.log(`recording: ${messageOf(error)}`);
      }
    });
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#hold?.withdraw('the session ended');
    this.client.end();
    const upstream = this.#upstream;
    if (upstream !== undefined && reason === 'client') {
      upstream.end();
      upstream.resume();
      setTimeout(() => {
        upstream.destroy();
      }, GOODBYE_MS).unref();
    } else {
      upstream?.destroy();
    }
    this.client.resume();
    const { statements, blocked } = this.session.counts;
    this.host
      .seal({ type: 'session.end', reason, statements, blocked })
      .catch((error: unknown) => {
        this.host.log(`session not sealed: ${messageOf(error)}`);
      })
      .finally(() => {
        this.host.closed();
      });
  }
}

function warnings(verdict: Verdict): string[] {
  return verdict.matches
    .filter((match) => match.action === 'warn' && !match.observed)
    .map((match) => `warning by policy ${match.policy}/${match.rule}: ${match.message}`);
}

function outcomeDecision(request: ApprovalRequest, outcome: ApprovalOutcome, notices: readonly string[]): Decision {
  const why = outcome.reason === '' ? '' : `: ${outcome.reason}`;
  switch (outcome.state) {
    case 'approved':
      return { action: 'allow', notices: [`approved by ${outcome.by}${why}`, ...notices] };
    case 'denied':
      return { action: 'denied', message: `approval denied by ${outcome.by}${why}` };
    case 'expired':
      return { action: 'timeout', message: `approval not given in time (request ${request.id})` };
    case 'cancelled':
      return { action: 'cancelled' };
  }
}
