import * as oidc from 'openid-client';
import { HoopError } from '../core/errors.js';
import type { Fetch } from './http-fetch.js';
import { audienceParameters, discoverIssuer, explainOidcFailure, toTokenSet } from './oidc-client.js';
import type { TokenSet } from './token-set.js';
import type { WellKnown } from './well-known.js';

/**
 * Logs a machine in with its own id and secret.
 *
 * @throws HoopError `login_denied`, `unreachable`, `protocol`
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
 */
export async function clientCredentialsLogin(options: {
  readonly agent: Pick<WellKnown, 'issuer' | 'audience' | 'audienceParameter'>;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly fetch: Fetch;
}): Promise<TokenSet> {
  const { agent, clientId, clientSecret } = options;
  const client = { issuer: agent.issuer, clientId, clientSecret };
  const issuer = await discoverIssuer(client, options.fetch);
  try {
    const answer = await oidc.clientCredentialsGrant(
      issuer,
      audienceParameters(agent.audience, agent.audienceParameter),
    );
    return toTokenSet(answer, { ...client, audience: agent.audience }, Math.floor(Date.now() / 1000));
  } catch (error) {
    const failure = explainOidcFailure(error, 'the identity provider refused the client');
    if (failure.code !== 'login_denied') throw failure;
    throw new HoopError('login_denied', failure.message, {
      ...(failure.why === undefined ? {} : { why: failure.why }),
      suggestion: 'check HOOP_CLIENT_ID and HOOP_CLIENT_SECRET, and that the client may ask for client credentials',
      cause: error,
    });
  }
}
