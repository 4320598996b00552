import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { wireFor } from '../network/open-wire.js';
import { trustWith } from '../network/trust.js';

/** The part of `fetch` that hoop and its OpenID library use. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

export interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The body may be silent for any time: it follows something live. */
  readonly live?: boolean;
}

const BODYLESS = new Set([204, 205, 304]);

/**
 * A `fetch` that follows no redirect (a token would follow it), trusts one more certificate authority
 * where asked, goes through the environment's proxy, and gives up on a silent peer.
 *
 * It rejects with Node's own network errors (`code: 'ECONNREFUSED'`); a body is streamed.
 *
 * @param options.caFile PEM file to trust besides the system's, or undefined
 * @param options.timeoutMs longest wait for the answer's head, and longest silence inside of a body that is not live
 * @throws HoopError `config_invalid` where the CA file can't be read
 */
export function createFetch(
  options: { readonly caFile?: string | undefined; readonly timeoutMs?: number } = {},
): Fetch {
  const { caFile, timeoutMs = 15_000 } = options;
  // Said at once, and not by the first request.
  if (caFile !== undefined && caFile !== '') trustWith(caFile);
  return (url, init) =>
    new Promise((resolve, reject) => {
      const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
        method: init.method ?? 'GET',
        headers: { 'accept-encoding': 'identity', ...init.headers },
        // A connection of its own: a kept-alive one may have been closed by the other end meanwhile.
        createConnection: wireFor(new URL(url), { caFile, timeoutMs }),
        ...(init.signal === undefined ? {} : { signal: init.signal }),
      });
      const deadline = setTimeout(() => request.destroy(timeoutError()), timeoutMs);
      request.on('error', (error) => {
        clearTimeout(deadline);
        reject(error);
      });
      request.on('response', (message) => {
        clearTimeout(deadline);
        if (init.live !== true) message.socket.setTimeout(timeoutMs, () => message.destroy(timeoutError()));
        resolve(toResponse(message));
      });
      request.end(init.body);
    });
}

function toResponse(message: IncomingMessage): Response {
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const status = message.statusCode ?? 500;
  if (BODYLESS.has(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(message) as ReadableStream<Uint8Array>, { status, headers });
}

function timeoutError(): NodeJS.ErrnoException {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
}
