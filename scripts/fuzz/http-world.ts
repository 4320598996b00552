import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { startAgent, type RunningAgent } from '../../src/agent/start.js';
import { openForward, type Forward } from '../../src/client/ports/forward.js';
import { listenOnPort } from '../../src/client/ports/local-listener.js';
import { dialTunnel } from '../../src/tunnel/dial.js';
import { startTestIssuer, type TestIssuer } from '../../test/support/agent.js';
import { FuzzClient } from './fuzz-client.js';

/** What no answer may show, what no request may say, and what nobody but the upstream may see. */
export const PLANTED = 'mike.planted@example.com';
export const FORBIDDEN = 'credential dump';
export const KEY = 'upstream-key-4f3a9c21d8e7';
const LARGEST_BYTES = 262_144;
const GOOD_PATH = '/good';

/** What comes behind it in a key of a handshake. @see https://www.rfc-editor.org/rfc/rfc6455#section-1.3 */
const WEBSOCKET_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** One of the two ways to a connection. */
export interface Entrance {
  dial(): FuzzClient;
  /** Stands before every path. */
  readonly base: string;
  /** Header lines of a caller who may. */
  readonly headers: readonly string[];
}

/** One request as the upstream got it. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A real agent with an upstream that answers whatever it is told, and keeps what it was sent. */
export class HttpWorld {
  readonly arrived: Arrived[] = [];
  /** Messages of WebSockets that came. */
  readonly messages: Buffer[] = [];
  readonly logged: string[] = [];
  /** Bytes of the answer to every request but good ones, in the pieces that they are sent in. */
  answer: readonly Buffer[] = [];
  token = '';
  #agent!: RunningAgent;
  #issuer!: TestIssuer;
  #dir = '';
  readonly #sockets = new Set<Socket>();
  readonly #websockets = new WebSocketServer({ noServer: true });
  /** Local ports by connection, as `hoop connect` opens them; each with a key of its own. */
  readonly #ports = new Map<string, Forward>();
  readonly #portKey = randomBytes(24).toString('base64url');
  /** Keeps what it is sent; lenient in nothing. */
  readonly #taking = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      this.arrived.push({ method, url, headers, body: Buffer.concat(parts) });
      response.setHeader('content-type', 'application/json');
      response.end('{"good":true}');
    });
  });
  /** Says what it is told, and is no server of HTTP at all. */
  readonly #telling: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (data: Buffer) => {
      if (data.includes(GOOD_PATH)) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood');
      else void this.#tell(socket, data.toString('latin1'));
    });
  });

  async open(): Promise<void> {
    this.#issuer = await startTestIssuer();
    this.#dir = await mkdtemp(join(tmpdir(), 'hoop-fuzz-'));
    const conf = join(this.#dir, 'conf');
    await mkdir(conf);
    await writeFile(join(this.#dir, 'master.key'), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    this.#taking.on('upgrade', (request, socket, head) => {
      const { method = '', url = '', headers } = request;
      this.arrived.push({ method, url, headers, body: Buffer.alloc(0) });
      socket.on('error', () => undefined);
      this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
        websocket.on('error', () => undefined);
        websocket.on('message', (data: Buffer) => this.messages.push(data));
      });
    });
    for (const server of [this.#taking, this.#telling]) await once(server.listen(0, '127.0.0.1'), 'listening');
    await writeFile(join(conf, 'agent.yaml'), this.#yaml());
    const log = (message: string, fields?: object): void => {
      this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
    };
    const failure = (message: string, error: unknown): void => {
      this.logged.push(`internal error: ${message} ${String(error)}`);
    };
    const env = { UPSTREAM_KEY: KEY };
    this.#agent = await startAgent(conf, env, { info: log, warn: log, error: log, failure });
    await this.renew();
  }

  /** A fresh token: runs may be longer than one lives. */
  async renew(): Promise<void> {
    this.token = await this.#issuer.token({ sub: 'mallory', email: 'm@example.test', groups: ['all'] });
    await this.#closePorts();
  }

  /** What the caller is known by, and nobody else may hear. */
  get secrets(): readonly string[] {
    return [this.token.slice(0, 40), this.#portKey];
  }

  /** @param direct at the agent's port; else through a tunnel, at a local port */
  async entrance(connection: string, direct: boolean): Promise<Entrance> {
    if (direct)
      return {
        dial: () => this.#dialled(Number(new URL(this.#agent.url).port)),
        base: `/c/${connection}`,
        headers: [`authorization: Bearer ${this.token}`],
      };
    const port = this.#ports.get(connection) ?? (await this.#openPort(connection));
    return {
      dial: () => this.#dialled('port' in port.address ? port.address.port : 0),
      base: '',
      headers: [`authorization: Bearer ${this.#portKey}`],
    };
  }

  async #openPort(connection: string): Promise<Forward> {
    const portKeyHash = createHash('sha256').update(this.#portKey).digest('hex');
    const tunnel = await dialTunnel({ agentUrl: this.#agent.url, connection, token: this.token, portKeyHash });
    const forward = await openForward({
      connection,
      type: connection.split('-')[1] ?? '',
      listen: (server) => listenOnPort(server, '127.0.0.1', 0),
      keeper: {
        ready: () => Promise.resolve(tunnel),
        close: () => {
          tunnel.close();
        },
        leaving: [],
      },
      onEvent: () => undefined,
    });
    this.#ports.set(connection, forward);
    return forward;
  }

  async #closePorts(): Promise<void> {
    for (const port of this.#ports.values()) await port.close();
    this.#ports.clear();
  }

  async close(): Promise<void> {
    await this.#closePorts();
    for (const websocket of this.#websockets.clients) websocket.terminate();
    for (const socket of this.#sockets) socket.destroy();
    this.#taking.closeAllConnections();
    this.#taking.close();
    this.#telling.close();
    await this.#agent.close(1_000);
    await this.#issuer.close();
    await rm(this.#dir, { recursive: true, force: true });
  }

  #dialled(port: number): FuzzClient {
    return new FuzzClient(connect(port, '127.0.0.1'));
  }

  /** Asks as a good client does; throws where that does not work. */
  async good(client: FuzzClient, { base, headers }: Entrance): Promise<void> {
    const from = client.bytes.length;
    client.write(
      Buffer.from(`GET ${base}${GOOD_PATH} HTTP/1.1\r\n${['host: 127.0.0.1', ...headers].join('\r\n')}\r\n\r\n`),
    );
    await client.until(() => client.bytes.subarray(from).includes('good'), 'the answer to a good request');
  }

  async #tell(socket: Socket, asked: string): Promise<void> {
    const key = /^sec-websocket-key: *(\S+)/im.exec(asked)?.[1];
    if (key !== undefined) {
      const accept = createHash('sha1')
        .update(key + WEBSOCKET_ID)
        .digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
      );
    }
    for (const part of this.answer) {
      if (!socket.writable) return;
      socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
  }

  #yaml(): string {
    const port = (server: Server): string => String((server.address() as AddressInfo).port);
    const connection = (name: string, type: string, server: Server): string => `---
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec:
  type: ${type}
  url: http://127.0.0.1:${port(server)}/base
  credentials: [{ headers: { x-upstream-key: { env: UPSTREAM_KEY } } }]
  access: { groups: [all] }
`;
    const types = ['http', 'openai', 'anthropic'];
    return `apiVersion: hoop/v1
kind: Agent
metadata: { name: fuzz }
spec:
  listen: { host: 127.0.0.1, port: 0 }
  store: { driver: sqlite, path: ../state/hoop.db }
  recordings: { dir: ../recordings }
  masterKey: { file: ../master.key }
  limits: { bodyBytes: ${String(LARGEST_BYTES)} }
---
apiVersion: hoop/v1
kind: IdentityProvider
metadata: { name: fuzz }
spec: { issuer: '${this.#issuer.issuer}', audience: hoop, clientId: hoop-cli }
${types.map((type) => connection(`to-${type}`, type, this.#taking)).join('')}
${types.map((type) => connection(`of-${type}`, type, this.#telling)).join('')}
${connection('asking-http', 'http', this.#taking)}
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: words }
spec:
  match: { connections: ['to-*'] }
  rules:
    - { name: bodies, when: 'http.body.contains("${FORBIDDEN}")', action: block }
    - { name: prompts, when: 'llm.prompt.contains("${FORBIDDEN}")', action: block }
    - { name: paths, when: 'http.path.contains("forbidden")', action: block }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  match: { connections: ['of-*'] }
  mask: [{ name: pii, entities: [email], strategy: redact }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: asked }
spec:
  match: { connections: ['asking-*'] }
  mask: [{ name: pii, entities: [email], strategy: redact, on: [requests] }]
`;
  }
}
