import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { IdentityProviderResource } from '../../src/core/resources.js';
import { createTokenVerifier } from '../../src/identity/token-verifier.js';
import type { TokenVerifier } from '../../src/identity/token-verifier.js';
import { makeKey } from './local-issuer.js';
import type { SigningKey } from './local-issuer.js';

const NOW_S = 1_790_000_000;
const OPAQUE = 'opaque-0123456789';

let now = NOW_S * 1000;
const clock = { nowMs: () => now, timestamp: () => '' };
let issuer = '';
let key: SigningKey;
let close: () => Promise<void>;
/** What the provider answers about a token; a number is a status. */
let answer: object | number = {};
let asked: { readonly path: string; readonly authorization: string; readonly body: string }[] = [];

beforeAll(async () => {
  key = await makeKey('one');
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    const reply = (body: object): unknown => response.end(JSON.stringify(body));
    if (path.endsWith('/openid-configuration'))
      return void reply({
        issuer,
        jwks_uri: `${issuer}/jwks`,
        introspection_endpoint: `${issuer}/introspect`,
        userinfo_endpoint: `${issuer}/userinfo`,
      });
    if (path === '/jwks') return void reply({ keys: [key.jwk] });
    asked.push({ path, authorization: request.headers.authorization ?? '', body: await text(request) });
    if (typeof answer === 'number') response.writeHead(answer).end();
    else reply(answer);
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => new Promise((resolve) => server.close(() => resolve()));
});
afterAll(() => close());
beforeEach(() => {
  now = NOW_S * 1000;
  asked = [];
});

function provider(over: Partial<IdentityProviderResource>): IdentityProviderResource {
  return {
    name: 'corp',
    issuer,
    audience: 'hoop',
    login: true,
    scopes: [],
    claims: { email: 'email', groups: 'groups', attributes: [] },
    reviewers: true,
    machine: false,
    ...over,
  };
}

const introspection = (over: object = {}): Partial<IdentityProviderResource> => ({
  introspection: {
    clientId: 'agent',
    clientSecret: { env: 'S' },
    tokens: 'opaque',
    clients: [],
    cacheMs: 30_000,
    ...over,
  },
});

function verifier(over: Partial<IdentityProviderResource>): TokenVerifier {
  return createTokenVerifier([provider(over)], { clock, reveal: async () => ({ reveal: () => 'p/s s' }) });
}

const active = (over: object = {}): object => ({
  active: true,
  token_type: 'Bearer',
  aud: 'hoop',
  sub: 'ann',
  client_id: 'hoop-cli',
  exp: NOW_S + 600,
  groups: ['dba'],
  ...over,
});

const jwt = (over: object = {}): Promise<string> =>
  key.sign({ iss: issuer, aud: 'hoop', sub: 'ann', exp: NOW_S + 600, iat: NOW_S, ...over });

const refusal = (message: RegExp) => ({ code: 'token_refused', message: expect.stringMatching(message) as string });

describe('an opaque token', () => {
  it('is asked about with the agent’s own client, form-encoded, and believed for 30 s', async () => {
    answer = active();
    const opaque = verifier(introspection());
    const both = await Promise.all([opaque.verify(OPAQUE), opaque.verify(OPAQUE)]);
    expect(both[0]).toMatchObject({ subject: 'ann', groups: ['dba'], issuer, expiresAt: NOW_S + 600, mayReview: true });
    expect(asked).toEqual([
      {
        path: '/introspect',
        authorization: `Basic ${Buffer.from('agent:p%2Fs+s').toString('base64')}`,
        body: `token=${OPAQUE}&token_type_hint=access_token`,
      },
    ]);
    now += 29_999;
    await opaque.verify(OPAQUE);
    expect(asked).toHaveLength(1);
    now += 1;
    answer = { active: false };
    await expect(opaque.verify(OPAQUE)).rejects.toMatchObject(refusal(/has ended/));
  });

  it.each([
    ['inactive', { active: false }, /has ended/],
    ['active as a text', active({ active: 'true' }), /has ended/],
    ['for another audience', active({ aud: ['other'] }), /audience/],
    ['without an audience, of a client that is not listed', active({ aud: undefined, client_id: 'other' }), /audience/],
    ['a refresh token', active({ token_type: undefined }), /another type/],
    ['of another issuer', active({ iss: 'https://evil.example.com' }), /issuer/],
    ['without an end', active({ exp: undefined }), /when it ends/],
    ['past its end', active({ exp: NOW_S }), /expired/],
    ['without a subject', active({ sub: '' }), /subject/],
    ['answered with 500', 500, /status 500/],
    ['answered with 401: the agent’s own client is wrong', 401, /status 401/],
  ])('is refused where the answer is %s', async (_what, given, message) => {
    answer = given;
    await expect(verifier(introspection()).verify(OPAQUE)).rejects.toMatchObject(refusal(message));
  });

  it('without an audience counts by its client where that is listed, and is a machine’s where it is the client’s own', async () => {
    answer = active({ aud: undefined });
    const listed = introspection({ clients: ['hoop-cli'] });
    expect(await verifier(listed).verify(OPAQUE)).toMatchObject({ subject: 'ann', machine: false });
    answer = active({ aud: undefined, sub: 'hoop-cli' });
    expect(await verifier(listed).verify(OPAQUE)).toMatchObject({ machine: true, mayReview: false });
  });

  it('is refused where nothing is configured, and asked of nobody', async () => {
    await expect(verifier({}).verify(OPAQUE)).rejects.toMatchObject(refusal(/no JWT/));
    await expect(verifier({ userinfo: { trustEveryClient: false, cacheMs: 1 } }).verify(OPAQUE)).rejects.toMatchObject(
      refusal(/no JWT/),
    );
    expect(asked).toEqual([]);
  });

  it('is taken by userinfo where every client is trusted, and no longer once the provider says 401', async () => {
    answer = { sub: 'ann', groups: ['dba'] };
    const trusting = verifier({ userinfo: { trustEveryClient: true, cacheMs: 30_000 } });
    expect(await trusting.verify(OPAQUE)).toMatchObject({ subject: 'ann', groups: ['dba'] });
    expect(asked[0]).toMatchObject({ path: '/userinfo', authorization: `Bearer ${OPAQUE}` });
    now += 30_000;
    answer = 401;
    await expect(trusting.verify(OPAQUE)).rejects.toMatchObject(refusal(/has ended/));
  });

  it('of two providers that would take it is a fault of the configuration', () => {
    expect(() =>
      createTokenVerifier([provider(introspection()), provider({ ...introspection(), audience: 'b' })], { clock }),
    ).toThrow(/opaque/);
  });
});

describe('a JWT of a provider that is asked about all tokens', () => {
  it('is refused 30 s after it was revoked, although its signature holds', async () => {
    answer = active();
    const all = verifier(introspection({ tokens: 'all' }));
    const token = await jwt();
    expect(await all.verify(token)).toMatchObject({ subject: 'ann', revocable: true });
    answer = { active: false };
    now += 30_000;
    await expect(all.verify(token)).rejects.toMatchObject(refusal(/has ended/));
  });

  it('stays good for a minute where the provider does not answer, and not a millisecond longer', async () => {
    answer = active();
    const all = verifier(introspection({ tokens: 'all' }));
    const token = await jwt();
    await all.verify(token);
    answer = 503;
    now += 59_999;
    expect((await all.verify(token)).subject).toBe('ann');
    now += 1;
    await expect(all.verify(token)).rejects.toMatchObject(refusal(/status 503/));
    await expect(all.verify(await jwt({ jti: 'new' }))).rejects.toMatchObject(refusal(/status 503/));
  });

  it('with a bad signature is never sent to the provider', async () => {
    const [head, body] = (await jwt()).split('.');
    await expect(verifier(introspection({ tokens: 'all' })).verify(`${head}.${body}.AAAA`)).rejects.toMatchObject(
      refusal(/no key/),
    );
    expect(asked).toEqual([]);
  });
});

describe('userinfo', () => {
  const besides = { userinfo: { trustEveryClient: false, cacheMs: 30_000 } };

  it('adds the claims that a JWT lacks, and changes none that it has', async () => {
    answer = { sub: 'ann', groups: ['dba'], email: 'other@example.com', aud: 'other', exp: 1 };
    const token = await jwt({ email: 'ann@example.com' });
    expect(await verifier(besides).verify(token)).toMatchObject({
      email: 'ann@example.com',
      groups: ['dba'],
      expiresAt: NOW_S + 600,
    });
  });

  it('about somebody else refuses the token', async () => {
    answer = { sub: 'bob', groups: ['dba'] };
    await expect(verifier(besides).verify(await jwt())).rejects.toMatchObject(refusal(/another subject/));
  });
});
