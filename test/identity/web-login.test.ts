import { SignJWT, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Fetch } from '../../src/identity/http-fetch.js';
import { webLogin } from '../../src/identity/web-login.js';

const ISSUER = 'https://id.example.com';
const AGENT = { issuer: ISSUER, clientId: 'hoop-cli', audience: 'hoop', scopes: ['openid', 'groups'] };

let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
beforeAll(async () => {
  ({ privateKey } = await generateKeyPair('RS256'));
});

interface Script {
  readonly metadata?: object;
  /** What stands in the ID token instead of what should. */
  readonly idToken?: Readonly<Record<string, unknown>>;
}

/** A provider, and a browser that is sent back by it with `query`, whose `$STATE` is the state asked with. */
function scripted(script: Script, query: string) {
  const forms: Record<string, string>[] = [];
  const pages: number[] = [];
  let nonce = '';
  const json = (status: number, body: object): Response =>
    new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  const fetch: Fetch = async (url, init) => {
    if (url.endsWith('/openid-configuration'))
      return json(200, {
        issuer: ISSUER,
        authorization_endpoint: `${ISSUER}/authorize`,
        token_endpoint: `${ISSUER}/token`,
        jwks_uri: `${ISSUER}/jwks`,
        ...script.metadata,
      });
    forms.push(Object.fromEntries(new URLSearchParams(init.body ?? '')));
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER, aud: 'hoop-cli', sub: 'ann', iat: now, exp: now + 300, nonce, ...script.idToken };
    const idToken = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
    return json(200, { access_token: 'a', id_token: idToken, token_type: 'bearer', expires_in: 600 });
  };
  const browse = async (link: string): Promise<void> => {
    const asked = new URL(link).searchParams;
    nonce = asked.get('nonce') ?? '';
    const back = `${asked.get('redirect_uri') ?? ''}?${query.replace('$STATE', asked.get('state') ?? '')}`;
    pages.push((await globalThis.fetch(back)).status);
  };
  return { fetch, browse, forms, pages };
}

async function run(script: Script, query: string, over: Readonly<Record<string, unknown>> = {}) {
  const provider = scripted(script, query);
  let asked = new URLSearchParams();
  let browsed: Promise<void> | undefined;
  const result: unknown = await webLogin({
    agent: { ...AGENT, ...over },
    fetch: provider.fetch,
    show: ({ url }) => {
      asked = new URL(url).searchParams;
      browsed = provider.browse(url);
    },
  }).catch((error: unknown) => error);
  await browsed;
  return { result, asked, forms: provider.forms, pages: provider.pages };
}

describe('webLogin', () => {
  it('sends a challenge, state and nonce, and gives the verifier with the code', async () => {
    const { result, asked, forms, pages } = await run({}, `code=c&state=$STATE&iss=${encodeURIComponent(ISSUER)}`);
    expect(result).toMatchObject({ accessToken: 'a', issuer: ISSUER, clientId: 'hoop-cli', audience: 'hoop' });
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'hoop-cli',
      scope: 'openid groups',
      audience: 'hoop',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^.{20,}$/) as string,
      nonce: expect.stringMatching(/^.{20,}$/) as string,
    });
    expect(forms).toEqual([
      expect.objectContaining({
        grant_type: 'authorization_code',
        code: 'c',
        redirect_uri: asked.get('redirect_uri'),
        code_verifier: expect.stringMatching(/^.{43,}$/) as string,
      }),
    ]);
    expect(pages).toEqual([200]);
  });

  it('keeps the ID token where the agent takes that one, with its own end', async () => {
    const exp = Math.floor(Date.now() / 1000) + 120;
    const { result } = await run({ idToken: { exp } }, 'code=c&state=$STATE', { loginToken: 'id' });
    expect(result).toMatchObject({ accessToken: expect.stringMatching(/^ey/) as string, expiresAt: exp });
  });

  it.each([
    ['a nonce of another login', { idToken: { nonce: 'other' } }, 'code=c&state=$STATE', 'protocol'],
    ['an ID token for another client', { idToken: { aud: 'other' } }, 'code=c&state=$STATE', 'protocol'],
    ['the iss of another provider', {}, 'code=c&state=$STATE&iss=https%3A%2F%2Fevil.example.com', 'protocol'],
    [
      'no iss where the provider promises one',
      { metadata: { authorization_response_iss_parameter_supported: true } },
      'code=c&state=$STATE',
      'protocol',
    ],
    ['access_denied', {}, 'error=access_denied&state=$STATE', 'login_denied'],
  ])('refuses %s, and the browser is told that it failed', async (_what, script, query, code) => {
    const { result, pages } = await run(script, query);
    expect(result).toMatchObject({ name: 'HoopError', code });
    expect(pages).toEqual([400]);
  });

  it('goes back to the address that the agent names, and to none that leads elsewhere', async () => {
    const { asked } = await run({}, 'code=c&state=$STATE', { redirectUri: 'http://localhost/back' });
    expect(asked.get('redirect_uri')).toMatch(/^http:\/\/localhost:\d+\/back$/);
    for (const redirectUri of ['http://id.example.com/back', 'https://127.0.0.1/back', 'http://127.0.0.1.evil.test/'])
      expect((await run({}, '', { redirectUri })).result).toMatchObject({ code: 'protocol' });
  });

  it('turns away a request under a name that was bound to this machine', async () => {
    const provider = scripted({}, 'code=c&state=$STATE');
    const statuses: number[] = [];
    let browsed: Promise<unknown> | undefined;
    const login = webLogin({
      agent: AGENT,
      fetch: provider.fetch,
      show: ({ url }) => {
        const asked = new URL(url).searchParams;
        const back = new URL(asked.get('redirect_uri') ?? '');
        browsed = (async () => {
          const { request } = await import('node:http');
          await new Promise<void>((resolve, reject) => {
            request(
              {
                host: back.hostname,
                port: back.port,
                path: `/callback?code=c&state=${asked.get('state') ?? ''}`,
                headers: { host: 'evil.test' },
              },
              (response) => {
                statuses.push(response.statusCode ?? 0);
                response.resume();
                resolve();
              },
            )
              .on('error', reject)
              .end();
          });
          await provider.browse(url);
        })();
      },
    });
    await login;
    await browsed;
    expect(statuses).toEqual([404]);
  });

  it('gives up when nobody came back in time, and says how to go on where there is no login page', async () => {
    const { fetch } = scripted({}, '');
    const late = await webLogin({ agent: AGENT, fetch, show: () => undefined, patienceMs: 20 }).catch(
      (error: unknown) => error,
    );
    expect(late).toMatchObject({ code: 'login_expired', exitStatus: 3 });
    const none = scripted({ metadata: { authorization_endpoint: undefined } }, '');
    await expect(webLogin({ agent: AGENT, fetch: none.fetch, show: () => undefined })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
