import type { ExpectedReplies } from '../results/expected-replies.js';
import { CLIENT, typeSet } from '../wire/frames.js';

/** What a client may say while the server reads the rows of a COPY; Flush and Sync the server ignores then. */
const OF_COPY = typeSet([
  CLIENT.copyData,
  CLIENT.copyDone,
  CLIENT.copyFail,
  CLIENT.flush,
  CLIENT.sync,
  CLIENT.terminate,
]);

/**
 * What a COPY FROM STDIN means for the messages behind it. In the midst of one the server gives it up at any other
 * message, and forgets that message: whoever has taken it for a Bind would judge an Execute by what is not there.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyGate {
  #going = false;
  #failures = 0;

  constructor(private readonly expected: Pick<ExpectedReplies, 'failures' | 'mayCopy'>) {}

  /** The server reads rows. An error ends that. */
  get going(): boolean {
    return this.#going && this.#failures === this.expected.failures;
  }

  started(): void {
    this.#going = true;
    this.#failures = this.expected.failures;
  }

  over(): void {
    this.#going = false;
  }

  /** Does a message have to wait until it is known whether the server reads rows? */
  holds(type: number): boolean {
    return !OF_COPY.has(type) && !this.going && this.expected.mayCopy;
  }

  /** Would the server give up the COPY at it? */
  breaks(type: number): boolean {
    return this.going && !OF_COPY.has(type);
  }
}
