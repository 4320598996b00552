import { createHash } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import type { Clock } from '../core/clock.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type { IdentityProviderResource } from '../core/resources.js';
import { createFetch } from './http-fetch.js';
import type { Fetch } from './http-fetch.js';
import { IssuerKeys } from './issuer-keys.js';
import { isLoopback } from './loopback.js';
import { ALGORITHMS, checkHeader, readClaims, refused } from './token-rules.js';

const MAX_TOKEN_CHARS = 16 * 1024;
const MAX_CACHED = 10_000;
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export interface TokenVerifier {
  /**
   * Who calls, as the token proves.
   *
   * @throws HoopError `token_refused`; its message names the rule, never what the token holds
   */
  verify(token: string): Promise<Identity>;
}

interface Issuer {
  readonly providers: readonly IdentityProviderResource[];
  readonly keys: IssuerKeys;
}

/**
 * Verifies access tokens (JWT, RFC 9068) of the configured providers by their published keys.
 *
 * A token proven once is believed until it ends, or until the keys that proved it are ten minutes
 * old, whichever comes first; then it is proven anew.
 *
 * @throws HoopError `config_invalid` for a plain-http issuer off loopback, or two providers alike
 */
export function createTokenVerifier(
  providers: readonly IdentityProviderResource[],
  options: { readonly clock: Clock; readonly fetch?: Fetch },
): TokenVerifier {
  const { clock } = options;
  const issuers = groupByIssuer(providers, clock, options.fetch ?? createFetch({ timeoutMs: 5_000 }));
  // Keyed by the whole digest: a key by a part of the token lets one token pass for another.
  const cache = new Map<string, { readonly identity: Identity; readonly untilMs: number }>();
  return {
    async verify(token) {
      const digest = createHash('sha256').update(token).digest('base64');
      const known = cache.get(digest);
      if (known !== undefined && clock.nowMs() < known.untilMs) return known.identity;
      cache.delete(digest);
      const { identity, until } = await prove(token, issuers, clock);
      if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value as string);
      cache.set(digest, { identity, untilMs: Math.min(identity.expiresAt * 1000, until) });
      return identity;
    },
  };
}

async function prove(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
  clock: Clock,
): Promise<{ readonly identity: Identity; readonly until: number }> {
  if (token.length > MAX_TOKEN_CHARS || !COMPACT_JWS.test(token)) throw refused('the token is no JWT');
  const { header, claimed } = decode(token);
  checkHeader(header);
  const issuer = typeof claimed === 'string' ? issuers.get(claimed) : undefined;
  if (issuer === undefined) throw refused('the token is of an issuer that is not configured');
  const kid = header['kid'];
  if (kid !== undefined && typeof kid !== 'string') throw refused('the key id of the token is no text');
  const { keys, until } = await issuer.keys.lookup(kid);
  const claims = await readSigned(token, keys);
  return { identity: readClaims(claims, issuer.providers, clock.nowMs()), until };
}

function decode(token: string): { readonly header: Record<string, unknown>; readonly claimed: unknown } {
  try {
    return { header: { ...decodeProtectedHeader(token) }, claimed: decodeJwt(token).iss };
  } catch {
    throw refused('the token is no JWT');
  }
}

async function readSigned(token: string, keys: Parameters<typeof compactVerify>[1]): Promise<Record<string, unknown>> {
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(token, keys, { algorithms: [...ALGORITHMS] }));
  } catch {
    // No cause: the library's errors may quote the token.
    throw refused('no key of the issuer proves the token');
  }
  return JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
}

function groupByIssuer(
  providers: readonly IdentityProviderResource[],
  clock: Clock,
  fetch: Fetch,
): ReadonlyMap<string, Issuer> {
  const issuers = new Map<string, Issuer>();
  for (const provider of providers) {
    const before = issuers.get(provider.issuer);
    checkIssuer(provider);
    if (before?.providers.some(({ audience }) => audience === provider.audience) === true) {
      throw new HoopError('config_invalid', 'two identity providers have the same issuer and audience', {
        why: provider.name,
      });
    }
    issuers.set(provider.issuer, {
      providers: [...(before?.providers ?? []), provider],
      keys: before?.keys ?? new IssuerKeys(provider.issuer, clock, fetch),
    });
  }
  return issuers;
}

function checkIssuer({ issuer, name }: IdentityProviderResource): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))) return;
  throw new HoopError('config_invalid', 'an issuer must be an https URL; http is for loopback only', { why: name });
}
