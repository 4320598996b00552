import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { createHttpExchange } from './http-exchange.js';
import type { HttpExchangeOptions, HttpRequestInit } from './http-exchange.js';

/** The part of `fetch` that hoop and its OpenID library use. */
export type Fetch = (url: string, init: HttpRequestInit) => Promise<Response>;

const BODYLESS = new Set([204, 205, 304]);

/**
 * `createHttpExchange` as a `fetch`: what the OpenID library takes. A body is streamed.
 *
 * @throws HoopError `config_invalid` where the CA file can't be read
 */
export function createFetch(options: HttpExchangeOptions = {}): Fetch {
  const exchange = createHttpExchange(options);
  return async (url, init) => toResponse(await exchange(url, init));
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
