import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { TunnelKeeper, type ConnectionEvent } from '../../src/client/tunnels/tunnel-keeper.js';
import { acceptTunnel, type TunnelServer } from '../../src/tunnel/accept.js';
import { bridge } from '../../src/tunnel/bridge.js';
import { dialTunnel, type TunnelClient } from '../../src/tunnel/dial.js';
import type { TunnelStream } from '../../src/tunnel/stream.js';

/** A loopback stand-in for the agent, as far as the client sees it: real WebSockets and multiplexing, nothing behind. */
export class TunnelEndpoint {
  readonly tunnels: TunnelServer[] = [];
  /** What the REST routes answer, by path. */
  readonly answers: Record<string, unknown> = {
    '/v1/connections': [
      { name: 'postgres', type: 'postgres', access: 'open', labels: {}, database: 'postgres' },
      { name: 'second', type: 'postgres', access: 'open', labels: {}, database: 'other' },
      { name: 'web', type: 'http', access: 'open', labels: {}, database: '' },
    ],
    '/v1/whoami': { subject: 'u1', email: 'postgres@example.com', groups: [] },
  };
  readonly headers: Record<string, unknown>[] = [];
  readonly #sockets: WebSocket[] = [];
  #onStream: (stream: TunnelStream) => void = () => undefined;
  #refusing = false;

  private constructor(
    private readonly http: Server,
    private readonly port: number,
  ) {
    http.on('request', (request, response) => {
      const answer = this.answers[request.url ?? ''];
      const authorised = request.headers.authorization === 'Bearer token';
      response.writeHead(!authorised ? 401 : answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(authorised && answer !== undefined ? JSON.stringify(answer) : '{}');
    });
    const upgrader = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, socket, head) => {
      if (this.#refusing) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        return;
      }
      this.headers.push({ ...request.headers });
      upgrader.handleUpgrade(request, socket, head, (webSocket) => {
        this.#sockets.push(webSocket);
        const tunnel = acceptTunnel(webSocket, { onClose: () => undefined });
        tunnel.onStream((stream) => {
          this.#onStream(stream);
        });
        this.tunnels.push(tunnel);
      });
    });
  }

  static async open(): Promise<TunnelEndpoint> {
    const http = createServer();
    await new Promise<void>((resolve) =>
      http.listen(0, '127.0.0.1', () => {
        resolve();
      }),
    );
    return new TunnelEndpoint(http, (http.address() as AddressInfo).port);
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  onStream(listener: (stream: TunnelStream) => void): void {
    this.#onStream = listener;
  }

  /** Each stream goes to a server at this port of loopback. */
  carryTo(port: number): void {
    this.onStream((stream) => {
      bridge(connect({ host: '127.0.0.1', port, allowHalfOpen: true }), stream);
    });
  }

  /** A keeper with its first tunnel. */
  async keeper(onEvent: (event: ConnectionEvent) => void): Promise<TunnelKeeper> {
    const keeper = new TunnelKeeper({ connection: 'postgres', dial: () => this.dial(), onEvent });
    await keeper.start();
    return keeper;
  }

  dial(): Promise<TunnelClient> {
    return dialTunnel({ agentUrl: this.url, connection: 'postgres', token: 'token' });
  }

  /** From now on every dial is answered with 503, or no longer. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /** As when the agent dies: no farewell on any tunnel. */
  breakTunnels(): void {
    for (const socket of this.#sockets.splice(0)) socket.terminate();
  }

  async close(): Promise<void> {
    this.breakTunnels();
    await new Promise<void>((resolve) =>
      this.http.close(() => {
        resolve();
      }),
    );
  }
}
