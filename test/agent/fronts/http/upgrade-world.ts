import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';
import { expect } from 'vitest';
import type { TestAgent } from '../../../support/agent.js';

export const KEY = 'upstream-key-4f3a9c21';

/** An internal service that speaks WebSocket: what a client finds depends on the path. */
export class SocketUpstream {
  readonly handshakes: IncomingMessage[] = [];
  readonly sockets = new Set<Socket>();
  /** The upstream's ends, newest last. */
  readonly peers: WebSocket[] = [];
  /** Messages that clients sent. */
  readonly received: { data: Buffer; binary: boolean }[] = [];
  readonly #server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end(`plain ${request.url ?? ''}`);
  });
  readonly #websockets = new WebSocketServer({
    noServer: true,
    maxPayload: 0,
    perMessageDeflate: true,
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  });

  async start(): Promise<void> {
    this.#websockets.on('headers', (headers, { url }) => {
      if (url?.endsWith('?named') === true) headers.push('x-for: ann.lee@example.com');
    });
    this.#server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.handshakes.push(request);
      const path = (request.url ?? '').split('?')[0] ?? '';
      const status = /^\/api\/status\/(\d+)$/.exec(path)?.[1];
      socket.on('error', () => undefined);
      if (path === '/api/silent') {
        socket.once('end', () => socket.end()).resume();
        return;
      }
      if (path === '/api/bad-accept')
        socket.write('HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: no\r\n\r\n');
      else if (status !== undefined)
        socket.end(
          `HTTP/1.1 ${status} Told\r\nretry-after: 7\r\nx-for: ann.lee@example.com\r\nx-echo: Bearer ${KEY}\r\ncontent-length: 24\r\n\r\nfor ann.lee@example.com!`,
        );
      else this.#websockets.handleUpgrade(request, socket, head, (websocket) => this.#serve(path, websocket));
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/api`;
  }

  get last(): WebSocket {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error('nobody came');
    return peer;
  }

  close(): void {
    this.#server.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }

  #serve(path: string, websocket: WebSocket): void {
    this.peers.push(websocket);
    websocket.on('error', () => undefined);
    websocket.on('message', (data: Buffer, binary) => {
      this.received.push({ data, binary });
      if (path === '/api/echo') websocket.send(data, { binary });
    });
  }
}

/** What a client got, in order, and how it ended. */
export interface Caught {
  readonly socket: WebSocket;
  readonly messages: { text: string; binary: boolean }[];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Headers of the 101. */
  readonly headers: IncomingMessage['headers'];
  next(): Promise<string>;
}

/** Opens a WebSocket; rejects with the answer where it is refused. */
export async function open(url: string, options: ClientOptions = {}, protocols: string[] = []): Promise<Caught> {
  const socket = new WebSocket(url, protocols, { perMessageDeflate: true, ...options });
  const messages: Caught['messages'] = [];
  const waiting: ((text: string) => void)[] = [];
  let shown = 0;
  socket.on('message', (data: Buffer, binary) => {
    messages.push({ text: data.toString(), binary });
    const waiter = waiting.shift();
    if (waiter === undefined) return;
    shown += 1;
    waiter(data.toString());
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
    });
  });
  let headers: IncomingMessage['headers'] = {};
  socket.on('upgrade', (response) => {
    headers = response.headers;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const body = Buffer.concat(parts).toString();
        reject(new Refused(response.statusCode ?? 0, response.headers, body));
      });
    });
  });
  return {
    socket,
    messages,
    closed,
    headers,
    next: () => {
      const known = messages[shown];
      if (known !== undefined) {
        shown += 1;
        return Promise.resolve(known.text);
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** The answer to an upgrade that was refused. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly headers: IncomingMessage['headers'],
    readonly body: string,
  ) {
    super(`refused with ${String(status)}: ${body}`);
  }
}

/** The answer to an upgrade that must be refused. */
export async function refusal(opening: Promise<Caught>): Promise<Refused> {
  try {
    const { socket } = await opening;
    socket.terminate();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('the upgrade was not refused');
}

/** What a handshake that no library would send is answered with; the path goes as it is. */
export function statusOf(url: string, path: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const handshake = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const sent = request({ hostname, port, path, headers: { ...handshake, ...headers } });
    sent.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
    sent.end();
  });
}

/** Events of a session once it is sealed. */
export async function sealedEvents(agent: TestAgent, session: string): Promise<Record<string, unknown>[]> {
  const token = await agent.token({ groups: ['engineering', 'auditors'] });
  const events = async (): Promise<Record<string, unknown>[]> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${agent.agent.url}/v1/sessions/${session}/recording`, { headers });
    const text = await answer.text();
    if (!answer.ok) return [];
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  await expect.poll(async () => (await events()).at(-1)?.['type'], { interval: 30 }).toBe('seal');
  return events();
}
