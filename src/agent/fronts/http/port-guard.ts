import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HoopError } from '../../../core/errors.js';
import type { HttpCaller } from '../../sessions/session-host.js';
import { tokenOf } from '../../http/token.js';

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * What a request through a local port must show besides having got there: a loopback Host (a web page that had its
 * name rebound sends its own), nothing that says another site's page, and the key that the port was opened with, which ports of models always are.
 *
 * @throws HoopError `not_allowed`, `not_logged_in`, `token_refused`
 */
export function guardPort(request: Pick<IncomingMessage, 'method' | 'rawHeaders'>, caller: HttpCaller): void {
  const hosts = valuesOf(request.rawHeaders, 'host');
  const host = hosts[0];
  if (hosts.length !== 1 || host === undefined || !LOOPBACK_HOST.test(host))
    throw new HoopError('not_allowed', 'a local port serves requests to localhost only');
  const origins = valuesOf(request.rawHeaders, 'origin');
  if (origins.length > 1 || (origins[0] !== undefined && !isOwn(origins[0], host)) || isOfAnotherSite(request))
    throw new HoopError('not_allowed', 'requests of other web sites are refused');
  // Plain HTTP wants a key only where its port was opened with one.
  if (caller.connection.type === 'http' && caller.portKeyHash === undefined) return;
  if (caller.portKeyHash === undefined) throw new HoopError('not_logged_in', 'this port was opened without a key');
  const given = createHash('sha256').update(keyOf(request.rawHeaders)).digest();
  const wanted = Buffer.from(caller.portKeyHash, 'hex');
  if (wanted.length !== given.length || !timingSafeEqual(given, wanted))
    throw new HoopError('token_refused', 'the key is not the one that this port was opened with');
}

/** @throws HoopError as `tokenOf`; who sends none is told where the port's key is */
function keyOf(rawHeaders: readonly string[]): string {
  try {
    return tokenOf(rawHeaders);
  } catch (error) {
    if (!(error instanceof HoopError) || error.code !== 'not_logged_in') throw error;
    throw new HoopError('not_logged_in', 'no key was sent; the one of this port is in the environment of hoop connect');
  }
}

function isOwn(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

/**
 * A browser names no origin for an image, a script or a frame of another site's page, but where they come from. A link
 * that a person follows passes: an upstream's own login leads back by one.
 *
 * @see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 */
function isOfAnotherSite({ method, rawHeaders }: Pick<IncomingMessage, 'method' | 'rawHeaders'>): boolean {
  const told = (name: string): string => valuesOf(rawHeaders, name).join(',').toLowerCase();
  if (['', 'none', 'same-origin'].includes(told('sec-fetch-site'))) return false;
  const follows = told('sec-fetch-mode') === 'navigate' && told('sec-fetch-dest') === 'document';
  return !(follows && method === 'GET');
}

function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name);
}
