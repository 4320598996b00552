import type { IncomingMessage } from 'node:http';
import { messageOf } from '../../../core/errors.js';
import type { RecordedEvent } from '../../../core/events.js';
import type { Context, Verdict } from '../../../policy/types.js';
import type { Decision, Question } from '../../../protocols/contract.js';
import { Decider, type DecisionDesk } from '../../drive/decider.js';
import { openHold } from '../../holds/open-hold.js';
import { StreamSocket } from '../../../tunnel/stream-socket.js';
import {
  secretsUsed,
  type HttpCaller,
  type LiveSession,
  type SessionHost,
  type SessionRecorder,
} from '../../sessions/session-host.js';
import { sessionStart } from '../../sessions/session-start.js';
import type { SessionTrace } from '../../tracing/session-trace.js';
import type { HttpRefusal } from '../../../protocols/http/dialect.js';
import type { ConnectionRules } from './connection-rules.js';
import { judgeRequest, type Objection } from './exchange-judge.js';
import { besides, settledBy, type SettledRules } from './settled-rules.js';

/** One question at a time. */
const TICKET = 1;
const MAX_AGENT_CHARS = 200;

/** The session of one request or upgraded stream: its id, its recording, and the answers to whether it may go on. */
export class ExchangeSession {
  readonly id: string;
  readonly context: Context;
  /** As of `session.end`. */
  endReason = 'client';
  #recorder: SessionRecorder | undefined;
  #decider: Decider | undefined;
  #application = '';
  #statements = 1;
  #blocked = 0;
  #holding = false;
  /** Rules by which the request was let in that opened the stream, where they asked or warned; of this policy. */
  #settled: SettledRules | undefined;
  #left = false;
  /** Why what waits for people is withdrawn; undefined while the stream goes on. */
  #leaving: string | undefined;
  /** The client's way here where that is a tunnel: it may break while people decide. */
  #way: StreamSocket | undefined;
  #whenPresent: (() => void) | undefined;

  /** Undefined where it is not traced. */
  readonly trace: SessionTrace | undefined;

  /** @param arrivedMs monotonic milliseconds at which the request came */
  constructor(
    private readonly host: SessionHost,
    private readonly caller: HttpCaller,
    arrivedMs: number,
  ) {
    this.id = host.newId();
    const { name, type, labels } = caller.connection;
    this.context = {
      user: caller.identity,
      connection: { name, type, labels },
      session: {
        id: this.id,
        correlationId: caller.correlationId,
        startedAt: host.clock.timestamp(),
        clientAddress: caller.address,
      },
    };
    const { connection } = this.context;
    this.trace = host.trace({ session: this.id, connection, parent: caller.trace, arrivedMs, masks: () => true });
  }

  /** The client hung up. */
  get left(): boolean {
    return this.#left;
  }

  /**
   * The recording's file comes with the first flush, which the decision waits for before anything is forwarded.
   *
   * @throws HoopError `recording_failed`: then nothing may go on
   */
  open(incoming: Pick<IncomingMessage, 'headers' | 'socket'>): void {
    const socket: unknown = incoming.socket;
    if (socket instanceof StreamSocket) this.#way = socket;
    this.#application = incoming.headers['user-agent']?.slice(0, MAX_AGENT_CHARS) ?? '';
    const start = sessionStart(this.host, this.caller, this.id, { application: this.#application });
    const recorder = this.host.openRecording(start, 'at-flush');
    this.#recorder = this.trace?.around(recorder) ?? recorder;
    this.tell({ event: 'session.opened' });
  }

  /**
   * Asks policy, and people where it says so; recorded before it resolves with `allow`.
   *
   * @param objection what blocks it, whatever the rules say
   * @param onHold the wait for people begins
   */
  decide(
    question: Question,
    rules: ConnectionRules,
    objection: Objection | undefined,
    onHold: () => void,
  ): Promise<Decision> {
    const { host, caller } = this;
    return new Promise((resolve) => {
      this.#decider = new Decider(
        {
          judge: () => {
            const verdict = this.judged(question, rules, objection);
            host.decided(verdict.action);
            return verdict;
          },
          hold: (_question, verdict) =>
            openHold({ host, caller, session: this.id, place: '', application: this.#application }, question, verdict),
          record: (event) => this.#recorder?.record(event),
          flush: () => this.#recorder?.flush(),
          tell: (event) => {
            this.tell(event);
          },
          monotonicMs: () => host.monotonicMs(),
          trace: this.trace,
          log: (message) => {
            this.log(message);
          },
        },
        this.#desk(onHold, resolve),
      );
      this.#decider.ask(TICKET, question);
    });
  }

  #desk(onHold: () => void, decided: (decision: Decision) => void): DecisionDesk {
    return {
      answer: (_ticket, decision) => {
        this.#holding = decision.action === 'hold';
        if (this.#holding) {
          this.#way?.hold();
          onHold();
          if (this.#leaving !== undefined) this.#decider?.withdraw(this.#leaving);
        } else decided(this.#counted(decision));
      },
      closed: () => false,
      clientLeft: () => {
        if (this.#left) decided({ action: 'cancelled' });
        return this.#left;
      },
      whenPresent: (proceed) => {
        this.#whenPresent = proceed;
        if (this.#left || this.#way === undefined) this.#present();
        else
          this.#way.release(() => {
            this.#present();
          });
      },
    };
  }

  /** Policy's word as it is now, on the request or on one message of the stream that it opened; nothing is recorded. */
  judged(
    question: Pick<Question, 'facts' | 'phase' | 'statement'>,
    rules: ConnectionRules,
    objection?: Objection,
  ): Verdict {
    const verdict = judgeRequest(this.host, rules, this.context, question, objection);
    if (question.statement !== 1) return besides(verdict, this.#settled);
    this.#settled = settledBy(rules.policy, verdict);
    return verdict;
  }

  /** The number of one more request on the stream that this one opened. */
  nextStatement(): number {
    this.#statements += 1;
    return this.#statements;
  }

  /** One side of the stream closes: what waits for people is withdrawn, and whatever would wait from now on. */
  leave(why: string): void {
    this.#leaving ??= why;
    if (this.#holding) this.#decider?.withdraw(why);
  }

  /** Does it end, with what waits withdrawn? */
  get leaving(): boolean {
    return this.#leaving !== undefined;
  }

  /** Ends it as soon as the caller's access does. @returns what ends the watching */
  watchAccess(live: LiveSession): () => void {
    return this.host.access.watch(this.caller, live);
  }

  /** The client hung up: what waits for people is withdrawn. */
  clientLeft(): void {
    this.#left = true;
    this.#decider?.withdraw('the requester hung up');
    this.#present();
  }

  #present(): void {
    const proceed = this.#whenPresent;
    this.#whenPresent = undefined;
    proceed?.();
  }

  /** It was refused by something else than the decision. */
  refused(): void {
    this.#blocked += 1;
  }

  /** For what follows the decision; a failure is logged, since nothing waits for it. */
  record(event: RecordedEvent): void {
    try {
      this.#recorder?.record(event);
    } catch (error) {
      this.log(`result not recorded: ${messageOf(error)}`);
    }
  }

  /** It ended by an error: the log says so where it is ours, the record where there is one. */
  failed(error: unknown, { status, code, message }: HttpRefusal): void {
    this.endReason = 'fault';
    if (code === 'hoop_failed') this.log(`request ended by an internal error: ${messageOf(error)}`);
    this.record({ type: 'result', statement: 1, status, error: { code, message } });
  }

  async seal(): Promise<void> {
    const { endReason: reason } = this;
    // Refused before it was one.
    if (this.#recorder === undefined) return;
    try {
      await this.#recorder.seal({ type: 'session.end', reason, statements: this.#statements, blocked: this.#blocked });
    } catch (error) {
      this.log(`session not sealed: ${messageOf(error)}`);
    }
    if (this.#recorder !== undefined) this.tell({ event: 'session.closed' });
  }

  /** The stored secrets that it uses. */
  get secrets(): readonly string[] {
    return secretsUsed(this.caller).secrets ?? [];
  }

  /** News for the person at the other end of the tunnel. */
  tell(event: Readonly<Record<string, unknown>>): void {
    this.caller.tell({ session: this.id, connection: this.caller.connection.name, ...event });
  }

  log(message: string): void {
    this.host.log(message, { session: this.id });
  }

  #counted(decision: Decision): Decision {
    if (decision.action !== 'allow') this.#blocked += 1;
    return decision;
  }
}
