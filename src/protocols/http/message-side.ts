import type { ModelUsage } from '../../core/events.js';
import type { HttpRefusal, HttpRequest, ReadBody, RequestReading } from './dialect.js';

/** What a dialect makes of one message that a client sends on an upgraded stream. */
export interface MessageReading extends RequestReading {
  /** It only steers the stream, or brings what can't be read: nothing in it is text for a model. */
  readonly quiet: boolean;
  /** It asks a model for an answer: limits count it. */
  readonly asks: boolean;
  /** What its sender calls it, so that a refusal can say which one is meant; empty where it has no name. */
  readonly id: string;
}

/** The way of an answer that a model gives on a stream, as the upstream tells it. */
export interface AnswerNews {
  readonly kind: 'begun' | 'over' | 'refused';
  /** Of the answer; of what was refused, the name that its sender gave it. Empty where it has none. */
  readonly id: string;
  /** Of one that is over, where it says. */
  readonly usage: ModelUsage | undefined;
  /** Names of the tools that it calls. */
  readonly toolCalls: readonly string[];
  /** Of one that is over, what it says, one of each item, where the message holds it. */
  readonly texts: readonly string[];
}

/** A refusal on a stream, and where on it. */
export interface MessageRefusal extends HttpRefusal {
  /** Of our event: no other on the stream has it. */
  readonly eventId: string;
  /** Of the message that is refused. */
  readonly refused: string;
}

/** How the messages of an upgraded stream are read, of one kind of stream: each is a request of its own. */
export interface MessageSide {
  /**
   * @param upgrade what opened the stream: where it goes, and in whose name, is the same for all messages
   * @param model that the stream was opened for, or that messages before named; several are joined by `,`
   */
  read(upgrade: HttpRequest, model: string, body: ReadBody): MessageReading;
  /** The message to the client in the place of an answer. */
  refusal(refusal: MessageRefusal): string;
  /** What a message of the upstream tells of an answer; undefined where that is nothing. */
  news(message: string): AnswerNews | undefined;
  /** The message to the upstream that ends an answer; undefined where there is none. */
  cancel(answer: string): string | undefined;
}
