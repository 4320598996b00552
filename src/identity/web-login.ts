import * as oidc from 'openid-client';
import { HoopError } from '../core/errors.js';
import type { Fetch } from './http-fetch.js';
import { audienceParameters, discoverIssuer, explainOidcFailure, toTokenSet } from './oidc-client.js';
import { listenForRedirect } from './redirect-listener.js';
import type { TokenSet } from './token-set.js';
import type { WellKnown } from './well-known.js';

/** Time for a person to log in in the browser. */
const PATIENCE_MS = 5 * 60_000;

/** What a person needs to log in in a browser on this machine. */
export interface WebPrompt {
  /** The provider's page; leads back to this machine. */
  readonly url: string;
  /** Seconds from now. */
  readonly expiresInS: number;
}

/**
 * Logs a person in by redirect: the authorization code flow with PKCE, back to a listener on loopback. `state`, the
 * ID token's `nonce` and the answer's `iss` are checked.
 *
 * @param options.signal ends the waiting
 * @throws HoopError `login_denied`, `login_expired`, `unreachable`, `protocol`, `port_taken`; `usage` where the
 *   provider has no such flow
 * @see https://www.rfc-editor.org/rfc/rfc8252
 * @see https://www.rfc-editor.org/rfc/rfc9207
 */
export async function webLogin(options: {
  readonly agent: Omit<WellKnown, 'version' | 'recordingKeys'>;
  readonly fetch: Fetch;
  readonly show: (prompt: WebPrompt) => void;
  readonly signal?: AbortSignal;
  readonly patienceMs?: number;
}): Promise<TokenSet> {
  const { agent, patienceMs = PATIENCE_MS } = options;
  const issuer = await discoverIssuer(agent, options.fetch);
  if (issuer.serverMetadata().authorization_endpoint === undefined)
    throw new HoopError('usage', 'the identity provider has no login page to send a browser to', {
      suggestion: 'run `hoop login` without --web',
    });
  const state = oidc.randomState();
  const verifier = oidc.randomPKCECodeVerifier();
  // Only an ID token carries the nonce, and only `openid` asks for one.
  const nonce = agent.scopes.includes('openid') ? oidc.randomNonce() : undefined;
  const listener = await listenForRedirect({ redirectUri: agent.redirectUri, state });
  try {
    const target = audienceParameters(agent.audience, agent.audienceParameter);
    const url = oidc.buildAuthorizationUrl(issuer, {
      redirect_uri: listener.redirectUri,
      scope: agent.scopes.join(' '),
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(nonce === undefined ? {} : { nonce }),
      ...target,
    });
    options.show({ url: url.href, expiresInS: Math.round(patienceMs / 1000) });
    const redirect = await inTime(listener.redirect, patienceMs, options.signal);
    try {
      const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: nonce !== undefined };
      const answer = await oidc.authorizationCodeGrant(
        issuer,
        redirect.url,
        nonce === undefined ? checks : { ...checks, expectedNonce: nonce },
        target,
      );
      const tokens = toTokenSet(answer, agent, Math.floor(Date.now() / 1000));
      redirect.finish('done');
      return tokens;
    } catch (error) {
      redirect.finish('failed');
      throw explainOidcFailure(error, 'the identity provider did not go through with the login');
    }
  } finally {
    listener.close();
  }
}

/** @throws HoopError `login_expired`; the signal's own reason where that comes first */
function inTime<T>(work: Promise<T>, patienceMs: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new HoopError('login_expired', 'nobody logged in in time', { suggestion: 'run `hoop login --web` again' }),
      );
    }, patienceMs);
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    if (signal?.aborted === true) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    void work.then((value) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      resolve(value);
    });
  });
}
