import type { Duplex } from 'node:stream';

/** What a client may send before its upgrade is answered; a client that waits as it should sends nothing. */
const MAX_BYTES = 64 * 1024;

/**
 * The client's socket between its upgrade and the answer: read, so that a client that hangs up is noticed, and kept,
 * since nothing of it may be lost.
 */
export class EarlyBytes {
  readonly #parts: Buffer[];
  #bytes: number;

  /** @param left the client has hung up */
  constructor(
    private readonly socket: Duplex,
    head: Buffer,
    private readonly left: () => void,
  ) {
    this.#parts = [head];
    this.#bytes = head.length;
    socket.on('error', this.#hungUp).on('data', this.#data).once('end', left).once('close', left);
    if (socket.destroyed) queueMicrotask(left);
  }

  /** All that came so far, in order; what comes now is the taker's. */
  take(): Buffer {
    this.stop();
    return Buffer.concat(this.#parts);
  }

  /** Ends the watch. */
  stop(): void {
    const { socket, left } = this;
    socket.off('data', this.#data).off('end', left).off('close', left);
  }

  readonly #hungUp = (): void => {
    this.socket.destroy();
  };

  readonly #data = (chunk: Buffer): void => {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BYTES) this.socket.pause();
  };
}
