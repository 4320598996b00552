import * as oidc from 'openid-client';
import type { Fetch } from './http-fetch.js';
import { audienceParameters, discoverIssuer, explainOidcFailure, toTokenSet } from './oidc-client.js';
import type { TokenSet } from './token-set.js';

/**
 * New tokens of the provider for a login's refresh token; a provider that does not rotate it keeps the old one good.
 *
 * @throws HoopError `token_refused`, `unreachable` and what `explainOidcFailure` tells
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 */
export async function refreshGrant(tokens: TokenSet, fetch: Fetch): Promise<TokenSet> {
  const { refreshToken = '' } = tokens;
  try {
    const issuer = await discoverIssuer(tokens, fetch);
    const answer = await oidc.refreshTokenGrant(
      issuer,
      refreshToken,
      audienceParameters(tokens.audience, tokens.audienceParameter),
    );
    const refreshed = {
      ...answer,
      claims: () => answer.claims(),
      refresh_token: answer.refresh_token ?? refreshToken,
    };
    return {
      ...toTokenSet(refreshed, tokens, Math.floor(Date.now() / 1000)),
      ...(tokens.loginId === undefined ? {} : { loginId: tokens.loginId }),
    };
  } catch (error) {
    throw explainOidcFailure(error, 'the identity provider did not refresh the login');
  }
}
