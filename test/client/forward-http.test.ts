import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForward, type Forward, type ForwardOptions } from '../../src/client/ports/forward.js';
import { listenOnPort } from '../../src/client/ports/local-listener.js';
import { TunnelKeeper } from '../../src/client/tunnels/tunnel-keeper.js';
import { StreamSocket } from '../../src/tunnel/stream-socket.js';
import { FakeTime } from './fake-time.js';
import { TunnelEndpoint } from './tunnel-pair.js';

let endpoint: TunnelEndpoint;
let time: FakeTime;
let http: Server;
let served: (request: IncomingMessage, response: ServerResponse) => void;
let requests: string[];
let lost: boolean;
const forwards: Forward[] = [];
const clients: Socket[] = [];

beforeEach(async () => {
  endpoint = await TunnelEndpoint.open();
  time = new FakeTime();
  requests = [];
  lost = false;
  served = (request, response) => {
    response.end(`answer to ${request.url ?? ''}`);
  };
  http = createServer((request, response) => {
    requests.push(request.url ?? '');
    served(request, response);
  });
  endpoint.onStream((stream) => {
    http.emit('connection', new StreamSocket(stream));
  });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(forwards.splice(0).map((forward) => forward.close()));
  await endpoint.close();
});

/** Opens a port of type `openai`; gives its number. */
async function open(options: Partial<ForwardOptions> = {}): Promise<number> {
  const keeper = new TunnelKeeper({
    connection: 'openai',
    dial: () => endpoint.dial(),
    onEvent: () => (lost = true),
    time,
  });
  await keeper.start();
  const forward = await openForward({
    connection: 'openai',
    type: 'openai',
    listen: (server) => listenOnPort(server, '127.0.0.1', 0),
    checkPeer: () => Promise.resolve({ admitted: true }),
    keeper,
    onEvent: () => undefined,
    ...options,
  });
  forwards.push(forward);
  return 'port' in forward.address ? forward.address.port : 0;
}

async function get(port: number, path: string): Promise<{ status: number; type: string | null; body: string }> {
  const response = await fetch(`http://127.0.0.1:${String(port)}${path}`);
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

async function eventually(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setImmediate(resolve));
}

describe('openForward of an HTTP type', () => {
  it('carries requests of one kept connection, unread and unchanged', async () => {
    const port = await open();
    for (const path of ['/v1/a?x=%2e', '/v1/b'])
      expect(await get(port, path)).toMatchObject({ status: 200, body: `answer to ${path}` });
    expect(requests).toEqual(['/v1/a?x=%2e', '/v1/b']);
  });

  it('answers a program of another user with 403 and JSON, once it has sent its request, and relays nothing', async () => {
    const port = await open({ checkPeer: () => Promise.resolve({ admitted: false, why: 'another user' }) });
    const { status, type, body } = await get(port, '/v1/models');
    const message = 'this port serves only the user who opened it: another user';
    expect([status, type]).toEqual([403, 'application/json']);
    expect(JSON.parse(body)).toEqual({
      type: 'error',
      error: { message, type: 'hoop_unauthorized', code: 'hoop_unauthorized' },
    });
    expect(requests).toEqual([]);
  });

  it('reads a refused upload to its end, so that the client gets its answer and no reset', async () => {
    const port = await open({ checkPeer: () => Promise.resolve({ admitted: false, why: 'another user' }) });
    const sent = fetch(`http://127.0.0.1:${String(port)}/`, { method: 'POST', body: 'x'.repeat(3_000_000) });
    expect((await sent).status).toBe(403);
  });

  it('answers a request for which no tunnel comes within 30 s with 503 and code hoop_unreachable', async () => {
    const port = await open();
    endpoint.refuse(true);
    endpoint.breakTunnels();
    await eventually(() => lost);
    let answer: { status: number; body: string } | undefined;
    void get(port, '/v1/models').then((got) => (answer = got));
    await eventually(() => {
      void time.advance(1_000);
      return answer !== undefined;
    });
    expect(answer?.status).toBe(503);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({
      error: {
        code: 'hoop_unreachable',
        message: expect.stringContaining('no tunnel to the agent within 30 s') as string,
      },
    });
  });

  it('resets an answer without a stated length when the tunnel breaks, so that it is not taken for complete', async () => {
    const port = await open();
    served = (_request, response) => {
      response.write('half of an ans');
    };
    const client = connect({ host: '127.0.0.1', port });
    clients.push(client);
    // HTTP/1.0: the end of the connection is the end of the answer.
    client.write('GET /v1/models HTTP/1.0\r\n\r\n');
    const [first] = (await once(client, 'data')) as [Buffer];
    expect(first.toString()).toContain('half of an ans');
    const broken = new Promise((resolve) => client.once('error', resolve).once('end', () => resolve('ended')));
    endpoint.breakTunnels();
    expect(await broken).toMatchObject({ code: 'ECONNRESET' });
  });

  it('resets it, too, when the agent itself breaks off', async () => {
    const port = await open();
    served = (request, response) => {
      response.write('half', () => setImmediate(() => request.socket.destroy()));
    };
    const client = connect({ host: '127.0.0.1', port });
    clients.push(client);
    client.write('GET /v1/models HTTP/1.0\r\n\r\n');
    const broken = new Promise((resolve) => client.once('error', resolve).once('end', () => resolve('ended')));
    client.resume();
    expect(await broken).toMatchObject({ code: 'ECONNRESET' });
  });

  it('ends an answer after which the agent closes as the agent does, with an end', async () => {
    const port = await open();
    const client = connect({ host: '127.0.0.1', port });
    clients.push(client);
    client.write('GET /v1/models HTTP/1.0\r\n\r\n');
    const ended = new Promise((resolve) => client.once('error', resolve).once('end', () => resolve('ended')));
    client.resume();
    expect(await ended).toBe('ended');
  });
});
