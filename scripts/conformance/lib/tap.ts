import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../../../test/support/postgres-server.js';

/** Messages of the opening that differ by right: how the password is asked for, and the key of a cancel. */
const AUTHENTICATION = 'R'.charCodeAt(0);
const BACKEND_KEY = 'K'.charCodeAt(0);
const NOTIFICATION = 'A'.charCodeAt(0);

/** A port that keeps what the server's side sent on each connection. */
export interface Tap {
  readonly port: number;
  /** What each connection got, in the order they were opened, as text; without what differs by right. */
  received(): string[];
  stop(): Promise<void>;
}

/** Puts itself in front of `upstreamPort` of loopback. */
export async function tap(upstreamPort: number): Promise<Tap> {
  const conversations: { asked: number; readonly chunks: Buffer[] }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: upstreamPort, allowHalfOpen: true, noDelay: true });
    const conversation = { asked: 0, chunks: [] as Buffer[] };
    conversations.push(conversation);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    // A request for encryption is answered by one byte that is no message.
    client.on('data', (chunk: Buffer) => {
      if (chunk.length === 8 && conversation.chunks.reduce((sum, each) => sum + each.length, 0) === conversation.asked)
        conversation.asked += 1;
    });
    upstream.on('data', (chunk: Buffer) => conversation.chunks.push(chunk));
    client.pipe(upstream);
    upstream.pipe(client);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    received: () => conversations.map(({ asked, chunks }) => readable(Buffer.concat(chunks), asked)),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function readable(bytes: Buffer, asked: number): string {
  const lines = [`encryption: ${bytes.toString('latin1', 0, asked)}`];
  let at = asked;
  while (at + 5 <= bytes.length) {
    const type = bytes[at] ?? 0;
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    const body = bytes.subarray(at + 5, end);
    if (type === BACKEND_KEY) lines.push(`K ${String(body.length)} B`);
    else if (type === NOTIFICATION) lines.push(`A ${body.toString('latin1', 4)}`);
    else if (type !== AUTHENTICATION) lines.push(`${String.fromCharCode(type)} ${body.toString('latin1')}`);
    at = end;
  }
  return lines.join('\n');
}
