import type { Socket } from 'node:net';
import { HoopError } from '../../core/errors.js';

/** The client hung up before it had said all: as psql does to ask its user for the password. */
export class ClientLeft extends HoopError {
  constructor() {
    super('protocol', 'it hung up before it said what it wants');
  }
}

/** Reads a paused socket by counts of bytes; between two reads it is paused again. */
export class SocketReader {
  #held = Buffer.alloc(0);

  constructor(private readonly socket: Socket) {}

  /** @throws ClientLeft where it ends before */
  async take(count: number): Promise<Buffer> {
    while (this.#held.length < count) this.#held = Buffer.concat([this.#held, await this.#more()]);
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  /** Puts back what was read ahead, and these bytes before it: whoever reads the socket next begins there. */
  putBack(bytes: Buffer): void {
    this.socket.unshift(Buffer.concat([bytes, this.#held]));
    this.#held = Buffer.alloc(0);
  }

  #more(): Promise<Buffer> {
    const { socket } = this;
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        socket.pause();
        socket.off('data', take).off('end', left).off('close', left);
      };
      const take = (bytes: Buffer): void => {
        finish();
        resolve(bytes);
      };
      const left = (): void => {
        finish();
        reject(new ClientLeft());
      };
      socket.on('data', take).once('end', left).once('close', left);
      if (socket.destroyed) left();
      else socket.resume();
    });
  }
}
