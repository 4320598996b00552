import * as oidc from 'openid-client';
import type { Fetch } from './http-fetch.js';
import { discoverIssuer, explainOidcFailure } from './oidc-client.js';
import type { TokenSet } from './token-set.js';

/**
 * Ends the login at the provider, where it offers that: the refresh token, or the access token where
 * there is no other.
 *
 * @returns false where the provider offers no revocation
 * @throws HoopError where it does and did not go through with it
 * @see https://www.rfc-editor.org/rfc/rfc7009#section-2
 */
export async function revokeTokens(tokens: TokenSet, fetch: Fetch): Promise<boolean> {
  const issuer = await discoverIssuer(tokens, fetch);
  if (issuer.serverMetadata().revocation_endpoint === undefined) return false;
  const [token, hint] =
    tokens.refreshToken === undefined ? [tokens.accessToken, 'access_token'] : [tokens.refreshToken, 'refresh_token'];
  try {
    await oidc.tokenRevocation(issuer, token, { token_type_hint: hint });
    return true;
  } catch (error) {
    throw explainOidcFailure(error, 'the identity provider did not revoke the login');
  }
}
