import type { IncomingMessage } from 'node:http';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import type { LoginLimit } from '../callers/login-limit.js';
import type { AddressOf } from './client-address.js';

/** RFC 6750 section 2.1: `b64token`. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

const TOKEN_HEADERS = ['authorization', 'x-api-key', 'api-key'] as const;

/** Who sent this request, as proven by its token; for requests and upgrades alike. */
export type Authenticate = (request: Pick<IncomingMessage, 'rawHeaders' | 'socket'>) => Promise<Identity>;

export function createAuthenticate(
  verify: (token: string) => Promise<Identity>,
  logins: LoginLimit,
  addressOf: AddressOf,
): Authenticate {
  return async (request) => logins.token(addressOf(request), tokenOf(request.rawHeaders), verify);
}

/**
 * The token of a request: `Authorization: Bearer` where that header is present, whatever the others
 * hold; else `x-api-key`, else `api-key`.
 *
 * Reads the raw list: Node's `headers` keeps the first `authorization` of two and hides the second.
 *
 * @param rawHeaders names and values by turns, as Node gives them
 * @throws HoopError `not_logged_in` without a token; `token_refused` for a header sent twice or of another form
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
export function tokenOf(rawHeaders: readonly string[]): string {
  const sent = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (!TOKEN_HEADERS.some((header) => header === name)) continue;
    if (sent.has(name)) throw new HoopError('token_refused', `the ${name} header was sent twice`);
    sent.set(name, rawHeaders[index + 1] as string);
  }
  const authorization = sent.get('authorization');
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw new HoopError('token_refused', 'the authorization header must be `Bearer TOKEN`');
    return token;
  }
  const key = sent.get('x-api-key') ?? sent.get('api-key');
  if (key === undefined) throw new HoopError('not_logged_in', 'no token was sent');
  return key;
}
