import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { wireFor } from '../network/open-wire.js';
import { trustWith } from '../network/trust.js';

/** One request and the head of its answer; the body comes as the message is read. */
export type HttpExchange = (url: string, init: HttpRequestInit) => Promise<IncomingMessage>;

export interface HttpRequestInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The body may be silent for any time: it follows something live. */
  readonly live?: boolean;
}

export interface HttpExchangeOptions {
  /** PEM file to trust besides the system's. */
  readonly caFile?: string | undefined;
  /** Longest wait for the answer's head, and longest silence inside of a body that is not live. */
  readonly timeoutMs?: number;
}

/**
 * Sends requests that follow no redirect (a token would follow it), trust one more certificate authority where asked,
 * go through the environment's proxy, and give up on a silent peer.
 *
 * Node's own `fetch` and its `Response` are not used: to load them takes as long as three requests. A short command
 * asks the agent with this alone.
 *
 * It rejects with Node's own network errors (`code: 'ECONNREFUSED'`).
 *
 * @throws HoopError `config_invalid` where the CA file can't be read
 */
export function createHttpExchange({ caFile, timeoutMs = 15_000 }: HttpExchangeOptions = {}): HttpExchange {
  // Said at once, and not by the first request.
  if (caFile !== undefined && caFile !== '') trustWith(caFile);
  return (url, init) =>
    new Promise((resolve, reject) => {
      // The wire is TLS already where the address asks for it: node:http on it is HTTPS.
      const target = new URL(url);
      const request = requestHttp({
        protocol: 'http:',
        host: target.hostname,
        port: target.port,
        path: `${target.pathname}${target.search}`,
        method: init.method ?? 'GET',
        headers: { 'accept-encoding': 'identity', host: target.host, ...init.headers },
        // A connection of its own: a kept-alive one may have been closed by the other end meanwhile.
        createConnection: wireFor(target, { caFile, timeoutMs }),
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
        resolve(message);
      });
      request.end(init.body);
    });
}

function timeoutError(): NodeJS.ErrnoException {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
}
