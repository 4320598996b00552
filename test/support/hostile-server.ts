import { createServer, type AddressInfo, type Socket } from 'node:net';
import { i32, message, ready } from '../protocols/postgres/wire.js';

/** What it does with one connection; `next` gives the client's next chunk. */
export type Behaviour = (socket: Socket, next: () => Promise<Buffer>) => Promise<void> | void;

export interface HostileServer {
  readonly port: number;
  /** For the connections that come from now on. */
  behave(behaviour: Behaviour): void;
  /** Connections that are open. */
  open(): number;
  close(): Promise<void>;
}

/** A TCP server that says whatever a test wants in place of a database server. */
export async function startHostileServer(): Promise<HostileServer> {
  let behaviour: Behaviour = () => undefined;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const chunks: Buffer[] = [];
    let wake: (() => void) | undefined;
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      wake?.();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      wake?.();
    });
    const next = async (): Promise<Buffer> => {
      while (chunks.length === 0 && !socket.destroyed) await new Promise<void>((resolve) => (wake = resolve));
      return chunks.shift() ?? Buffer.alloc(0);
    };
    void behaviour(socket, next);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    behave: (next) => {
      behaviour = next;
    },
    open: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** Opens a session as a server that asks for no password, then answers the next message with these bytes. */
export function afterReady(answer: Buffer): Behaviour {
  return async (socket, next) => {
    await next();
    socket.write(Buffer.concat([message('R', i32(0)), message('K', Buffer.concat([i32(7), i32(7)])), ready()]));
    await next();
    socket.write(answer);
  };
}
