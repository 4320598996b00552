import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { acceptTunnel, type TunnelServer } from '../../src/tunnel/accept.js';
import { dialTunnel, type TunnelClient } from '../../src/tunnel/dial.js';
import type { TunnelStream } from '../../src/tunnel/stream.js';

/** A loopback stand-in for the agent's tunnel endpoint: real WebSockets, real multiplexing, and nothing behind. */
export class TunnelEndpoint {
  readonly tunnels: TunnelServer[] = [];
  readonly headers: Record<string, unknown>[] = [];
  #sockets: WebSocket[] = [];
  #onStream: (stream: TunnelStream) => void = () => undefined;
  #refusing = false;

  private constructor(
    private readonly http: Server,
    private readonly port: number,
  ) {
    const upgrader = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, socket, head) => {
      if (this.#refusing) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        return;
      }
      this.headers.push({ ...request.headers });
      upgrader.handleUpgrade(request, socket, head, (webSocket) => {
        this.#sockets.push(webSocket);
        const tunnel = acceptTunnel(webSocket, () => undefined);
        tunnel.onStream((stream) => {
          this.#onStream(stream);
        });
        this.tunnels.push(tunnel);
      });
    });
  }

  static async open(): Promise<TunnelEndpoint> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => { resolve(); }));
    return new TunnelEndpoint(http, (http.address() as AddressInfo).port);
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  onStream(listener: (stream: TunnelStream) => void): void {
    this.#onStream = listener;
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
    await new Promise<void>((resolve) => this.http.close(() => { resolve(); }));
  }
}
