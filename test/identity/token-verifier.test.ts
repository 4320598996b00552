import { createHmac, createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.js';
import type { IdentityProviderResource } from '../../src/core/resources.js';
import { createTokenVerifier } from '../../src/identity/token-verifier.js';
import type { TokenVerifier } from '../../src/identity/token-verifier.js';
import { makeKey, startLocalIssuer } from './local-issuer.js';
import type { LocalIssuer, SigningKey } from './local-issuer.js';

const NOW_S = 1_790_000_000;

let now = NOW_S * 1000;
const clock: Clock = { nowMs: () => now, timestamp: () => new Date(now).toISOString() };
let home: LocalIssuer;
let foreign: LocalIssuer;
let key: SigningKey;
let foreignKey: SigningKey;
let verifier: TokenVerifier;

function provider(over: Partial<IdentityProviderResource> = {}): IdentityProviderResource {
  return {
    name: 'corp',
    issuer: home.issuer,
    audience: 'hoop',
    login: true,
    scopes: [],
    claims: { email: 'email', groups: 'groups', attributes: ['purpose'] },
    reviewers: true,
    machine: false,
    ...over,
  };
}

function claims(over: Record<string, unknown> = {}): Record<string, unknown> {
  const all = {
    iss: home.issuer,
    aud: 'hoop',
    sub: 'ann',
    exp: NOW_S + 600,
    iat: NOW_S,
    email: 'ann@example.com',
    groups: ['dba'],
    ...over,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

beforeAll(async () => {
  home = await startLocalIssuer();
  foreign = await startLocalIssuer();
  key = await makeKey('one');
  foreignKey = await makeKey('one');
});
afterAll(async () => {
  await home.close();
  await foreign.close();
});
beforeEach(() => {
  now = NOW_S * 1000;
  home.publish([key.jwk]);
  foreign.publish([foreignKey.jwk]);
  home.fail(false);
  home.claimToBe(home.issuer);
  verifier = createTokenVerifier([provider()], { clock });
});

describe('a good token', () => {
  it('gives subject, email, groups, listed attributes and what the provider may do', async () => {
    const token = await key.sign(claims({ purpose: 'support', other: 'unlisted' }));
    expect(await verifier.verify(token)).toEqual({
      subject: 'ann',
      email: 'ann@example.com',
      groups: ['dba'],
      attributes: { purpose: 'support' },
      issuer: home.issuer,
      machine: false,
      mayReview: true,
      expiresAt: NOW_S + 600,
    });
  });

  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('passes when signed by %s', async (alg) => {
    const other = await makeKey('other', alg);
    home.publish([other.jwk]);
    expect((await verifier.verify(await other.sign(claims()))).subject).toBe('ann');
  });

  it('passes with typ JWT, at+jwt or none, with aud in an array, without groups, and 60 s of skew', async () => {
    for (const typ of ['JWT', 'at+jwt', undefined]) {
      expect((await verifier.verify(await key.sign(claims(), { typ } as never))).subject).toBe('ann');
    }
    const token = await key.sign(claims({ aud: ['x', 'hoop'], groups: undefined, nbf: NOW_S + 60, iat: NOW_S + 60 }));
    expect((await verifier.verify(token)).groups).toEqual([]);
  });

  it('has no email where the provider calls it unverified', async () => {
    expect((await verifier.verify(await key.sign(claims({ email_verified: false })))).email).toBe('');
  });

  it('picks the provider by audience where two share the issuer', async () => {
    const two = createTokenVerifier(
      [provider(), provider({ name: 'ci', audience: 'hoop-ci', machine: true, reviewers: false })],
      { clock },
    );
    expect(await two.verify(await key.sign(claims({ aud: 'hoop-ci' })))).toMatchObject({
      machine: true,
      mayReview: false,
    });
    expect(await two.verify(await key.sign(claims()))).toMatchObject({ machine: false, mayReview: true });
  });
});

describe('refuses, with token_refused and nothing of the token in the error,', () => {
  const refuses = async (token: string, message: RegExp): Promise<void> => {
    const error = await verifier.verify(token).then(
      () => undefined,
      (thrown: unknown) => thrown as Error & { code: string },
    );
    expect(error).toMatchObject({ name: 'HoopError', code: 'token_refused' });
    expect(error?.message).toMatch(message);
    const told = JSON.stringify([error?.message, (error as unknown as { why?: string }).why, String(error?.cause)]);
    for (const part of [...token.split('.'), 'ann@example.com']) if (part.length > 4) expect(told).not.toContain(part);
  };

  it('alg none', () => refuses(`${encode({ alg: 'none', kid: 'one' })}.${encode(claims())}.AAAA`, /asymmetric/));

  it('alg none without a signature', () => refuses(`${encode({ alg: 'none' })}.${encode(claims())}.`, /no JWT/));

  it('HS256 with the public key as the secret', async () => {
    const pem = createPublicKey({ key: key.jwk as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const signed = `${encode({ alg: 'HS256', kid: 'one', typ: 'JWT' })}.${encode(claims())}`;
    await refuses(`${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`, /asymmetric/);
  });

  it('HS256 even where the issuer publishes a symmetric key', async () => {
    home.publish([{ kty: 'oct', k: Buffer.from('secret').toString('base64url'), kid: 'one', alg: 'HS256' }]);
    const signed = `${encode({ alg: 'HS256', kid: 'one' })}.${encode(claims())}`;
    await refuses(`${signed}.${createHmac('sha256', 'secret').update(signed).digest('base64url')}`, /asymmetric/);
  });

  const badClaims: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['a foreign audience', { aud: 'other' }, /audience/],
    ['an audience that only begins like ours', { aud: 'hoop-cli' }, /audience/],
    ['an ID token, whose audience is the client', { aud: 'hoop-cli', nonce: 'x' }, /audience/],
    ['no audience', { aud: undefined }, /audience/],
    ['an audience list with something else in it', { aud: ['hoop', 7] }, /audience/],
    ['an empty audience list', { aud: [] }, /audience/],
    ['no exp', { exp: undefined }, /when it ends/],
    ['exp as text', { exp: `${NOW_S + 600}` }, /when it ends/],
    ['an exp that no date is', { exp: 1e300 }, /when it ends/],
    ['an exp of this very second', { exp: NOW_S }, /expired/],
    ['an exp of a second ago', { exp: NOW_S - 1 }, /expired/],
    ['nbf 61 s ahead', { nbf: NOW_S + 61 }, /not valid yet/],
    ['iat 61 s ahead', { iat: NOW_S + 61 }, /not valid yet/],
    ['nbf as text', { nbf: 'now' }, /no number/],
    ['no sub', { sub: undefined }, /subject/],
    ['an empty sub', { sub: '' }, /subject/],
    ['a numeric sub', { sub: 7 }, /subject/],
    ['groups as one text', { groups: 'dba' }, /groups/],
    ['groups null', { groups: null }, /groups/],
    ['groups with a number among them', { groups: ['dba', 7] }, /groups/],
    ['groups as an object', { groups: { dba: true } }, /groups/],
    ['an issuer with a slash more', { iss: 'http://127.0.0.1/' }, /issuer/],
    ['no issuer', { iss: undefined }, /issuer/],
    ['an issuer list', { iss: ['x'] }, /issuer|JWT/],
  ];
  it.each(badClaims)('%s', async (_name, over, message) => refuses(await key.sign(claims(over)), message));

  it('an issuer that nobody configured, although its own key has the right kid', async () =>
    refuses(await foreignKey.sign(claims({ iss: foreign.issuer })), /not configured/));

  it('our issuer named by a token that another issuer’s key of the same kid signed', async () =>
    refuses(await foreignKey.sign(claims()), /no key of the issuer/));

  it('a key of one configured issuer under the name of another', async () => {
    verifier = createTokenVerifier([provider(), provider({ name: 'b', issuer: foreign.issuer })], { clock });
    await refuses(await key.sign(claims({ iss: foreign.issuer })), /no key of the issuer/);
  });

  it.each(['jwk', 'jku', 'x5u', 'x5c'])('a key of its own in %s', async (name) => {
    const own = name === 'jwk' ? foreignKey.jwk : name === 'x5c' ? ['MIIB'] : `${foreign.issuer}/jwks`;
    await refuses(await foreignKey.sign(claims(), { [name]: own }), /key of its own/);
  });

  it('an unknown critical extension, and crit at all', async () => {
    const head = encode({ alg: 'ES256', kid: 'one', crit: ['exp'], exp: 1 });
    await refuses(`${head}.${encode(claims())}.AAAA`, /extension/);
  });

  it.each(['dpop+jwt', 'logout+jwt', 'JWE', ''])('typ %j', async (typ) =>
    refuses(await key.sign(claims(), { typ }), /another type/),
  );

  it('a signature with one bit changed, and one cut off', async () => {
    const token = await key.sign(claims());
    const [head, body, signature] = token.split('.') as [string, string, string];
    const bytes = Buffer.from(signature, 'base64url');
    bytes[5] = (bytes[5] as number) ^ 1;
    await refuses(`${head}.${body}.${bytes.toString('base64url')}`, /no key of the issuer/);
    await refuses(`${head}.${body}.${signature.slice(0, 8)}`, /no key of the issuer/);
  });

  it('claims changed after signing, also when the true token is in the cache', async () => {
    const token = await key.sign(claims());
    await verifier.verify(token);
    const [head, , signature] = token.split('.') as [string, string, string];
    await refuses(`${head}.${encode(claims({ sub: 'root' }))}.${signature}`, /no key of the issuer/);
  });

  it('a token of 16,385 characters, before reading it', () => refuses(`${'a'.repeat(16_381)}.b.c`, /no JWT/));

  it('any text that is no token', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 200 }), async (text) => {
        await expect(verifier.verify(text)).rejects.toMatchObject({ code: 'token_refused' });
      }),
      { numRuns: 200 },
    );
  });
});

describe('the keys of an issuer', () => {
  it('are fetched once for many tokens', async () => {
    const before = home.fetches();
    await Promise.all([1, 2, 3, 4].map(async (n) => verifier.verify(await key.sign(claims({ jti: n })))));
    expect(home.fetches() - before).toBe(1);
  });

  it('are fetched again for an unknown key id, but not twice within 30 s', async () => {
    await verifier.verify(await key.sign(claims()));
    const before = home.fetches();
    const stranger = await makeKey('two');
    now += 30_000;
    for (const _ of [1, 2, 3]) await expect(verifier.verify(await stranger.sign(claims()))).rejects.toThrow(/no key/);
    expect(home.fetches() - before).toBe(1);
    home.publish([key.jwk, stranger.jwk]);
    now += 29_999;
    await expect(verifier.verify(await stranger.sign(claims()))).rejects.toThrow(/no key/);
    now += 1;
    expect((await verifier.verify(await stranger.sign(claims()))).subject).toBe('ann');
  });

  it('prove nothing 10 minutes after they were withdrawn, not even a token seen before', async () => {
    const token = await key.sign(claims({ exp: NOW_S + 36_000 }));
    await verifier.verify(token);
    home.publish([foreignKey.jwk]);
    now += 10 * 60_000;
    await expect(verifier.verify(token)).rejects.toThrow(/no key/);
  });

  it('stay good for 10 minutes when the provider is away, and not a millisecond longer', async () => {
    const token = await key.sign(claims({ exp: NOW_S + 36_000 }));
    await verifier.verify(token);
    home.fail(true);
    now += 10 * 60_000 - 1;
    expect((await verifier.verify(await key.sign(claims({ exp: NOW_S + 36_000, jti: 'x' })))).subject).toBe('ann');
    now += 1;
    await expect(verifier.verify(token)).rejects.toMatchObject({
      code: 'token_refused',
      message: expect.stringContaining('not available'),
    });
    home.fail(false);
    now += 2_000;
    expect((await verifier.verify(token)).subject).toBe('ann');
  });

  it('are not taken from a discovery document that names another issuer', async () => {
    home.claimToBe('https://evil.example.com');
    await expect(verifier.verify(await key.sign(claims()))).rejects.toThrow(/not available/);
  });

  it('a token in the cache ends with its exp', async () => {
    const token = await key.sign(claims({ exp: NOW_S + 5 }));
    await verifier.verify(token);
    now += 5_000;
    await expect(verifier.verify(token)).rejects.toThrow(/expired/);
  });
});

describe('a verifier is not made', () => {
  it('for a plain-http issuer off loopback, also one that only looks like it', () => {
    for (const issuer of ['http://id.example.com', 'http://127.0.0.1.example.com', 'ftp://127.0.0.1', 'id']) {
      expect(() => createTokenVerifier([provider({ issuer })], { clock })).toThrow(/loopback/);
    }
  });

  it('for two providers of the same issuer and audience', () => {
    expect(() => createTokenVerifier([provider(), provider({ name: 'b' })], { clock })).toThrow(/same issuer/);
  });
});
