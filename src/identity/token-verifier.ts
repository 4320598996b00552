import { createHash } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import type { Clock } from '../core/clock.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type { IdentityProviderResource } from '../core/resources.js';
import { askUserinfo, introspect, type ProviderAccess, type RevealSecret } from './ask-provider.js';
import { identityOf } from './claims-identity.js';
import { createFetch } from './http-fetch.js';
import type { Fetch } from './http-fetch.js';
import { IssuerKeys } from './issuer-keys.js';
import { isLoopback } from './loopback.js';
import { ProviderAway } from './provider-away.js';
import { ProvenTokens, type Proof } from './proven-tokens.js';
import { ALGORITHMS, checkClaims, checkHeader, refused } from './token-rules.js';

const MAX_TOKEN_CHARS = 16 * 1024;
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** RFC 6750 section 2.1. */
const OPAQUE = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Userinfo does not say when a token ends; it is asked again long before. */
const USERINFO_LIFE_S = 3_600;

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
  readonly fetch: Fetch;
}

/**
 * Verifies access tokens of the configured providers: JWTs (RFC 9068) by their published keys, and, where a provider
 * is configured so, by asking it.
 *
 * A token proven once is believed until it ends, until the keys that proved it are ten minutes old, or until the
 * provider has to be asked again, whichever comes first; then it is proven anew.
 *
 * @param options.reveal resolves the secret that the agent asks providers with
 * @throws HoopError `config_invalid` for a plain-http issuer off loopback, two providers alike, or two that take
 *   opaque tokens: one of them would be shown the tokens of the other
 */
export function createTokenVerifier(
  providers: readonly IdentityProviderResource[],
  options: { readonly clock: Clock; readonly fetch?: Fetch; readonly reveal?: RevealSecret },
): TokenVerifier {
  const { clock } = options;
  const issuers = groupByIssuer(providers, clock, options.fetch);
  const opaque = opaqueProvider(providers);
  const reveal = options.reveal ?? noSecrets;
  const accessTo = (provider: IdentityProviderResource): ProviderAccess => {
    const { keys, fetch } = issuers.get(provider.issuer) as Issuer;
    return { provider, keys, fetch, reveal };
  };
  const prove = (token: string): Promise<Proof> => {
    if (token.length > MAX_TOKEN_CHARS) throw refused('the token is no JWT');
    if (COMPACT_JWS.test(token) && claimedIssuer(token) !== undefined) return proveJwt(token, issuers, clock, accessTo);
    if (opaque === undefined || !OPAQUE.test(token)) throw refused('the token is no JWT');
    return proveOpaque(token, accessTo(opaque), clock);
  };
  const proven = new ProvenTokens(clock);
  return {
    verify: (token) => proven.of(createHash('sha256').update(token).digest('base64'), async () => prove(token)),
  };
}

async function proveJwt(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
  clock: Clock,
  accessTo: (provider: IdentityProviderResource) => ProviderAccess,
): Promise<Proof> {
  const header = { ...decodeProtectedHeader(token) } as Record<string, unknown>;
  checkHeader(header);
  const claimed = claimedIssuer(token)?.iss;
  const issuer = typeof claimed === 'string' ? issuers.get(claimed) : undefined;
  if (issuer === undefined) throw refused('the token is of an issuer that is not configured');
  const kid = header['kid'];
  if (kid !== undefined && typeof kid !== 'string') throw refused('the key id of the token is no text');
  const { keys, until } = await issuer.keys.lookup(kid);
  const claims = await readSigned(token, keys);
  const { provider, expiresAt } = checkClaims(claims, issuer.providers, clock.nowMs());
  const asked = await askBesides(token, claims, accessTo(provider));
  const untilMs = Math.min(until, asked === undefined ? Infinity : clock.nowMs() + asked.cacheMs);
  return { identity: identityOf({ ...asked?.claims, ...claims }, provider, expiresAt), untilMs };
}

/** What the provider is asked about a JWT that its signature has proven; undefined where that is all. */
async function askBesides(
  token: string,
  { sub }: Readonly<Record<string, unknown>>,
  access: ProviderAccess,
): Promise<{ readonly claims: Readonly<Record<string, unknown>>; readonly cacheMs: number } | undefined> {
  const { introspection, userinfo } = access.provider;
  if (introspection?.tokens === 'all') {
    await introspect(token, access);
    return { claims: {}, cacheMs: introspection.cacheMs };
  }
  if (userinfo === undefined) return undefined;
  const claims = await askUserinfo(token, access);
  // OpenID Connect Core 5.3.2: an answer about somebody else must not be used.
  if (claims['sub'] !== sub) throw refused('the provider’s userinfo is about another subject');
  return { claims, cacheMs: userinfo.cacheMs };
}

async function proveOpaque(token: string, access: ProviderAccess, clock: Clock): Promise<Proof> {
  const { provider } = access;
  const { introspection, userinfo } = provider;
  const nowMs = clock.nowMs();
  const given =
    introspection === undefined
      ? {
          ...(await askUserinfo(token, access)),
          aud: provider.audience,
          exp: Math.floor(nowMs / 1000) + USERINFO_LIFE_S,
        }
      : await introspect(token, access);
  const claims = { ...given, iss: provider.issuer };
  const { expiresAt } = checkClaims(claims, [provider], nowMs);
  const cacheMs = introspection?.cacheMs ?? userinfo?.cacheMs ?? 0;
  return { identity: { ...identityOf(claims, provider, expiresAt), revocable: true }, untilMs: nowMs + cacheMs };
}

/** What a JWT says of its issuer, unproven; undefined for what is no JWT. */
function claimedIssuer(token: string): { readonly iss: unknown } | undefined {
  try {
    decodeProtectedHeader(token);
    return { iss: decodeJwt(token).iss };
  } catch {
    return undefined;
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

function opaqueProvider(providers: readonly IdentityProviderResource[]): IdentityProviderResource | undefined {
  const [first, second] = providers.filter(
    ({ introspection, userinfo }) => introspection !== undefined || userinfo?.trustEveryClient === true,
  );
  if (second === undefined) return first;
  throw new HoopError('config_invalid', 'two identity providers take opaque tokens', {
    why: `a token does not say whose it is, and ${first?.name ?? ''} would be shown those of ${second.name}`,
  });
}

function groupByIssuer(
  providers: readonly IdentityProviderResource[],
  clock: Clock,
  given: Fetch | undefined,
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
    const fetch = before?.fetch ?? given ?? createFetch({ timeoutMs: 5_000, caFile: provider.ca });
    issuers.set(provider.issuer, {
      providers: [...(before?.providers ?? []), provider],
      keys: before?.keys ?? new IssuerKeys(provider.issuer, clock, fetch),
      fetch,
    });
  }
  return issuers;
}

function checkIssuer({ issuer, name }: IdentityProviderResource): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))) return;
  throw new HoopError('config_invalid', 'an issuer must be an https URL; http is for loopback only', { why: name });
}

const noSecrets: RevealSecret = () => {
  throw new ProviderAway('the secret of the agent at the identity provider is not known');
};
