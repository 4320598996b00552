import { Readable } from 'node:stream';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { HttpDependencies, SessionFilter } from '../../../src/agent/http/dependencies.js';
import { createAddressOf } from '../../../src/agent/http/client-address.js';
import { createMetrics } from '../../../src/agent/http/metrics.js';
import { NoticeBoard } from '../../../src/agent/notices.js';
import { RequestFeed } from '../../../src/agent/holds/request-feed.js';
import { LoginLimit } from '../../../src/agent/callers/login-limit.js';
import { TokenWatches } from '../../../src/agent/callers/token-watches.js';
import { createHttpServer } from '../../../src/agent/http/server.js';
import type { HttpServerOptions } from '../../../src/agent/http/server-options.js';
import { HoopError } from '../../../src/core/errors.js';
import type { Identity } from '../../../src/core/identity.js';
import type { SessionSummary } from '../../../src/core/session-summary.js';
import { desk, person } from '../../approvals/desk.js';

/** The token of each is their name. */
export const people: readonly Identity[] = [
  person('alice', ['engineering']),
  person('bob', ['dba']),
  person('carol', ['sales']),
  person('audrey', ['audit']),
];

export const aliceSession: SessionSummary = {
  id: '019abcde-0000-7000-8000-00000000000a',
  connection: 'postgres',
  connectionType: 'postgres',
  subject: 'alice',
  issuer: 'https://id.example.com',
  email: 'alice@example.com',
  credential: 'hoop_app',
  correlationId: '',
  startedAt: '2026-11-21T10:00:00.000000Z',
  endedAt: '',
  statements: 1,
  blocked: 0,
  approvals: 0,
  file: '2026-11-21/019abcde-0000-7000-8000-00000000000a.ndjson',
  head: '',
  events: 0,
};

export const recordingText = '{"seq":1}\n{"seq":2}\n';

/** An agent's HTTP side on a free loopback port until the end of the test, with real approvals on a store in memory. */
export async function startAgent(more: Partial<HttpServerOptions> = {}, deps: Partial<HttpDependencies> = {}) {
  const failures: unknown[] = [];
  /** Who read which recording. */
  const read: { subject: string; session: string }[] = [];
  const notices = new NoticeBoard((error) => failures.push(error));
  const all = desk(undefined, (event) => notices.tell({ kind: 'approval', ...event }));
  const requestFeed = new RequestFeed({ approvals: all.approvals, notices, clock: all.time.clock });
  const filters: SessionFilter[] = [];
  const server = createHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    maxConnections: 1_000,
    maxHalfOpen: 500,
    logins: new LoginLimit({ perMinute: 1_000, nowMs: () => 0 }),
    addressOf: createAddressOf([]),
    watches: new TokenWatches({ trusts: () => true }),
    onUpgrade: (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    direct: { direct: (_request, response) => response.end(), directUpgrade: (_request, socket) => socket.destroy() },
    ...more,
    deps: {
      withoutSecrets: (text) => text,
      verify: (token) => {
        const found = people.find((one) => one.subject === token);
        return found === undefined
          ? Promise.reject(new HoopError('token_refused', 'the token is not valid'))
          : Promise.resolve(found);
      },
      card: () => ({
        version: '0.1.0',
        issuer: 'https://id.example.com',
        audience: 'hoop',
        clientId: 'hoop-cli',
        scopes: ['openid'],
        recordingKeys: [],
      }),
      connections: () => [],
      flow: (name) => all.configured.get(name),
      roles: () => ({ admin: ['admins'], auditor: ['audit'] }),
      approvals: all.approvals,
      preview: () => Promise.resolve({ notes: [], refused: 'nothing is held here' }),
      requestFeed,
      slack: () => Promise.reject(new HoopError('not_found', 'no such path')),
      sessions: {
        list: (filter) => {
          filters.push(filter);
          const items = filter.owner === undefined || filter.owner.subject === 'alice' ? [aliceSession] : [];
          return { items, next: '' };
        },
        get: (id) => (id === aliceSession.id ? aliceSession : undefined),
      },
      audit: {
        reads: ({ subject }, session) => read.push({ subject, session }),
        readings: () => ({ items: [], next: '' }),
        export: () => Readable.from([Buffer.alloc(1024)]),
      },
      openRecording: () => Promise.resolve(Readable.from([Buffer.from(recordingText)])),
      readiness: () => [{ name: 'store', ready: true }],
      metrics: createMetrics({ liveSessions: () => 3, pendingRequests: () => 2 }),
      onFailure: (_route, error) => failures.push(error),
      ...deps,
    },
  });
  onTestFinished(() => server.close(0));
  const port = await server.listen();
  const url = `http://127.0.0.1:${port}`;
  const get = (path: string, token?: string) =>
    fetch(url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  const post = (path: string, token: string, body: unknown) =>
    fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return {
    ...all,
    requestFeed,
    server,
    port,
    url,
    failures,
    filters,
    read,
    get,
    post,
    raw: (lines: string) => rawExchange(port, lines),
  };
}

/** Sends text as it is and gives all that comes back until the agent hangs up. */
export function rawExchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
    );
  });
}

/** A GET without a body that asks for the connection to end. */
export function getLines(path: string, headers: readonly string[] = [], host = '127.0.0.1'): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...headers, 'Connection: close', '', ''].join('\r\n');
}

export function statusOf(answer: string): number {
  return Number(answer.split(' ')[1]);
}
