import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoopError, messageOf } from '../../../core/errors.js';
import type { RecordedEvent, SessionStart } from '../../../core/events.js';
import type { Context } from '../../../policy/types.js';
import type { Decision } from '../../../protocols/contract.js';
import { readBody } from '../../../protocols/http/body.js';
import type { Dialect, HttpRequest, RequestReading } from '../../../protocols/http/dialect.js';
import { Decider } from '../../drive/decider.js';
import { openHold } from '../../open-hold.js';
import {
  credentialName,
  type HttpCaller,
  type LiveSession,
  type SessionHost,
  type SessionRecorder,
} from '../../session-host.js';
import type { UsageLimits } from '../../usage/usage-limits.js';
import { AnswerPipe } from './answer-pipe.js';
import { ClientAnswer } from './client-answer.js';
import type { ConnectionRules, RulesBook } from './connection-rules.js';
import type { CredentialBook } from './credential-book.js';
import { countUsage } from './counted-usage.js';
import { answerEvents, usedIn } from './exchange-events.js';
import { judgeRequest, unreadOf } from './exchange-judge.js';
import { readIntake } from './intake.js';
import { refusalOf, refusalOfDecision, refusalOfLimit, UpstreamFault } from './refusals.js';
import { RequestQuestion, targetOf } from './request-question.js';
import type { Upstreams } from './upstream.js';
import { upstreamBody, type UpstreamBody } from './upstream-body.js';

const TICKET = 1;

/** What every exchange needs of the front. */
export interface ExchangeParts {
  readonly host: SessionHost;
  readonly rules: RulesBook;
  readonly credentials: CredentialBook;
  readonly upstreams: Upstreams;
  readonly usage: UsageLimits;
}

/** One request that was let in, its head checked. */
export interface ExchangeInput {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: HttpCaller;
  readonly request: HttpRequest;
  readonly dialect: Dialect;
  /** The path that stands for the upstream on this side: empty, or `/c/NAME`. */
  readonly localBase: string;
}

/** What was judged and allowed. */
interface Allowed {
  readonly rules: ConnectionRules;
  readonly reading: RequestReading;
  readonly sent: UpstreamBody;
}

/** One request from its head to its sealed recording; the README has its states. */
export class Exchange implements LiveSession {
  readonly idle = false;
  readonly #id: string;
  readonly #context: Context;
  readonly #out: ClientAnswer;
  #recorder: SessionRecorder | undefined;
  #decider: Decider | undefined;
  #stop: (() => void) | undefined;
  #refused = false;
  #asked = false;
  #endReason = 'client';
  /** The client hung up. */
  #left = false;

  constructor(
    private readonly parts: ExchangeParts,
    private readonly input: ExchangeInput,
  ) {
    const { host } = parts;
    const { caller, response, incoming, dialect } = input;
    this.#id = host.newId();
    const { name, type, labels } = caller.connection;
    this.#context = {
      user: caller.identity,
      connection: { name, type, labels },
      session: { id: this.#id, correlationId: caller.correlationId, startedAt: host.clock.timestamp() },
    };
    this.#out = new ClientAnswer(response, incoming, dialect, this.#id);
    response.once('close', () => {
      if (!response.writableFinished) this.#clientGone();
    });
  }

  /** Carries it out, whatever comes; resolves when it is over and sealed. */
  async run(): Promise<void> {
    const { host } = this.parts;
    let release: (() => void) | undefined;
    try {
      release = host.slots.take(host.limits().sessions);
      host.drives.add(this);
      await this.#run();
    } catch (error) {
      this.#failed(error);
    } finally {
      host.drives.delete(this);
      release?.();
      await this.#seal();
    }
  }

  /** Ends it from the agent's side. */
  terminate(reason: string, _code: string, message: string): void {
    this.#endReason = reason;
    this.#out.refuse({ status: 503, code: 'hoop_unreachable', message: `hoop: ${message}` });
    this.#clientGone();
  }

  async #run(): Promise<void> {
    const { host } = this.parts;
    const { request, incoming, dialect } = this.input;
    const rules = this.parts.rules.rulesFor(this.#context);
    // A model's name and its tokens are recorded, so a model request is read where it can be.
    const needed = rules.readsBody;
    const intake = await readIntake(incoming, {
      needed,
      wanted: dialect.provider !== '',
      limitBytes: host.limits().bodyBytes,
    });
    const body = intake.whole ? readBody(intake.bytes, request.contentType) : undefined;
    const reading = dialect.read(request, body);
    if (needed && reading.ambiguous) throw new HoopError('usage', 'a name stands twice in one object of the body');
    this.#recorder = host.openRecording(this.#start());
    const question = new RequestQuestion({ request, intake, reading, rules });
    const unread = unreadOf(rules, this.input.caller.connection, body, reading);
    const decision = await this.#decide(question, rules, reading, unread);
    if (decision.action === 'allow') {
      if (!this.#left) await this.#forward({ rules, reading, sent: upstreamBody(request, intake, body, rules) });
      return;
    }
    this.#refused = true;
    if (decision.action !== 'hold') this.#out.refuse(refusalOfDecision(decision));
  }

  #decide(
    question: RequestQuestion,
    rules: ConnectionRules,
    reading: RequestReading,
    unread: string,
  ): Promise<Decision> {
    const { host } = this.parts;
    const { caller } = this.input;
    this.#asked = true;
    return new Promise((resolve) => {
      this.#decider = new Decider(
        {
          judge: () => judgeRequest(host, rules, this.#context, question, unread),
          hold: (_question, verdict) => openHold({ host, caller, session: this.#id, place: '' }, question, verdict),
          record: (event) => this.#recorder?.record(event),
          flush: () => this.#recorder?.flush(),
          tell: (event) => {
            caller.tell({ ...event, session: this.#id, connection: caller.connection.name });
          },
          log: (message) => {
            host.log(message, { session: this.#id });
          },
        },
        {
          answer: (_ticket, decision) => {
            if (decision.action !== 'hold') resolve(decision);
            else if (reading.stream) this.#out.wait();
          },
          closed: () => false,
          clientLeft: () => {
            if (this.#left) resolve({ action: 'cancelled' });
            return this.#left;
          },
        },
      );
      this.#decider.ask(TICKET, question);
    });
  }

  async #forward(allowed: Allowed): Promise<void> {
    const { host, credentials, upstreams, usage } = this.parts;
    const { caller, request, dialect, localBase } = this.input;
    const { rules, reading, sent } = allowed;
    const { headers, redactor } = await credentials.of(caller.credential);
    const counted = countUsage(usage, rules, this.#context, caller.connection, reading);
    if (counted.event !== undefined) this.#record(counted.event);
    if (counted.refused !== undefined) {
      this.#refused = true;
      this.#out.refuse(...refusalOfLimit(counted.refused));
      return;
    }
    const startedMs = host.monotonicMs();
    let fault: Error | undefined;
    let abort: (() => void) | undefined;
    const pipe: AnswerPipe = await new Promise((resolve) => {
      const running = new AnswerPipe({
        request,
        reading,
        dialect,
        rules,
        uninspected: caller.connection.uninspected,
        redactor,
        originals: sent.originals,
        place: { upstream: caller.connection.url, base: localBase },
        maxEventBytes: host.limits().bodyBytes,
        out: this.#out,
        nowMs: () => host.monotonicMs(),
        done: (error) => {
          fault = error;
          // A fault of ours ends the upstream's sending too.
          if (error !== undefined) abort?.();
          resolve(running);
        },
      });
      if (this.#left) {
        resolve(running);
        return;
      }
      abort = upstreams.send(
        caller.connection,
        { method: request.method, target: targetOf(request), headers: [...sent.headers, ...headers], body: sent.body },
        running,
      );
      this.#stop = () => {
        running.stop();
        abort?.();
        resolve(running);
      };
    });
    if (fault !== undefined) this.#upstreamFailed(fault);
    const [output, result] = answerEvents(pipe, {
      startedMs,
      endedMs: host.monotonicMs(),
      status: this.#out.status,
      requestCounts: sent.counts,
      costUsd: counted.settle(usedIn(pipe)),
      left: this.#left,
      fault,
    });
    if (output !== undefined) this.#record(output);
    this.#record(result);
  }

  #upstreamFailed(fault: Error): void {
    this.#endReason = 'upstream';
    const told = fault instanceof UpstreamFault ? fault : new HoopError('upstream_unreachable', unreachable(fault));
    this.#out.refuse(refusalOf(told));
  }

  #failed(error: unknown): void {
    if (!(error instanceof HoopError))
      this.parts.host.log(`request ended by an internal error: ${messageOf(error)}`, { session: this.#id });
    const refusal = refusalOf(error);
    this.#out.refuse(refusal);
    const { status, code, message } = refusal;
    if (this.#asked) this.#record({ type: 'result', statement: 1, status, error: { code, message } });
  }

  #clientGone(): void {
    if (this.#left) return;
    this.#left = true;
    this.#decider?.withdraw('the requester hung up');
    this.#stop?.();
  }

  #record(event: RecordedEvent): void {
    try {
      this.#recorder?.record(event);
    } catch (error) {
      this.parts.host.log(`result not recorded: ${messageOf(error)}`, { session: this.#id });
    }
  }

  async #seal(): Promise<void> {
    const blocked = this.#refused ? 1 : 0;
    try {
      await this.#recorder?.seal({ type: 'session.end', reason: this.#endReason, statements: 1, blocked });
    } catch (error) {
      this.parts.host.log(`session not sealed: ${messageOf(error)}`, { session: this.#id });
    }
  }

  #start(): SessionStart {
    const { caller, incoming } = this.input;
    const { subject, email, groups, issuer, machine, attributes } = caller.identity;
    const application = incoming.headers['user-agent']?.slice(0, 200);
    return {
      type: 'session.start',
      session: this.#id,
      user: { subject, email, groups, issuer, machine, attributes },
      connection: this.#context.connection,
      credential: credentialName(caller),
      client: { ...(application === undefined ? {} : { application }), address: caller.address },
      ...(caller.correlationId === '' ? {} : { correlationId: caller.correlationId }),
    };
  }
}

/** What a network error says, without the address: that is the operator's. */
function unreachable(fault: Error): string {
  const code = (fault as NodeJS.ErrnoException).code ?? '';
  const why = WHY.get(code);
  return why === undefined ? 'the upstream failed' : `the upstream ${why}`;
}

const WHY: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refuses connections'],
  ['ENOTFOUND', 'has no such host name'],
  ['ECONNRESET', 'cut the connection'],
  ['UND_ERR_SOCKET', 'cut the connection'],
  ['UND_ERR_CONNECT_TIMEOUT', 'can not be reached in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'did not answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'stopped in the middle of its answer'],
]);
