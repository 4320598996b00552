import { Agent, createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { Mux } from '../../src/tunnel/mux.js';
import { StreamSocket } from '../../src/tunnel/stream-socket.js';

/** Two muxes joined in this process; both ends of one stream as sockets. */
async function pair(): Promise<{ client: StreamSocket; server: StreamSocket }> {
  const mux = (role: 'opener' | 'acceptor', to: () => Mux): Mux =>
    new Mux({
      role,
      schedule: setImmediate,
      link: {
        send: (bytes) => {
          const copy = bytes.slice();
          setImmediate(() => {
            to().receive(copy);
          });
        },
        bufferedBytes: () => 0,
        close: () => undefined,
      },
    });
  const opener: Mux = mux('opener', () => acceptor);
  const acceptor: Mux = mux('acceptor', () => opener);
  const client = new StreamSocket(opener.openStream());
  const server = await new Promise<StreamSocket>((resolve) => {
    acceptor.onStream((accepted) => {
      resolve(new StreamSocket(accepted));
    });
  });
  return { client, server };
}

async function closed(socket: StreamSocket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

describe('StreamSocket', () => {
  it('carries 3 MB to a reader that takes it late, though the writer has destroyed its end once all was sent', async () => {
    const { client, server } = await pair();
    server.resume();
    const answer = Buffer.alloc(3_000_000, 'a');
    client.pause();
    server.write(answer);
    server.destroySoon();
    expect((await text(client)).length).toBe(3_000_000);
    await closed(server);
    expect(server.errored).toBeNull();
  });

  it('fails a reader whose writer broke off without an end', async () => {
    const { client, server } = await pair();
    server.write('half of', () => {
      setImmediate(() => server.destroy());
    });
    await expect(text(client)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('emits timeout after 20 ms without a byte, and closes nothing', async () => {
    const { client, server } = await pair();
    await new Promise<void>((resolve) => client.setTimeout(20, resolve));
    expect(client.destroyed).toBe(false);
    const broken = new Promise((resolve) => server.once('error', resolve));
    client.destroy();
    expect(await broken).toMatchObject({ code: 'ECONNRESET' });
  });

  it('serves three requests of node:http on one stream, and an answer after which the server closes', async () => {
    const { client, server } = await pair();
    const http = createServer((incoming, response) => {
      if (incoming.url === '/last') response.setHeader('connection', 'close');
      void text(incoming).then((body) => response.end(`${incoming.url ?? ''} ${body}`));
    });
    http.emit('connection', server);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agent.createConnection = () => client;
    const answers: string[] = [];
    for (const path of ['/a', '/b', '/last']) {
      answers.push(
        await new Promise<string>((resolve, reject) => {
          const sent = request({ path, method: 'POST', host: 'tunnel', agent });
          sent.on('error', reject);
          sent.on('response', (response) => void text(response).then(resolve, reject));
          sent.end('body');
        }),
      );
    }
    expect(answers).toEqual(['/a body', '/b body', '/last body']);
    await closed(client);
    http.close();
  });
});
