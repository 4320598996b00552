import type { ChainedEvent } from '../../core/events.js';
import { text } from './event-fields.js';

/** Events of OpenAI's streams that say again, or in pieces, what the answer says whole. What failed is none. */
const PIECE =
  /"type"\s*:\s*"response\.(?:created|queued|in_progress|completed|done|[a-z_.]+\.(?:delta|added|done|in_progress|completed|searching|generating|interpreting))"/;
const FAILED = /"status"\s*:\s*"(?:failed|incomplete|cancelled)"/;
const DELTA = /"delta"\s*:\s*("(?:[^"\\]|\\.)*")/;
/** Characters looked at for what a message is, and kept of an answer that never came whole. */
const HEAD_CHARS = 300;
const MAX_SAID_CHARS = 16_384;

/**
 * Messages of a WebSocket that bring a model's answer in pieces. Hundreds of them stand before the answer itself, which is
 * recorded whole once it is over: so they are told in one line.
 */
export class AnswerPieces {
  #messages = 0;
  /** What answers that are not over said so far, by statement. */
  readonly #said = new Map<unknown, string>();

  /** @returns is it one? Then it is told later */
  take(event: ChainedEvent): boolean {
    const body = text(event['body']);
    if (event['from'] !== 'upstream' || !PIECE.test(body.slice(0, HEAD_CHARS)) || FAILED.test(body)) return false;
    this.#messages += 1;
    const delta = DELTA.exec(body)?.[1];
    const before = this.#said.get(event['statement']) ?? '';
    if (delta !== undefined && before.length < MAX_SAID_CHARS)
      this.#said.set(event['statement'], before + (JSON.parse(delta) as string));
    return true;
  }

  /** How many came since this was asked last; empty for none. */
  taken(): string {
    const messages = this.#messages;
    this.#messages = 0;
    return messages === 0
      ? ''
      : `upstream: ${String(messages)} ${messages === 1 ? 'message' : 'messages'} of an answer`;
  }

  /** The answer was recorded whole. */
  whole(event: ChainedEvent): void {
    this.#said.delete(event['statement']);
  }

  /** What answers said that were never over, with their statements. */
  rest(): readonly (readonly [statement: unknown, said: string])[] {
    const rest = [...this.#said].filter(([, said]) => said !== '');
    this.#said.clear();
    return rest;
  }
}
