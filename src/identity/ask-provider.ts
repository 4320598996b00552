import { HoopError } from '../core/errors.js';
import type { IdentityProviderResource, SecretRef } from '../core/resources.js';
import type { HttpRequestInit } from './http-exchange.js';
import type { Fetch } from './http-fetch.js';
import type { IssuerKeys } from './issuer-keys.js';
import { ProviderAway } from './provider-away.js';
import { readBody } from './read-body.js';
import { refused } from './token-rules.js';

type Claims = Readonly<Record<string, unknown>>;

/** Resolves the secret of the agent's own client at the provider. */
export type RevealSecret = (ref: SecretRef) => Promise<{ reveal(): string }>;

export interface ProviderAccess {
  readonly provider: IdentityProviderResource;
  readonly keys: Pick<IssuerKeys, 'endpoint'>;
  readonly fetch: Fetch;
  readonly reveal: RevealSecret;
}

const MAX_BYTES = 256 * 1024;
/** How providers call an access token; anything else, a refresh token say, is no way in. */
const ACCESS_TOKEN_TYPES: readonly unknown[] = ['bearer', 'access_token'];

/**
 * Asks the provider whether a token is good, and what it holds.
 *
 * @returns the claims of a token that is active, is an access token and was made for the agent
 * @throws HoopError `token_refused`; `ProviderAway` where the provider does not answer
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2
 */
export async function introspect(token: string, access: ProviderAccess): Promise<Claims> {
  const { provider, reveal } = access;
  const settings = provider.introspection;
  if (settings === undefined) throw refused('the token is no JWT');
  const secret = (await reveal(settings.clientSecret)).reveal();
  const client = [settings.clientId, secret].map(formEncoded).join(':');
  const claims = await askForJson(access, 'introspection_endpoint', {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(client).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
  });
  if (claims['active'] !== true) throw refused('the provider says that the token has ended');
  const type = claims['token_type'];
  if (!ACCESS_TOKEN_TYPES.includes(typeof type === 'string' ? type.toLowerCase() : type))
    throw refused('the token is of another type than an access token');
  if (claims['iss'] !== undefined && claims['iss'] !== provider.issuer) throw refused('the token is of another issuer');
  if (claims['aud'] !== undefined) return claims;
  // Without an audience, who it was given to is all there is.
  if (!settings.clients.includes(claims['client_id'] as string)) throw refused('the token is for another audience');
  return { ...claims, aud: provider.audience };
}

/**
 * Claims of the caller from the provider's userinfo endpoint.
 *
 * @throws HoopError `token_refused`; `ProviderAway`
 * @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
 */
export async function askUserinfo(token: string, access: ProviderAccess): Promise<Claims> {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  const claims = await askForJson(access, 'userinfo_endpoint', { headers });
  const subject = claims['sub'];
  if (typeof subject !== 'string' || subject === '') throw refused('the token names no subject');
  return claims;
}

/** 401 and 403 are the provider's word on the token; any other failure is its own. */
async function askForJson(
  { keys, fetch }: ProviderAccess,
  endpoint: 'introspection_endpoint' | 'userinfo_endpoint',
  init: HttpRequestInit,
): Promise<Claims> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(await keys.endpoint(endpoint), init);
    status = response.status;
    text = await readBody(response.body, MAX_BYTES);
  } catch (error) {
    if (error instanceof HoopError && error.code !== 'limit') throw error;
    throw new ProviderAway('the identity provider can not be asked about the token');
  }
  if (endpoint === 'userinfo_endpoint' && (status === 401 || status === 403))
    throw refused('the provider says that the token has ended');
  if (status !== 200) throw new ProviderAway(`the identity provider answers about the token with status ${status}`);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims;
  } catch {
    // Told below, without what came.
  }
  throw new ProviderAway('the answer of the identity provider about the token is no JSON object');
}

/** RFC 6749 section 2.3.1: both parts are form-encoded before they are put together. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
