import * as oidc from 'openid-client';
import { HoopError, messageOf } from '../core/errors.js';
import type { AudienceParameter, LoginToken } from '../core/login-options.js';
import type { Fetch } from './http-fetch.js';
import { isLoopback } from './loopback.js';
import type { TokenSet } from './token-set.js';

/** Taken where neither the answer nor the token says how long it lives. */
const UNKNOWN_LIFE_S = 300;

/** Which provider, and as which client. */
export interface ClientAtIssuer {
  readonly issuer: string;
  readonly clientId: string;
  /** For machines; a CLI on a person's machine has none. */
  readonly clientSecret?: string;
  /** Of providers that give installed programs one and call it no secret: the agent publishes it. */
  readonly publicClientSecret?: string;
}

/**
 * Reads the issuer's discovery document.
 *
 * @throws HoopError `unreachable` where it does not answer, `protocol` where the answer is not its own
 */
export async function discoverIssuer(client: ClientAtIssuer, fetch: Fetch): Promise<oidc.Configuration> {
  const url = URL.canParse(client.issuer) ? new URL(client.issuer) : undefined;
  if (url === undefined) throw new HoopError('protocol', 'the agent names an issuer that is no URL');
  // The library refuses every other plain-http request by itself.
  const clear = url.protocol === 'http:' && isLoopback(url);
  const secret = client.clientSecret ?? client.publicClientSecret;
  const authentication = secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret);
  try {
    return await oidc.discovery(url, client.clientId, undefined, authentication, {
      [oidc.customFetch]: (target, init) =>
        fetch(target, { method: init.method, headers: init.headers, body: bodyText(init.body), signal: init.signal }),
      execute: clear ? [oidc.allowInsecureRequests] : [],
    });
  } catch (error) {
    throw explainOidcFailure(error, 'the identity provider does not answer as one');
  }
}

/**
 * How to ask for a token with the agent's audience: RFC 8707 `resource` where it is a URI, and the
 * `audience` parameter (Auth0, Keycloak's token exchange) where it is a plain name.
 *
 * @param way what the agent's configuration says instead
 */
export function audienceParameters(audience: string, way?: AudienceParameter): Record<string, string> {
  const chosen = way ?? (URL.canParse(audience) ? 'resource' : 'audience');
  return chosen === 'none' ? {} : { [chosen]: audience };
}

/** What a login is for, and what it is kept with: enough to refresh and to revoke it. */
export interface LoginTarget extends ClientAtIssuer {
  readonly audience: string;
  readonly loginToken?: LoginToken;
  readonly audienceParameter?: AudienceParameter;
}

interface TokenAnswer {
  readonly access_token: string;
  readonly id_token?: string | undefined;
  readonly refresh_token?: string | undefined;
  readonly expires_in?: number | undefined;
  /** Of the ID token, which the library has checked. */
  readonly claims?: () => { readonly exp: number } | undefined;
}

/**
 * The tokens of an answer, as they are kept.
 *
 * @throws HoopError `protocol` where the ID token is to be sent and none was given
 */
export function toTokenSet(answer: TokenAnswer, target: LoginTarget, nowS: number): TokenSet {
  const { loginToken, audienceParameter, publicClientSecret } = target;
  return {
    ...(loginToken === 'id' ? idToken(answer, nowS) : accessToken(answer, nowS)),
    ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
    obtainedAt: nowS,
    issuer: target.issuer,
    clientId: target.clientId,
    audience: target.audience,
    ...(loginToken === undefined ? {} : { loginToken }),
    ...(audienceParameter === undefined ? {} : { audienceParameter }),
    ...(publicClientSecret === undefined ? {} : { publicClientSecret }),
  };
}

type SentToken = Pick<TokenSet, 'accessToken' | 'expiresAt'>;

function accessToken(answer: TokenAnswer, nowS: number): SentToken {
  return { accessToken: answer.access_token, expiresAt: nowS + (answer.expires_in ?? UNKNOWN_LIFE_S) };
}

function idToken(answer: TokenAnswer, nowS: number): SentToken {
  if (answer.id_token === undefined)
    throw new HoopError('protocol', 'the identity provider gave no ID token', {
      why: 'the agent takes ID tokens of this provider',
      suggestion: 'ask who runs the agent to add `openid` to the scopes',
    });
  return { accessToken: answer.id_token, expiresAt: answer.claims?.()?.exp ?? nowS + UNKNOWN_LIFE_S };
}

/** An OAuth error by its registered code; the provider's own description is told as the reason. */
export function explainOidcFailure(error: unknown, message: string): HoopError {
  if (error instanceof HoopError) return error;
  if (error instanceof oidc.ResponseBodyError) {
    const why = error.error_description ?? error.error;
    if (error.error === 'access_denied') return new HoopError('login_denied', 'the login was refused', { why });
    if (error.error === 'expired_token')
      return new HoopError('login_expired', 'the code was not confirmed in time', { why });
    if (error.error === 'invalid_grant') return new HoopError('token_refused', 'the login has ended', { why });
    return new HoopError('login_denied', message, { why: `${error.error}: ${why}` });
  }
  if (error instanceof oidc.AuthorizationResponseError) {
    const why = error.error_description ?? error.error;
    if (error.error === 'access_denied') return new HoopError('login_denied', 'the login was refused', { why });
    return new HoopError('login_denied', message, { why: `${error.error}: ${why}` });
  }
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    return new HoopError('login_denied', message, { why: `it answered with status ${error.status}` });
  }
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (code === 'OAUTH_TIMEOUT') return new HoopError('login_expired', 'the code was not confirmed in time');
  const network = networkCause(error);
  if (network === undefined)
    return new HoopError('protocol', message, {
      why: messageOf(error),
      suggestion: 'ask who runs the identity provider',
    });
  return new HoopError('unreachable', 'the identity provider does not answer', {
    why: messageOf(network),
    suggestion: 'check the network, and that the identity provider runs',
  });
}

/** Node's own error of a socket, a name look-up or TLS, however deep the library wrapped it. */
function networkCause(error: unknown): Error | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { code, syscall } = at as NodeJS.ErrnoException;
    if (
      syscall !== undefined ||
      code === 'ETIMEDOUT' ||
      code === 'ECONNRESET' ||
      /^(CERT|ERR_TLS|DEPTH|SELF|UNABLE)_/.test(code ?? '')
    )
      return at;
  }
  return undefined;
}

function bodyText(body: unknown): string | undefined {
  if (body === null || body === undefined) return undefined;
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new TypeError('a request of the OpenID library has a body of an unexpected kind');
}
