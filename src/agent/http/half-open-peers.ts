import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Peers that are connected and have not asked for anything yet, or not again: their number is bounded. Where there are too many
 * the one that has been silent longest makes room for the newest, so that whoever asks at once is always let in.
 */
export class HalfOpenPeers {
  /** In the order in which they fell silent, by their end of the connection: of TLS there are two sockets for one. */
  readonly #silent = new Map<string, Socket>();

  constructor(private readonly max: number) {}

  get count(): number {
    return this.#silent.size;
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const key = keyOf(socket);
      socket.once('close', () => {
        // Another peer may have the same end by now.
        if (this.#silent.get(key)?.destroyed === true) this.#silent.delete(key);
      });
      this.#fellSilent(socket);
    });
    server.prependListener('request', (request, response) => {
      const { socket } = request;
      this.#silent.delete(keyOf(socket));
      response.once('close', () => {
        if (!socket.destroyed) this.#fellSilent(socket);
      });
    });
    server.prependListener('upgrade', ({ socket }) => {
      this.#silent.delete(keyOf(socket));
    });
  }

  #fellSilent(socket: Socket): void {
    this.#silent.set(keyOf(socket), socket);
    if (this.#silent.size <= this.max) return;
    const [oldest] = this.#silent;
    if (oldest === undefined) return;
    this.#silent.delete(oldest[0]);
    oldest[1].destroy();
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${String(remotePort)}`;
}
