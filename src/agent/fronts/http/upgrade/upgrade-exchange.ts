import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ResultEvent } from '../../../../core/events.js';
import { messageOf } from '../../../../core/errors.js';
import { blocksUninspected } from '../../../../policy/applies.js';
import { limitsRefuseUnread } from '../../../../policy/limits.js';
import { messagesOf } from '../../../../protocols/registry.js';
import type { Redactor } from '../../../../protocols/http/credentials/credential-redaction.js';
import type { Dialect, Header, HttpRefusal, HttpRequest, RequestReading } from '../../../../protocols/http/dialect.js';
import type { HttpCaller, LiveSession } from '../../../sessions/session-host.js';
import type { ConnectionRules } from '../connection-rules.js';
import { countedRequest, countUsage } from '../counted-usage.js';
import type { ExchangeParts } from '../exchange.js';
import { runExchange, type Refuse } from '../exchange-run.js';
import { ExchangeSession } from '../exchange-session.js';
import { issuesKeys, unreadable } from '../exchange-judge.js';
import { NO_BODY } from '../intake.js';
import {
  refusalOf,
  refusalOfDecision,
  refusalOfEnd,
  refusalOfLimit,
  UpstreamFault,
  upstreamError,
} from '../refusals.js';
import { RequestQuestion, targetOf } from '../request-question.js';
import { UpgradeAnswer } from './upgrade-answer.js';
import { EarlyBytes } from './upgrade-early.js';
import { dialUpgrade } from './upgrade-dial.js';
import { plainHeaders, switchHeaders } from './upgrade-handshake.js';
import { MessageMasks } from './upgrade-messages.js';
import { UpgradeRecord } from './upgrade-record.js';
import { StreamTraffic } from './upgrade-traffic.js';
import { MessageJudge } from './upgrade-judge.js';
import { RELAY_TIMES, WebSocketRelay, type RelayEnd } from './upgrade-relay.js';

/** One upgrade that was let in, its head checked. */
export interface UpgradeInput {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent behind its request. */
  readonly head: Buffer;
  readonly caller: HttpCaller;
  /** Its headers are the handshake's for the upstream. */
  readonly request: HttpRequest;
  readonly dialect: Dialect;
  /** The path that stands for the upstream on this side: empty, or `/c/NAME`. */
  readonly localBase: string;
  /** Monotonic milliseconds at which it came. */
  readonly arrivedMs: number;
}

/** What the client was given, for the record. */
type Outcome = Omit<ResultEvent, 'type' | 'statement' | 'durationMs'>;

const CLIENT_LEFT = { code: 'client_left', message: 'the client hung up before the upgrade was answered' };
/** The agent ends: RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001;
/** A message must not go on. */
const POLICY_VIOLATION = 1008;

/** One upgraded stream, from its request to its sealed recording: asked as any request, then relayed message by message. */
export class UpgradeExchange implements LiveSession {
  readonly idle = false;
  readonly #session: ExchangeSession;
  readonly #out: UpgradeAnswer;
  readonly #early: EarlyBytes;
  readonly #dialling = new AbortController();
  #relay: WebSocketRelay | undefined;

  constructor(
    private readonly parts: ExchangeParts,
    private readonly input: UpgradeInput,
  ) {
    const { socket, head, caller, dialect } = input;
    this.#session = new ExchangeSession(parts.host, caller, input.arrivedMs);
    this.#out = new UpgradeAnswer(socket, dialect, this.#session.id);
    this.#early = new EarlyBytes(socket, head, () => {
      this.#clientLeft();
      socket.destroy();
    });
  }

  /** Carries it out, whatever comes; resolves when it is over and sealed. */
  run(): Promise<void> {
    const refuse: Refuse = (refusal, headers) => {
      this.#out.refuse(refusal, headers);
    };
    return runExchange(this.parts.host, this, this.#session, refuse, {
      work: () => this.#run(),
      after: () => {
        this.#early.stop();
      },
    });
  }

  /** Ends it from the agent's side. */
  terminate(reason: string, _code: string, message: string): void {
    this.#session.endReason = reason;
    if (this.#relay !== undefined) {
      this.#relay.stop('agent', 1001, message);
      return;
    }
    this.#out.refuse(refusalOfEnd(reason, message));
    this.#clientLeft();
  }

  async #run(): Promise<void> {
    const { caller, request, incoming, dialect } = this.input;
    const session = this.#session;
    const rules = this.parts.rules.rulesFor(session.context);
    const reading = dialect.read(request, undefined);
    session.open(incoming);
    const question = new RequestQuestion({ request, intake: NO_BODY, reading, rules, hash: this.parts.host.hash });
    const side = messagesOf(reading);
    const unread = side !== undefined || caller.connection.uninspected === 'allow' ? '' : this.#unread(rules);
    const objection = issuesKeys(caller.connection, request) ?? unreadable(unread);
    const decision = await session.decide(question, rules, objection, () => undefined);
    if (decision.action === 'allow') {
      if (!session.left) await this.#forward(rules, reading);
    } else if (decision.action !== 'hold') this.#out.refuse(refusalOfDecision(decision));
  }

  /** Why messages can't be looked at as policy asks for; empty where they can, or need not be. */
  #unread(rules: ConnectionRules): string {
    const { context } = this.#session;
    if (blocksUninspected(rules.policy, context))
      return 'a rule reads bodies, and messages of an upgraded stream have none';
    if (limitsRefuseUnread(rules.policy, context)) return 'a limit counts what is not told of an upgraded stream';
    return '';
  }

  async #forward(rules: ConnectionRules, reading: RequestReading): Promise<void> {
    const { host, usage } = this.parts;
    const { connection } = this.input.caller;
    const session = this.#session;
    const counted = countUsage(usage, rules, session.context, connection, countedRequest(reading));
    if (counted.event !== undefined) session.record(counted.event);
    if (counted.refused !== undefined) {
      session.refused();
      this.#out.refuse(...refusalOfLimit(counted.refused));
      return;
    }
    const startedMs = host.monotonicMs();
    let told = true;
    try {
      const outcome = await this.#carry(rules, reading);
      // Of a stream whose messages are known each answer is counted by itself.
      told = outcome.status !== 101 || messagesOf(reading) !== undefined;
      const durationMs = Math.round((host.monotonicMs() - startedMs) * 10) / 10;
      session.record({ type: 'result', statement: 1, durationMs, ...outcome });
    } finally {
      counted.settle({ usage: told ? { inputTokens: 0, outputTokens: 0 } : undefined, writtenTokens: 0 });
    }
  }

  /** Dials the upstream, and relays what comes of it; tells how it went for the record. */
  async #carry(rules: ConnectionRules, reading: RequestReading): Promise<Outcome> {
    const { caller, request, localBase } = this.input;
    const { headers, redactor } = await this.parts.credentials.of(caller.credential);
    const masks = this.#masks(rules, reading, redactor);
    const place = { upstream: caller.connection.url, base: localBase };
    const shown = { redactor, masker: rules.answers, counts: masks.counts, place };
    const given = [...request.headers, ...headers];
    const asked = this.#session.trace?.headers(given) ?? given;
    try {
      const going = { connection: caller.connection, target: targetOf(request), headers: asked };
      const { status, rawHeaders, socket } = await dialUpgrade(going, this.#dialling.signal);
      if (socket === undefined) {
        const message = `the upstream refused the upgrade with status ${String(status)}`;
        if (status < 300) throw new UpstreamFault(message);
        return this.#refuse({ status, code: 'upstream_error', message }, plainHeaders(rawHeaders, shown));
      }
      socket.on('error', () => socket.destroy());
      try {
        this.#out.switchProtocols(switchHeaders(asked, rawHeaders, shown));
      } catch (error) {
        socket.destroy();
        throw error;
      }
      return await this.#relayed(socket, masks, this.#judge(reading));
    } catch (error) {
      if (this.#session.left) return { status: this.#out.status, error: CLIENT_LEFT };
      return this.#refuse(refusalOf(upstreamError(error as Error)));
    }
  }

  #refuse(refusal: HttpRefusal, headers: readonly Header[] = []): Outcome {
    this.#session.endReason = 'upstream';
    this.#out.refuse(refusal, headers);
    return { status: refusal.status, error: { code: refusal.code, message: refusal.message } };
  }

  #masks(rules: ConnectionRules, reading: RequestReading, redactor: Redactor | undefined): MessageMasks {
    const { host } = this.parts;
    const { dialect, caller } = this.input;
    return new MessageMasks({
      dialect,
      reading,
      uninspected: caller.connection.uninspected,
      redactor,
      maxMessageBytes: host.limits().bodyBytes,
      hash: host.hash,
      rules: () => (host.policy() === rules.policy ? rules : this.parts.rules.rulesFor(this.#session.context)),
    });
  }

  /** Undefined where messages are no requests that anybody knows. */
  #judge(reading: RequestReading): MessageJudge | undefined {
    const side = messagesOf(reading);
    if (side === undefined) return undefined;
    const { host, usage } = this.parts;
    const { caller, request } = this.input;
    return new MessageJudge({
      host,
      usage,
      session: this.#session,
      connection: caller.connection,
      side,
      request,
      model: reading.model,
      rules: () => this.parts.rules.rulesFor(this.#session.context),
    });
  }

  /** Resolves when both sides are over. */
  async #relayed(upstream: Duplex, masks: MessageMasks, judge: MessageJudge | undefined): Promise<Outcome> {
    const record = new UpgradeRecord();
    const session = this.#session;
    const traffic = new StreamTraffic({ session, masks, record, judge });
    const end = await new Promise<RelayEnd>((done) => {
      this.#relay = new WebSocketRelay({
        client: this.input.socket,
        upstream,
        early: this.#early.take(),
        maxMessageBytes: this.parts.host.limits().bodyBytes,
        times: RELAY_TIMES,
        message: (from, data, binary) => traffic.message(from, data, binary),
        leaves: (side) => traffic.leaves(side),
        rest: (from) => traffic.rest(from),
        reason: (from, text) => traffic.reason(from, text),
        log: (error) => {
          session.log(`upgraded stream ended by an internal error: ${messageOf(error)}`);
        },
        done,
      });
    });
    judge?.end();
    session.clientLeft();
    if (end.by !== 'agent') session.endReason = end.by;
    return {
      status: 101,
      bytes: record.totals.upstream.bytes,
      ...(masks.counts.size === 0 ? {} : { masked: Object.fromEntries(masks.counts) }),
      ...(masks.notInspected === '' ? {} : { notInspected: masks.notInspected }),
      closed: { code: end.code, by: end.by },
      messages: record.totals,
      ...(end.by === 'agent' && end.code !== GOING_AWAY ? { error: ourError(end) } : {}),
    };
  }

  #clientLeft(): void {
    if (this.#session.left) return;
    this.#session.clientLeft();
    this.#dialling.abort();
  }
}

/** Why we ended a stream that nobody else did. */
function ourError({ code, reason }: RelayEnd): { readonly code: string; readonly message: string } {
  return { code: code === POLICY_VIOLATION ? 'hoop_blocked' : 'hoop_failed', message: reason };
}
