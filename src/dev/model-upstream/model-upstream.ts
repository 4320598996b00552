import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { messageOf } from '../../core/errors.js';
import { deliver } from './delivery.js';
import { streamPlain } from './plain-http.js';
import { OpenAiSocket } from './openai-sockets.js';
import { answerTo, refusalOfKey, type UpstreamKeys } from './routes.js';
import type { SeenRequest } from './seen-request.js';

export interface ModelUpstreamOptions extends UpstreamKeys {
  readonly port?: number;
  /** Of the requests that came last, how many are kept; 100 where left out. */
  readonly keep?: number;
}

const SOCKETS: ReadonlyMap<string, 'realtime' | 'responses'> = new Map([
  ['/v1/realtime', 'realtime'],
  ['/v1/responses', 'responses'],
]);

/** An upstream on loopback that speaks as OpenAI and Anthropic do, and says what the request asks it to say. */
export class ModelUpstream {
  /** The requests that came last, the oldest first; those whose bodies are not held are not among them. */
  readonly requests: SeenRequest[] = [];
  /** Messages that came over WebSockets, as many. */
  readonly messages: (string | Buffer)[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #waiting: (() => void)[] = [];
  #released = 0;

  private constructor(private readonly options: ModelUpstreamOptions) {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
      const seen = seenRequest(request, '', Promise.resolve('sent'));
      this.#keep(seen);
      const { pathname, searchParams } = new URL(seen.url, 'http://upstream');
      const kind = SOCKETS.get(pathname);
      if (kind !== undefined && refusalOfKey(seen, 'openai', options) !== undefined) {
        socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data: Buffer, isBinary) => {
          this.messages.push(isBinary ? data : data.toString());
          if (this.messages.length > this.#kept) this.messages.shift();
          if (kind === undefined) client.send(data, { binary: isBinary });
        });
        if (kind !== undefined) new OpenAiSocket(client, kind, searchParams.get('model') ?? 'trial');
      });
    });
  }

  get #kept(): number {
    return this.options.keep ?? 100;
  }

  static async start(options: ModelUpstreamOptions): Promise<ModelUpstream> {
    const upstream = new ModelUpstream(options);
    await new Promise<void>((resolve, reject) => {
      upstream.#server.once('error', reject);
      upstream.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return upstream;
  }

  /** `http://127.0.0.1:PORT`: the `url` of a connection. */
  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Opens the gate for one answer that waits at it, or for the next one that comes to it. */
  release(): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#released += 1;
    else waiting();
  }

  /** Breaks off every WebSocket. */
  hangUp(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  async close(): Promise<void> {
    this.hangUp();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    try {
      if (await streamPlain(request, response)) return;
      const seen = seenRequest(request, await text(request), endOf(response));
      this.#keep(seen);
      const { answer, steering } = answerTo(seen, this.options);
      await deliver(response, answer, {
        steering,
        acceptEncoding: seen.headers['accept-encoding'] ?? '',
        gate: () => this.#gate(),
      });
    } catch (error) {
      // Steering that is not known, or one who asked and went away in the middle.
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(messageOf(error));
    }
  }

  #keep(seen: SeenRequest): void {
    this.requests.push(seen);
    if (this.requests.length > this.#kept) this.requests.shift();
  }

  #gate(): Promise<void> {
    if (this.#released > 0) {
      this.#released -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

function seenRequest(request: IncomingMessage, body: string, ended: SeenRequest['ended']): SeenRequest {
  const headers = Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]);
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: Object.fromEntries(headers) as Record<string, string>,
    rawHeaders: request.rawHeaders,
    body,
    ended,
  };
}

function endOf(response: ServerResponse): SeenRequest['ended'] {
  return new Promise((resolve) => {
    response.once('close', () => resolve(response.writableFinished ? 'sent' : 'gone'));
  });
}
