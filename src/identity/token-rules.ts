import { HoopError } from '../core/errors.js';
import type { IdentityProviderResource } from '../core/resources.js';

/** Asymmetric signatures only: a symmetric one would make the public key a password. */
export const ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
/** Headers by which a token would name the key that proves it. */
const KEY_HEADERS = ['jwk', 'jku', 'x5u', 'x5c'];
const SKEW_S = 60;
/** The last second that JavaScript has a date for. */
const LAST_DATE_S = 8.64e12;

/** A refusal says which rule failed, never what the token held. */
export function refused(
  message: string,
  options: { readonly suggestion?: string; readonly cause?: unknown } = {},
): HoopError {
  return new HoopError('token_refused', message, options);
}

/**
 * Checks a JWS header before anything else of the token is believed.
 *
 * @throws HoopError `token_refused`
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3
 */
export function checkHeader(header: Readonly<Record<string, unknown>>): void {
  const { alg, typ } = header;
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg))
    throw refused('the token is not signed by an asymmetric algorithm');
  if (typ !== undefined && (typeof typ !== 'string' || !TYPES.has(typ.toLowerCase()))) {
    throw refused('the token is of another type than an access token');
  }
  // No extension is understood here, so each one that must be understood is unknown.
  if (Object.hasOwn(header, 'crit')) throw refused('the token demands an extension that is not understood');
  if (KEY_HEADERS.some((name) => Object.hasOwn(header, name))) throw refused('the token brings a key of its own');
}

/**
 * Checks the claims of a token that is proven: whom it is for, who it is about, when it holds.
 *
 * @param providers those with the token's issuer; the audience chooses among them
 * @param nowMs milliseconds since the epoch
 * @returns the provider, and `exp` in seconds since the epoch
 * @throws HoopError `token_refused`
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 */
export function checkClaims(
  claims: Readonly<Record<string, unknown>>,
  providers: readonly IdentityProviderResource[],
  nowMs: number,
): { readonly provider: IdentityProviderResource; readonly expiresAt: number } {
  const provider = providers.find(({ issuer, audience }) => claims['iss'] === issuer && names(claims['aud'], audience));
  if (provider === undefined) throw refused('the token is for another audience');
  const subject = claims['sub'];
  if (typeof subject !== 'string' || subject === '') throw refused('the token names no subject');
  return { provider, expiresAt: checkTimes(claims, nowMs / 1000) };
}

function names(aud: unknown, audience: string): boolean {
  if (!Array.isArray(aud)) return aud === audience;
  return aud.every((entry) => typeof entry === 'string') && aud.includes(audience);
}

/** @returns `exp`, in seconds since the epoch */
function checkTimes(claims: Readonly<Record<string, unknown>>, nowS: number): number {
  const { exp, nbf, iat } = claims;
  if (typeof exp !== 'number' || !(Math.abs(exp) <= LAST_DATE_S)) throw refused('the token does not say when it ends');
  if (exp <= nowS) throw refused('the token has expired');
  for (const start of [nbf, iat]) {
    if (start === undefined) continue;
    if (typeof start !== 'number' || !Number.isFinite(start)) throw refused('a time in the token is no number');
    if (start > nowS + SKEW_S)
      throw refused('the token is not valid yet', { suggestion: 'check the clocks of both machines' });
  }
  return exp;
}
