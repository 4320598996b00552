import { readBody } from '../../../../protocols/http/bodies/read-body.js';
import type { BodyEvent } from '../../../../core/events.js';
import type { HttpConnection } from '../../../../core/resources.js';
import type { HttpRefusal, HttpRequest } from '../../../../protocols/http/dialect.js';
import type { MessageReading, MessageSide } from '../../../../protocols/http/message-side.js';
import type { SessionHost } from '../../../sessions/session-host.js';
import type { UsageLimits } from '../../../usage/usage-limits.js';
import type { ConnectionRules } from '../connection-rules.js';
import { objectionToMessage, type Objection } from '../exchange-judge.js';
import type { ExchangeSession } from '../exchange-session.js';
import { refusalOfDecision, refusalOfLimit } from '../refusals.js';
import { RequestQuestion } from '../request-question.js';
import { StreamAnswers } from './upgrade-answers.js';

export interface MessageJudgeOptions {
  readonly host: SessionHost;
  readonly session: ExchangeSession;
  readonly usage: UsageLimits;
  readonly connection: HttpConnection;
  readonly side: MessageSide;
  /** What opened the stream. */
  readonly request: HttpRequest;
  /** That it was opened for; empty where it does not say. */
  readonly model: string;
  /** As they are now. */
  rules(): ConnectionRules;
}

/** What becomes of a client's message. */
export type Judged =
  | { readonly goes: true; readonly reading: MessageReading | undefined; readonly recorded: boolean }
  /** Messages that tell the client so; none where it withdrew it. */
  | { readonly goes: false; readonly back: readonly Buffer[] };

/** What a message of the upstream led to. */
export interface Heard {
  /** It ends an answer. */
  readonly over: boolean;
  /** Messages that go back to it. */
  readonly upstream: readonly Buffer[];
  /** Messages that go to the client behind it. */
  readonly client: readonly Buffer[];
}

/** Decides each message of a client on a stream whose messages are known, as a request of its own. */
export class MessageJudge {
  readonly #answers: StreamAnswers;
  #model: string;
  #refusals = 0;
  #withdrawn = false;
  /** Number of the message that was asked about last. */
  #statement = 1;

  constructor(private readonly options: MessageJudgeOptions) {
    const { usage, session, connection, host } = options;
    this.#model = options.model;
    const { context } = session;
    this.#answers = new StreamAnswers({ usage, context, connection, nowMs: () => host.monotonicMs() });
  }

  /** As the record numbers it: the request that what comes now belongs to. */
  get statement(): number {
    return this.#statement;
  }

  /** Recorded and decided before it resolves. */
  async judge(data: Buffer, binary: boolean): Promise<Judged> {
    const { side, request, session, host, connection } = this.options;
    // What comes behind a message that was withdrawn rests on it.
    if (this.#withdrawn) return DROPPED;
    const rules = this.options.rules();
    const reading = side.read(request, this.#model, readBody(data, JSON_TYPE));
    const objection = objectionToMessage(rules, connection, reading, binary);
    if ((binary || reading.quiet) && this.#passesUnasked(reading, rules, objection))
      return { goes: true, reading: binary ? undefined : reading, recorded: false };
    const statement = (this.#statement = session.nextStatement());
    const message = { ...request, contentType: binary ? 'application/octet-stream' : JSON_TYPE };
    const intake = { bytes: data, whole: true, decoded: false, stream: () => data };
    const question = new RequestQuestion({ request: message, intake, reading, rules, hash: host.hash, statement });
    const decision = await session.decide(question, rules, objection, () => undefined);
    this.#withdrawn = decision.action === 'cancelled' && session.leaving;
    if (this.#withdrawn || decision.action === 'hold') return DROPPED;
    if (decision.action !== 'allow') return this.#refused(refusalOfDecision(decision), reading);
    return this.#counted(reading, rules, statement) ?? { goes: true, reading, recorded: true };
  }

  /** Takes along what the upstream tells of answers. */
  hears(message: string): Heard {
    const { side, session } = this.options;
    const news = side.news(message);
    if (news?.kind === 'refused') this.#answers.refused(news);
    if (news?.kind === 'over') {
      const result = this.#answers.over(news);
      if (result !== undefined) session.record(result);
    }
    if (news?.kind !== 'begun') return news?.kind === 'over' ? OVER : NOTHING;
    const limit = this.#answers.begun(news, this.options.rules(), this.#model, () => session.nextStatement());
    const cancel = limit === undefined ? undefined : side.cancel(news.id);
    if (limit === undefined || cancel === undefined) return NOTHING;
    session.refused();
    return { over: false, upstream: [Buffer.from(cancel)], client: this.#told(refusalOfLimit(limit)[0], '') };
  }

  /**
   * What an answer said, for the record.
   *
   * @param message masked as it is recorded
   */
  said(message: string): BodyEvent | undefined {
    const news = this.options.side.news(message);
    if (news?.kind !== 'over' || news.texts.length === 0) return undefined;
    const text = news.texts.slice(0, MAX_TEXTS).map((one) => one.slice(0, MAX_TEXT_CHARACTERS));
    return { type: 'output', statement: this.#statement, body: '', bodyBytes: Buffer.byteLength(message), text };
  }

  /** Nothing more comes. */
  end(): void {
    this.#answers.end();
  }

  /** What says nothing, as thousands of pieces of audio do, is recorded as a message alone where no rule meets it. */
  #passesUnasked(reading: MessageReading, rules: ConnectionRules, objection: Objection | undefined): boolean {
    const { session } = this.options;
    const verdict = session.judged({ facts: reading.facts, phase: 'run', statement: 0 }, rules, objection);
    return verdict.action === 'allow' && verdict.matches.every(({ action }) => action === 'allow');
  }

  /** The last thing before it goes up. */
  #counted(reading: MessageReading, rules: ConnectionRules, statement: number): Judged | undefined {
    const { session } = this.options;
    this.#model = reading.model;
    if (reading.asks) {
      const { refused, event } = this.#answers.ask(rules, reading, statement);
      if (event !== undefined) session.record(event);
      if (refused !== undefined) {
        session.refused();
        return this.#refused(refusalOfLimit(refused)[0], reading);
      }
    }
    this.#answers.said(reading);
    return undefined;
  }

  #refused(refusal: HttpRefusal, reading: MessageReading): Judged {
    return { goes: false, back: this.#told(refusal, reading.id) };
  }

  #told(refusal: HttpRefusal, refused: string): readonly Buffer[] {
    this.#refusals += 1;
    const eventId = `event_${this.options.session.id.replaceAll('-', '')}_${String(this.#refusals)}`;
    return [Buffer.from(this.options.side.refusal({ ...refusal, eventId, refused }))];
  }
}

/** What the record keeps of one answer. */
const MAX_TEXTS = 64;
const MAX_TEXT_CHARACTERS = 16 * 1024;
const JSON_TYPE = 'application/json';
const DROPPED: Judged = { goes: false, back: [] };
const NOTHING: Heard = { over: false, upstream: [], client: [] };
const OVER: Heard = { ...NOTHING, over: true };
