import { createServer as createPlainServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import { TooManyLogins } from '../callers/login-limit.js';
import { refuseSocket, send, sendFailure } from './answer.js';
import { callerRoutes } from './caller-routes.js';
import type { HttpDependencies } from './dependencies.js';
import { Refusal, createGate, type Gate } from './gate.js';
import { guardStream } from './guarded-stream.js';
import { HalfOpenPeers } from './half-open-peers.js';
import { publicRoutes } from './public-routes.js';
import { grantRoutes } from './grant-routes.js';
import { requestEventsRoute } from './request-events-route.js';
import { requestRoutes } from './request-routes.js';
import { matchRoute, readQuery, type Answer, type Route } from './route.js';
import { MAX_HEADER_BYTES, refuseUnparsed, tooSlow } from './unparsed.js';
import { auditRoutes } from './audit-routes.js';
import { secretRoutes } from './secret-routes.js';
import { sessionRoutes } from './session-routes.js';
import type { HttpServerOptions, HttpTimeouts } from './server-options.js';
import { slackRoute } from './slack-route.js';
import type { TokenWatches } from '../callers/token-watches.js';
import { createAuthenticate, type Authenticate } from './token.js';

/** A label takes few values: what a client makes up is `other`. */
const METRIC_METHODS: readonly string[] = ['GET', 'HEAD', 'POST'];

/** Where connections that speak HTTP are reached without a tunnel. */
const DIRECT_PATH = '/c/';

const TIMEOUTS: HttpTimeouts = { headersMs: 10_000, requestMs: 30_000, idleMs: 15_000 };

export interface HttpServer {
  readonly routes: readonly Route[];
  /** Proves who sent a request or upgrade. Throws HoopError `not_logged_in`, `token_refused`. */
  readonly authenticate: Authenticate;
  /** Resolves with the port once it takes connections. */
  listen(): Promise<number>;
  /** Takes no more connections, lets running answers end, then cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** The agent's one port: REST by the route table, upgrades handed on, everything else refused. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { deps } = options;
  const routes: Route[] = [];
  routes.push(
    ...publicRoutes(deps, () => routes),
    ...callerRoutes(deps),
    ...requestRoutes(deps, options),
    ...grantRoutes(deps),
    requestEventsRoute(deps),
    ...sessionRoutes(deps),
    ...auditRoutes(deps),
    ...secretRoutes(deps),
    slackRoute(deps),
  );
  const gate = createGate({ listenHost: options.listen.host, publicUrl: options.publicUrl });
  const authenticate = createAuthenticate(deps.verify, options.logins, options.addressOf);
  const { requestMs } = { ...TIMEOUTS, ...options.timeouts };
  const server = createServer(options, (request, response) => {
    if (request.url?.startsWith(DIRECT_PATH) === true) {
      direct(options, gate, authenticate, request, response);
      return;
    }
    answer({ deps, routes, gate, authenticate, requestMs, watches: options.watches }, request, response).catch(
      (error: unknown) => {
        deps.onFailure('none', error);
        response.destroy();
      },
    );
  });
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    upgrade(options, gate, authenticate, request, socket, head);
  });
  server.on('clientError', refuseUnparsed);
  // Too many open files, say: the listener goes on, and without a listener the process would end.
  server.on('error', (error) => deps.onFailure('listener', error));
  return {
    routes,
    authenticate,
    listen: () => listen(server, options.listen),
    close: (graceMs) => {
      deps.requestFeed.closeAll();
      return close(server, upgraded, graceMs);
    },
  };
}

function createServer(
  options: HttpServerOptions,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const common = {
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeouts.headersMs,
    // An upload to a connection may take as long as it takes; the agent's own routes have a time of their own.
    requestTimeout: 0,
    keepAliveTimeout: timeouts.idleMs,
    // Node looks for expired peers only every 30 s unless told.
    connectionsCheckingInterval: Math.min(1_000, timeouts.headersMs),
    noDelay: true,
  };
  const server =
    options.tls === undefined
      ? createPlainServer(common, onRequest)
      : createTlsServer(
          { ...common, ...options.tls, minVersion: 'TLSv1.2', handshakeTimeout: timeouts.headersMs },
          onRequest,
        );
  server.maxConnections = options.maxConnections;
  const halfOpen = new HalfOpenPeers(options.maxHalfOpen);
  halfOpen.watch(server);
  options.deps.metrics.halfOpen(() => halfOpen.count);
  return server;
}

interface Serving {
  readonly deps: HttpDependencies;
  readonly routes: readonly Route[];
  readonly gate: Gate;
  readonly authenticate: Authenticate;
  /** How long a request's body may take, in ms. */
  readonly requestMs: number;
  readonly watches: TokenWatches;
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { deps } = serving;
  const method = request.method ?? '';
  let route: Route | undefined;
  let status: number;
  try {
    const { path, search } = serving.gate.pass(request, 'request');
    const match = matchRoute(serving.routes, method, path);
    if (match.kind === 'none') throw noPath(path);
    if (match.kind === 'wrong-method') throw wrongMethod(match.allowed);
    route = match.route;
    const given = await run(serving, route, { id: match.id, search, request });
    status = given.status ?? 200;
    await send(response, given);
  } catch (error) {
    if (!isForeseen(error)) deps.onFailure(route?.path ?? 'none', error);
    status = await sendFailure(request, response, error);
  }
  deps.metrics.httpAnswered(route?.path ?? 'none', METRIC_METHODS.includes(method) ? method : 'other', status);
}

/** What is promised for later is refused by its name. */
function noPath(path: string): HoopError {
  return path === '/mcp'
    ? new HoopError('not_in_version', '`/mcp` is not in this version')
    : new HoopError('not_found', 'no such path');
}

/** Who asks comes before what they ask: a caller without a token learns nothing of a route's parameters. */
async function run(
  serving: Serving,
  route: Route,
  { id, search, request }: { readonly id: string; readonly search: URLSearchParams; readonly request: IncomingMessage },
): Promise<Answer> {
  const caller = route.auth === 'public' ? undefined : await serving.authenticate(request);
  // The server itself sets no limit, for the sake of uploads.
  const timer = setTimeout(() => {
    if (!request.complete) refuseSocket(request.socket, tooSlow());
  }, serving.requestMs);
  try {
    const call = { id, request, query: readQuery(route, search) };
    if (route.auth === 'public') return await route.handler(call);
    const given = await route.handler(call, caller as Identity);
    if (!('stream' in given)) return given;
    const proof = { identity: caller as Identity, again: () => serving.authenticate(request) };
    return { ...given, stream: guardStream(given.stream, (watched) => serving.watches.watch(watched), proof) };
  } finally {
    clearTimeout(timer);
  }
}

function wrongMethod(allowed: readonly string[]): Refusal {
  return new Refusal(405, new HoopError('usage', 'this path does not take that method'), { allow: allowed.join(', ') });
}

function isForeseen(error: unknown): boolean {
  return error instanceof HoopError || error instanceof Refusal || error instanceof TooManyLogins;
}

function direct(
  options: HttpServerOptions,
  gate: Gate,
  authenticate: Authenticate,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.once('finish', () => {
    const method = METRIC_METHODS.includes(request.method ?? '') ? (request.method ?? '') : 'other';
    options.deps.metrics.httpAnswered(DIRECT_PATH, method, response.statusCode);
  });
  try {
    gate.guard(request, 'request');
  } catch (error) {
    void sendFailure(request, response, error);
    return;
  }
  options.direct.direct(request, response, authenticate);
}

function upgrade(
  options: HttpServerOptions,
  gate: Gate,
  authenticate: Authenticate,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  // Node takes its own error listener off an upgraded socket: a reset before hand-over must not end the process.
  socket.on('error', () => socket.destroy());
  try {
    if (request.url?.startsWith(DIRECT_PATH) === true) {
      gate.guard(request, 'upgrade');
      options.direct.directUpgrade(request, socket, head, authenticate);
      return;
    }
    gate.pass(request, 'upgrade');
    const websocket = request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
    if (!websocket) throw new Refusal(400, new HoopError('usage', 'only upgrades to websocket are taken'));
    options.onUpgrade(request, socket, head);
  } catch (error) {
    if (!isForeseen(error)) options.deps.onFailure('upgrade', error);
    refuseSocket(socket, error);
  }
}

function listen(server: Server, at: HttpServerOptions['listen']): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const taken = error.code === 'EADDRINUSE';
      const why = `${at.host}:${at.port}`;
      reject(
        taken
          ? new HoopError('port_taken', 'the port is taken', { why, cause: error })
          : new HoopError('failed', 'the agent cannot listen there', { why, cause: error }),
      );
    };
    server.once('error', failed);
    server.listen({ host: at.host, port: at.port }, () => {
      server.off('error', failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server, upgraded: ReadonlySet<Duplex>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
      // Node no longer counts these as HTTP connections, but waits for them all the same.
      for (const socket of upgraded) socket.destroy();
    }, graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
