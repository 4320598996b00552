import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoopError } from '../../../../core/errors.js';
import type { HttpCaller } from '../../../sessions/session-host.js';
import { tokenLeftMs } from '../../../callers/token-left.js';

/** A timer's longest, in ms; no stream lasts that long. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One stream of a tunnel, which clients keep open from request to request. Each of these is something new: when the
 * token of the tunnel has ended, the stream is closed between two of them, and the next comes over the CLI's next tunnel,
 * which has a fresh one. What is under way comes to its end.
 */
export class KeptStream {
  #underWay = 0;
  #ended = false;

  constructor(
    readonly caller: HttpCaller,
    private readonly socket: Duplex,
  ) {
    const timer = setTimeout(
      () => {
        this.#ended = true;
        this.#closeIfIdle();
      },
      Math.min(tokenLeftMs(caller.identity), MAX_TIMER_MS),
    ).unref();
    socket.once('close', () => {
      clearTimeout(timer);
    });
  }

  /**
   * A request begins.
   *
   * @throws HoopError token_refused for one that was on its way when the stream was closed
   */
  begin(response: ServerResponse): void {
    this.#underWay += 1;
    response.once('close', () => {
      this.#underWay -= 1;
      this.#closeIfIdle();
    });
    if (this.#ended) throw new HoopError('token_refused', 'the token of this tunnel has ended');
  }

  #closeIfIdle(): void {
    if (this.#ended && this.#underWay === 0) this.socket.end();
  }
}
