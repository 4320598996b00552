import type { ResultEvent } from '../../../../core/events.js';
import type { HttpConnection } from '../../../../core/resources.js';
import type { Context } from '../../../../policy/types.js';
import type { AnswerNews, MessageReading } from '../../../../protocols/http/message-side.js';
import type { LimitRefusal, UsageLimits } from '../../../usage/usage-limits.js';
import type { ConnectionRules } from '../connection-rules.js';
import { countedRequest, countUsage, type CountedUsage } from '../counted-usage.js';

/** Answers of one stream that are remembered at a time; more are counted as they were reserved. */
const MAX_OPEN = 256;
const CHARACTERS_PER_TOKEN = 4;

interface Answer {
  readonly counted: CountedUsage;
  readonly statement: number;
  /** What the client calls the message that asked for it. */
  readonly asked: string;
  readonly startedMs: number;
}

export interface AnswersOptions {
  readonly usage: UsageLimits;
  readonly context: Context;
  readonly connection: Pick<HttpConnection, 'prices'>;
  nowMs(): number;
}

/** Counts the answers that models give on one stream: reserved when they are asked for, settled by what the upstream tells. */
export class StreamAnswers {
  /** Asked for, and not yet begun. */
  #asked: Answer[] = [];
  readonly #begun = new Map<string, Answer>();
  /** What an answer takes at least, since all that was said before goes to the model again. */
  #saidCharacters = 0;

  constructor(private readonly options: AnswersOptions) {}

  /** This goes to the model with the next answer. */
  said({ facts }: MessageReading): void {
    const prompt = facts.llm?.['prompt'];
    if (typeof prompt === 'string') this.#saidCharacters += prompt.length;
  }

  /** Reserves what an answer will take. Where it is refused, it must not be asked for. */
  ask(rules: ConnectionRules, reading: MessageReading, statement: number): CountedUsage {
    const own = countedRequest(reading, statement);
    const counted = this.#count(rules, { ...own, promptCharacters: own.promptCharacters + this.#saidCharacters });
    if (counted.refused === undefined && this.#asked.length < MAX_OPEN)
      this.#asked.push({ counted, statement, asked: reading.id, startedMs: this.options.nowMs() });
    return counted;
  }

  /**
   * One that the upstream began by itself, as it does when it hears that someone has stopped talking.
   *
   * @returns why it must not go on
   */
  begun(news: AnswerNews, rules: ConnectionRules, model: string, statement: () => number): LimitRefusal | undefined {
    const [asked] = this.#asked;
    if (asked !== undefined) {
      this.#asked.shift();
      this.#remember(news.id, asked);
      return undefined;
    }
    const request = { model, promptCharacters: this.#saidCharacters, mostTokens: 0, statement: statement() };
    const counted = this.#count(rules, request);
    if (counted.refused === undefined)
      this.#remember(news.id, { counted, statement: request.statement, asked: '', startedMs: this.options.nowMs() });
    return counted.refused;
  }

  /** @returns what the record says of it; undefined of one that nobody began */
  over({ id, usage, toolCalls }: AnswerNews): ResultEvent | undefined {
    const answer = this.#begun.get(id);
    if (answer === undefined) return undefined;
    this.#begun.delete(id);
    const costUsd = answer.counted.settle({ usage, writtenTokens: 0 });
    if (usage !== undefined) this.#saidCharacters = CHARACTERS_PER_TOKEN * (usage.inputTokens + usage.outputTokens);
    return {
      type: 'result',
      statement: answer.statement,
      durationMs: Math.round((this.options.nowMs() - answer.startedMs) * 10) / 10,
      ...(usage === undefined ? {} : { usage }),
      ...(costUsd === undefined ? {} : { costUsd }),
      ...(toolCalls.length === 0 ? {} : { toolCalls }),
    };
  }

  /** The upstream would not take the message of this name. */
  refused({ id }: AnswerNews): void {
    const at = id === '' ? -1 : this.#asked.findIndex(({ asked }) => asked === id);
    const [answer] = at < 0 ? [] : this.#asked.splice(at, 1);
    answer?.counted.settle({ usage: { inputTokens: 0, outputTokens: 0 }, writtenTokens: 0 });
  }

  /** The stream is over: of what was not told, what was reserved counts. */
  end(): void {
    for (const { counted } of [...this.#asked, ...this.#begun.values()])
      counted.settle({ usage: undefined, writtenTokens: 0 });
    this.#asked = [];
    this.#begun.clear();
  }

  #count(rules: ConnectionRules, request: Parameters<typeof countUsage>[4]): CountedUsage {
    const { usage, context, connection } = this.options;
    return countUsage(usage, rules, context, connection, request);
  }

  #remember(id: string, answer: Answer): void {
    if (this.#begun.size < MAX_OPEN) this.#begun.set(id, answer);
  }
}
