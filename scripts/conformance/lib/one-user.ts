import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../../../test/support/postgres-server.js';

const SSL_OR_GSS = new Set([80877103, 80877104]);
const CANCEL = 80877102;

/** A way to the server on which every client is the same user. */
export interface Relay {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Passes bytes to the server as they are, but for the user's name in the start-up packet. hoop ignores the name that a
 * client gives, so a suite that changes users can only be compared with a server that does the same.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-STARTUPMESSAGE
 */
export async function oneUserRelay(serverPort: number, user: string): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: serverPort, allowHalfOpen: true, noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.pipe(client);
    untilStarted(client, upstream, user);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function untilStarted(client: Socket, upstream: Socket, user: string): void {
  let held = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 8 && held.length >= held.readUInt32BE(0)) {
      const packet = held.subarray(0, held.readUInt32BE(0));
      held = held.subarray(packet.length);
      const code = packet.readUInt32BE(4);
      upstream.write(SSL_OR_GSS.has(code) || code === CANCEL ? packet : withUser(packet, user));
      if (SSL_OR_GSS.has(code)) continue;
      client.off('data', read);
      if (held.length > 0) upstream.write(held);
      client.pipe(upstream);
      return;
    }
  };
  client.on('data', read);
}

function withUser(packet: Buffer, user: string): Buffer {
  const words = packet.toString('latin1', 8).split('\0');
  for (let index = 0; index + 1 < words.length; index += 2) if (words[index] === 'user') words[index + 1] = user;
  const changed = Buffer.concat([packet.subarray(0, 8), Buffer.from(words.join('\0'), 'latin1')]);
  changed.writeUInt32BE(changed.length, 0);
  return changed;
}
