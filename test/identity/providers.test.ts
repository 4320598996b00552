import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Identity } from '../../src/core/identity.js';
import type { IdentityProviderResource } from '../../src/core/resources.js';
import { discoverIssuer } from '../../src/identity/oidc-client.js';
import type { Fetch } from '../../src/identity/http-fetch.js';
import { createTokenVerifier } from '../../src/identity/token-verifier.js';
import { load } from '../config/config-fixtures.js';
import { makeKey } from './local-issuer.js';
import type { SigningKey } from './local-issuer.js';

/** What a provider publishes and puts into tokens, after its own documentation; times count from now. */
interface Shape {
  readonly discovery: { readonly issuer: string; readonly jwks_uri: string };
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expect: Partial<Identity>;
  readonly variants: readonly {
    readonly name: string;
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly config?: Partial<IdentityProviderResource>;
    readonly expect?: Partial<Identity>;
    readonly refused?: string;
  }[];
  /** An access token that is no JWT. */
  readonly opaque?: string;
}

const PROVIDERS = ['keycloak', 'okta', 'entra', 'google', 'auth0', 'github-actions', 'gitlab', 'kubernetes'];
const TIMES = ['iat', 'nbf', 'exp', 'auth_time'];
const nowS = 1_790_000_000;
const clock = { nowMs: () => nowS * 1000, timestamp: () => '' };

let key: SigningKey;
beforeAll(async () => {
  key = await makeKey('recorded', 'RS256');
});

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The provider's resource exactly as its page in docs/identity has it. */
async function documented(name: string): Promise<IdentityProviderResource> {
  const block = [...read(`docs/identity/${name}.md`).matchAll(/```yaml\n([^]*?)```/g)]
    .map(([, yaml = '']) => yaml)
    .find((yaml) => yaml.includes('kind: IdentityProvider'));
  const { faults, resources } = await load({ 'identity.yaml': block ?? '' });
  expect(faults).toEqual([]);
  return resources?.identityProviders[0] as IdentityProviderResource;
}

describe.each(PROVIDERS)('%s, set up as docs/identity says', (name) => {
  const shape = JSON.parse(read(`test/fixtures/identity/${name}.json`)) as Shape;
  const json = (body: unknown): Response => Response.json(body);
  const fetch: Fetch = async (url) => {
    if (url === shape.discovery.jwks_uri) return json({ keys: [key.jwk] });
    if (url === `${shape.discovery.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
      return json(shape.discovery);
    throw Object.assign(new Error('no such address'), { code: 'ENOTFOUND' });
  };

  async function verify(over: Shape['variants'][number] | undefined): Promise<Identity> {
    const provider = {
      ...(await documented(name)),
      ca: undefined,
      ...over?.config,
    } as unknown as IdentityProviderResource;
    const claims = Object.entries({ ...shape.claims, ...over?.claims })
      .filter(([, value]) => value !== null)
      .map(([claim, value]) => [claim, TIMES.includes(claim) ? nowS + (value as number) : value] as const);
    const token = await key.sign(Object.fromEntries(claims), { typ: undefined, ...shape.header } as never);
    return createTokenVerifier([provider], { clock, fetch }).verify(token);
  }

  it('takes its tokens', async () => {
    expect(await verify(undefined)).toMatchObject(shape.expect);
  });

  it.each(shape.variants)('knows a token $name', async (variant) => {
    if (variant.refused === undefined) expect(await verify(variant)).toMatchObject(variant.expect ?? {});
    else
      await expect(verify(variant)).rejects.toMatchObject({
        code: 'token_refused',
        message: expect.stringContaining(variant.refused) as string,
      });
  });

  it('refuses access tokens that are no JWT', async () => {
    const provider = { ...(await documented(name)), ca: undefined } as unknown as IdentityProviderResource;
    const verifier = createTokenVerifier([provider], { clock, fetch });
    await expect(verifier.verify(shape.opaque ?? '0123456789')).rejects.toMatchObject({ code: 'token_refused' });
  });

  it('has a discovery document that the OpenID library takes', async () => {
    const { issuer, clientId = 'hoop-cli' } = await documented(name);
    const found = (await discoverIssuer({ issuer, clientId }, fetch)).serverMetadata();
    expect(found).toMatchObject(shape.discovery);
  });
});
