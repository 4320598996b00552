import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HoopError } from '../core/errors.js';
import { isLoopback } from './loopback.js';

/** Where the browser is sent back to unless the agent names another place; the port is then a free one. */
const DEFAULT_REDIRECT = 'http://127.0.0.1/callback';

/** The browser came back with the answer to this login. */
export interface Redirect {
  /** The whole address, with the answer in its query. */
  readonly url: URL;
  /** Shows the person how it ended. */
  finish(outcome: 'done' | 'failed'): void;
}

/** A listener on loopback for one redirect, whose `state` it knows. */
export interface RedirectListener {
  /** What to tell the provider. */
  readonly redirectUri: string;
  /** Settles with the first redirect of this login; anything else that calls is turned away meanwhile. */
  readonly redirect: Promise<Redirect>;
  close(): void;
}

/**
 * Waits on this machine for the browser to come back from the provider.
 *
 * @param options.redirectUri a loopback address; without a port a free one is taken (RFC 8252 section 7.3)
 * @param options.state what proves that a redirect belongs to this login
 * @throws HoopError `protocol` for an address that is not on loopback, `port_taken`
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7.3
 */
export async function listenForRedirect(options: {
  readonly redirectUri: string | undefined;
  readonly state: string;
}): Promise<RedirectListener> {
  const wanted = parseRedirect(options.redirectUri ?? DEFAULT_REDIRECT);
  let arrive: (redirect: Redirect) => void = () => undefined;
  const redirect = new Promise<Redirect>((resolve) => (arrive = resolve));
  const taken = { by: false };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const url = redirectOf(request, wanted, options.state);
    if (url === undefined || taken.by) return turnAway(response);
    taken.by = true;
    arrive({ url, finish: (outcome) => showEnd(response, outcome) });
  };
  const servers = await listen(wanted, onRequest);
  const { port } = servers[0]?.address() as AddressInfo;
  wanted.port = String(port);
  return {
    redirectUri: wanted.href,
    redirect,
    close: () => {
      for (const server of servers) {
        server.close();
        server.closeIdleConnections();
      }
    },
  };
}

function parseRedirect(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' && isLoopback(url) && url.search === '' && url.hash === '') return url;
  throw new HoopError('protocol', 'the agent names a redirect that does not lead to this machine');
}

/** `localhost` may be either family to the browser: both listen, on one port. */
async function listen(
  wanted: URL,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<readonly Server[]> {
  const hosts = wanted.hostname === 'localhost' ? ['127.0.0.1', '::1'] : [wanted.hostname.replace(/^\[|\]$/g, '')];
  const servers: Server[] = [];
  for (const host of hosts) {
    const server = createServer({ maxHeaderSize: 64 * 1024, requestTimeout: 10_000 }, onRequest);
    const port = servers.length === 0 ? Number(wanted.port) : (servers[0]?.address() as AddressInfo).port;
    try {
      await started(server, host, port);
      servers.push(server);
    } catch (error) {
      // A machine without IPv6: the first address serves.
      if (servers.length > 0) continue;
      throw new HoopError('port_taken', 'the port that the provider sends the browser back to is taken', {
        why: `${host}:${port}`,
        suggestion: 'end the program that holds it; perhaps another `hoop login --web` waits',
        cause: error,
      });
    }
  }
  return servers;
}

function started(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => resolve());
  });
}

/**
 * The address of a request that is this login's redirect; undefined for anything else that finds the port: another
 * login's, a web page that guesses, a name that was bound to this machine.
 */
function redirectOf(request: IncomingMessage, wanted: URL, state: string): URL | undefined {
  const host = request.headers.host ?? '';
  const target = request.url ?? '';
  if (request.method !== 'GET' || !target.startsWith('/') || !URL.canParse(`http://${host}`)) return undefined;
  if (!isLoopback(new URL(`http://${host}`)) || !URL.canParse(target, wanted.origin)) return undefined;
  const url = new URL(target, wanted.origin);
  const states = url.searchParams.getAll('state');
  return url.origin === wanted.origin && url.pathname === wanted.pathname && states.length === 1 && states[0] === state
    ? url
    : undefined;
}

function turnAway(response: ServerResponse): void {
  send(response, 404, 'other', 'Nothing here', 'This address waits for a login that was started in a terminal.');
}

function showEnd(response: ServerResponse, outcome: 'done' | 'failed'): void {
  if (outcome === 'done')
    send(response, 200, 'done', 'Logged in', 'You can close this page and go back to the terminal.');
  else send(response, 400, 'failed', 'Not logged in', 'The terminal says why. You can close this page.');
}

/** Nothing of the request is shown. */
function send(response: ServerResponse, status: number, id: string, title: string, text: string): void {
  response
    .writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      connection: 'close',
    })
    .end(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>hoop: ${title}</title>` +
        '<style>body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}</style>' +
        `<body id="${id}"><h1>${title}</h1><p>${text}</p></body></html>`,
    );
}
