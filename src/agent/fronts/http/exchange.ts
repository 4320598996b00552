import { recordBounds } from '../../sessions/record-bounds.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoopError } from '../../../core/errors.js';
import { readBody } from '../../../protocols/http/bodies/read-body.js';
import type { Dialect, HttpRequest, RequestReading } from '../../../protocols/http/dialect.js';
import type { HttpCaller, LiveSession, SessionHost } from '../../sessions/session-host.js';
import type { UsageLimits } from '../../usage/usage-limits.js';
import { AnswerPipe } from './answers/answer-pipe.js';
import { ClientAnswer } from './client-answer.js';
import type { ConnectionRules, RulesBook } from './connection-rules.js';
import { countedRequest, countUsage, type CountedUsage } from './counted-usage.js';
import type { CredentialBook } from './credential-book.js';
import { answerEvents, usedIn } from './exchange-events.js';
import { objectionTo } from './exchange-judge.js';
import { runExchange, type Refuse } from './exchange-run.js';
import { ExchangeSession } from './exchange-session.js';
import { readIntake } from './intake.js';
import { refusalOf, refusalOfDecision, refusalOfEnd, refusalOfLimit, upstreamError } from './refusals.js';
import { RequestQuestion } from './request-question.js';
import type { Turn } from './request-turns.js';
import type { Upstreams } from './upstream.js';
import { upstreamBody, type UpstreamBody } from './upstream-body.js';

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
  /** Monotonic milliseconds at which it came. */
  readonly arrivedMs: number;
  /** Among those of its connection. */
  readonly turn: Turn;
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
  readonly #session: ExchangeSession;
  readonly #out: ClientAnswer;
  /** Ends the upstream's part. */
  #stop: (() => void) | undefined;

  constructor(
    private readonly parts: ExchangeParts,
    private readonly input: ExchangeInput,
  ) {
    const { caller, response, incoming, dialect } = input;
    this.#session = new ExchangeSession(parts.host, caller, input.arrivedMs);
    this.#out = new ClientAnswer(response, incoming, dialect, this.#session.id);
    response.once('close', () => {
      if (!response.writableFinished) this.#clientGone();
    });
  }

  /** Carries it out, whatever comes; resolves when it is over and sealed. */
  run(): Promise<void> {
    const refuse: Refuse = (refusal, headers) => {
      this.#out.refuse(refusal, headers);
    };
    return runExchange(this.parts.host, this, this.#session, refuse, {
      work: () => this.#run(),
      // What is left of a body that nobody read would stand before the connection's next request.
      after: () => {
        this.input.incoming.resume();
      },
    });
  }

  /** Ends it from the agent's side. */
  terminate(reason: string, _code: string, message: string): void {
    this.#session.endReason = reason;
    this.#out.refuse(refusalOfEnd(reason, message));
    this.#clientGone();
  }

  async #run(): Promise<void> {
    const { host } = this.parts;
    const { request, incoming, dialect, caller, turn } = this.input;
    const session = this.#session;
    const come = turn.come();
    if (come !== true && !(await come)) return;
    const rules = this.parts.rules.rulesFor(session.context);
    // A model's name and its tokens are recorded, so a model request is read where it can be.
    const intake = await readIntake(incoming, {
      needed: rules.needsBody,
      wanted: rules.readsBody || dialect.provider !== '',
      limitBytes: host.limits().bodyBytes,
    });
    const body = intake.whole ? readBody(intake.bytes, incoming.headers['content-type'] ?? '') : undefined;
    const reading = dialect.read(request, body);
    this.#out.reading = reading;
    if (rules.needsBody && reading.ambiguous)
      throw new HoopError('usage', 'a name stands twice in one object of the body');
    session.open(incoming);
    const question = new RequestQuestion({ request, intake, reading, rules, hash: host.hash });
    const decision = await session.decide(
      question,
      rules,
      objectionTo(rules, caller.connection, request, body, reading),
      () => {
        if (reading.stream) this.#out.wait();
      },
    );
    if (decision.action === 'allow') {
      this.#out.warnings = decision.notices;
      if (!session.left)
        await this.#forward({ rules, reading, sent: upstreamBody(request, intake, body, reading, rules, host.hash) });
    } else if (decision.action !== 'hold') this.#out.refuse(refusalOfDecision(decision));
  }

  async #forward(allowed: Allowed): Promise<void> {
    const { host, usage } = this.parts;
    const session = this.#session;
    const { rules, reading, sent } = allowed;
    const request = countedRequest(reading);
    const counted = countUsage(usage, rules, session.context, this.input.caller.connection, request);
    if (counted.event !== undefined) session.record(counted.event);
    if (counted.refused !== undefined) {
      session.refused();
      this.#out.refuse(...refusalOfLimit(counted.refused));
      return;
    }
    const startedMs = host.monotonicMs();
    let settled: CountedUsage | undefined = counted;
    try {
      const { pipe, fault: failed } = await this.#carry(allowed);
      const fault = failed === undefined ? undefined : upstreamError(failed);
      if (fault !== undefined) {
        this.#session.endReason = 'upstream';
        this.#out.refuse(refusalOf(fault));
      }
      const costUsd = counted.settle(usedIn(pipe, { left: session.left, fault }));
      settled = undefined;
      const [output, result] = answerEvents(pipe, {
        startedMs,
        endedMs: host.monotonicMs(),
        status: this.#out.status,
        requestCounts: sent.counts,
        costUsd,
        left: session.left,
        fault,
      });
      if (output !== undefined) session.record(output);
      session.record(result);
    } finally {
      settled?.settle({ usage: undefined, writtenTokens: 0 });
    }
  }

  /** Sends the request up and brings the answer down. */
  async #carry({ rules, reading, sent }: Allowed): Promise<{ pipe: AnswerPipe; fault: Error | undefined }> {
    const { host, credentials, upstreams } = this.parts;
    const { caller, request, dialect, localBase } = this.input;
    const { headers, redactor } = await credentials.of(caller.credential);
    return new Promise((resolve) => {
      const upstream: { abort?: () => void } = {};
      const pipe = new AnswerPipe({
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
        hash: host.hash,
        bounds: recordBounds(caller.connection),
        trace: this.#session.trace,
        nowMs: () => host.monotonicMs(),
        done: (fault) => {
          // A fault of ours ends the upstream's sending too.
          if (fault !== undefined) upstream.abort?.();
          resolve({ pipe, fault });
        },
      });
      // V8 puts a function that is written down right where a property gets it into the old generation, and collects the
      // whole exchange, which the function holds, with that generation only.
      const stop = (): void => {
        pipe.stop();
        upstream.abort?.();
        resolve({ pipe, fault: undefined });
      };
      this.#stop = stop;
      if (this.#session.left) {
        stop();
        return;
      }
      const all = [...sent.headers, ...headers];
      const traced = this.#session.trace?.headers(all) ?? all;
      const going = { method: request.method, target: sent.target, headers: traced, body: sent.body };
      upstream.abort = upstreams.send(caller.connection, going, pipe);
    });
  }

  #clientGone(): void {
    if (this.#session.left) return;
    this.#session.clientLeft();
    this.#stop?.();
  }
}
