import type { Identity } from '../core/identity.js';
import type { ClaimMapping, IdentityProviderResource } from '../core/resources.js';
import { refused } from './token-rules.js';

type Claims = Readonly<Record<string, unknown>>;

/**
 * Who calls, read from claims that are proven.
 *
 * @param claims.sub a non-empty text, as checked before
 * @param expiresAt seconds since the epoch
 * @throws HoopError `token_refused`
 */
export function identityOf(claims: Claims, provider: IdentityProviderResource, expiresAt: number): Identity {
  const met = meetMappings(claims, provider);
  const machine = provider.machine || met.some((mapping) => mapping.machine) || isClientToken(claims);
  return {
    subject: claims['sub'] as string,
    email: readEmail(claims, provider.claims.email),
    groups: [...new Set([...readGroups(claims, provider.claims.groups), ...met.flatMap(({ groups }) => groups)])],
    attributes: Object.assign(
      Object.fromEntries(
        provider.claims.attributes.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]),
      ),
      ...met.map(({ attributes }) => attributes),
    ) as Identity['attributes'],
    issuer: provider.issuer,
    machine,
    // Approving takes a person, whatever else the configuration says.
    mayReview: provider.reviewers && !machine,
    expiresAt,
    ...(provider.introspection?.tokens === 'all' || provider.userinfo !== undefined ? { revocable: true } : {}),
  };
}

/** Where the provider has mappings, a token that meets none is nobody's that the agent knows. */
function meetMappings(claims: Claims, { mappings }: IdentityProviderResource): readonly ClaimMapping[] {
  if (mappings === undefined) return [];
  const met = mappings.filter((mapping) => mapping.meets(claims));
  if (met.length > 0) return met;
  throw refused('the token meets none of the conditions for this issuer', {
    suggestion: 'ask who runs the agent which tokens `mappings` of the identity provider take',
  });
}

/**
 * Was the token given to a client for itself, rather than to a person? RFC 9068 says `sub` is the client then; some
 * providers say it in their own words.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-2.2
 */
function isClientToken(claims: Claims): boolean {
  const clients = ['client_id', 'cid', 'azp', 'appid'].map((name) => claims[name]);
  const username = claims['preferred_username'];
  return (
    clients.includes(claims['sub']) ||
    claims['gty'] === 'client-credentials' ||
    claims['idtyp'] === 'app' ||
    clients.some((client) => typeof client === 'string' && username === `service-account-${client.toLowerCase()}`)
  );
}

/** The claim of exactly that name, else the one that dots lead to: `realm_access.roles`. Undefined where there is none. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let at: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

/** An address that the provider itself calls unverified is none: policies and reviewers would believe it. */
function readEmail(claims: Claims, name: string): string {
  const email = claimAt(claims, name);
  return typeof email === 'string' && ![false, 'false'].includes(claims['email_verified'] as boolean) ? email : '';
}

function readGroups(claims: Claims, name: string): readonly string[] {
  const groups = claimAt(claims, name);
  if (groups === undefined) {
    if (isOverage(claims, name)) throw tooManyGroups();
    return [];
  }
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === 'string')) {
    throw refused('the groups of the token are no list of names', { suggestion: 'ask who runs the identity provider' });
  }
  return groups;
}

/**
 * Entra ID leaves the groups out where there are more than 200 and says so. To go on without would take a person out
 * of groups that a rule is about.
 *
 * @see https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference#groups-overage-claim
 */
function isOverage(claims: Claims, name: string): boolean {
  const elsewhere = claims['_claim_names'];
  const named = typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, name);
  return named || (name === 'groups' && [true, 'true'].includes(claims['hasgroups'] as boolean));
}

function tooManyGroups(): Error {
  return refused('the provider left the groups out of the token: there are too many', {
    suggestion: 'ask who runs the identity provider to send only the groups assigned to the application, or app roles',
  });
}
