import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deviceLogin } from '../../src/identity/device-login.js';
import type { DevicePrompt } from '../../src/identity/device-login.js';
import type { Fetch } from '../../src/identity/http-fetch.js';
import { audienceParameters } from '../../src/identity/oidc-client.js';

const ISSUER = 'https://id.example.com';
const AGENT = { issuer: ISSUER, clientId: 'hoop-cli', audience: 'hoop', scopes: ['openid', 'groups'] };
const METADATA = {
  issuer: ISSUER,
  token_endpoint: `${ISSUER}/token`,
  device_authorization_endpoint: `${ISSUER}/device`,
  jwks_uri: `${ISSUER}/jwks`,
};
const DEVICE = {
  device_code: 'd',
  user_code: 'ABCD-EFGH',
  verification_uri: `${ISSUER}/go`,
  expires_in: 60,
  interval: 5,
};
const TOKENS = { access_token: 'a', refresh_token: 'r', token_type: 'bearer', expires_in: 600 };

interface Asked {
  readonly url: string;
  readonly atMs: number;
  readonly form: Record<string, string>;
}

/** A provider that answers the token endpoint with `answers` in order, the last one for ever. */
function scriptedProvider(
  answers: readonly object[],
  over: { readonly metadata?: object; readonly device?: object } = {},
): { readonly fetch: Fetch; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  let next = 0;
  const json = (status: number, body: object): Response =>
    new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  const fetch: Fetch = async (url, init) => {
    asked.push({ url, atMs: Date.now(), form: Object.fromEntries(new URLSearchParams(init.body ?? '')) });
    if (url.endsWith('/openid-configuration')) return json(200, { ...METADATA, ...over.metadata });
    if (url.endsWith('/device')) return json(200, { ...DEVICE, ...over.device });
    const answer = answers[Math.min(next, answers.length - 1)] as object;
    next += 1;
    return json('error' in answer ? 400 : 200, answer);
  };
  return { fetch, asked };
}

async function run(provider: {
  readonly fetch: Fetch;
}): Promise<{ readonly shown: DevicePrompt[]; readonly result: unknown }> {
  const shown: DevicePrompt[] = [];
  const login = deviceLogin({ agent: AGENT, fetch: provider.fetch, show: (prompt) => shown.push(prompt) }).catch(
    (error: unknown) => error,
  );
  let done = false;
  void login.then(() => (done = true));
  for (let second = 0; second < 200 && !done; second += 1) await vi.advanceTimersByTimeAsync(1_000);
  return { shown, result: await login };
}

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => vi.useRealTimers());

describe('deviceLogin', () => {
  it('shows code and link, asks every 5 s, 10 s after slow_down, and gives the tokens', async () => {
    const provider = scriptedProvider([{ error: 'authorization_pending' }, { error: 'slow_down' }, TOKENS]);
    const { shown, result } = await run(provider);
    expect(shown).toEqual([
      { userCode: 'ABCD-EFGH', verificationUri: `${ISSUER}/go`, verificationUriComplete: undefined, expiresInS: 60 },
    ]);
    expect(result).toMatchObject({
      accessToken: 'a',
      refreshToken: 'r',
      issuer: ISSUER,
      clientId: 'hoop-cli',
      audience: 'hoop',
    });
    const times = provider.asked.filter(({ url }) => url.endsWith('/token')).map(({ atMs }) => atMs);
    expect([(times[1] as number) - (times[0] as number), (times[2] as number) - (times[1] as number)]).toEqual([
      5_000, 10_000,
    ]);
  });

  it('asks for the agent’s audience: as resource where it is a URI, else as audience', () => {
    expect(audienceParameters('https://hoop.example.com')).toEqual({ resource: 'https://hoop.example.com' });
    expect(audienceParameters('urn:hoop')).toEqual({ resource: 'urn:hoop' });
    expect(audienceParameters('hoop')).toEqual({ audience: 'hoop' });
    expect(audienceParameters('https://hoop.example.com', 'audience')).toEqual({
      audience: 'https://hoop.example.com',
    });
    expect(audienceParameters('hoop', 'none')).toEqual({});
  });

  it('sends scopes and audience to the device endpoint', async () => {
    const provider = scriptedProvider([TOKENS]);
    await run(provider);
    expect(provider.asked.find(({ url }) => url.endsWith('/device'))?.form).toMatchObject({
      scope: 'openid groups',
      audience: 'hoop',
      client_id: 'hoop-cli',
    });
  });

  it.each([
    ['access_denied', 'login_denied'],
    ['expired_token', 'login_expired'],
    ['invalid_grant', 'login_expired'],
    ['invalid_scope', 'login_denied'],
  ])('ends with an error of the table when the provider says %s: %s', async (error, code) => {
    expect((await run(scriptedProvider([{ error }]))).result).toMatchObject({ name: 'HoopError', code, exitStatus: 3 });
  });

  it('is not offered by a provider without a device flow', async () => {
    const { result, shown } = await run(
      scriptedProvider([], { metadata: { device_authorization_endpoint: undefined } }),
    );
    expect(result).toMatchObject({ code: 'usage', suggestion: expect.stringContaining('--web') });
    expect(shown).toEqual([]);
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'http://id.example.com/go'])(
    'shows no link like %s',
    async (verification_uri) => {
      const { result, shown } = await run(scriptedProvider([TOKENS], { device: { verification_uri } }));
      expect(result).toMatchObject({ code: 'protocol' });
      expect(shown).toEqual([]);
    },
  );

  it('does not go on with another issuer’s discovery document', async () => {
    const { result } = await run(scriptedProvider([TOKENS], { metadata: { issuer: 'https://evil.example.com' } }));
    expect(result).toMatchObject({ code: 'protocol' });
  });

  it('refuses a plain-http issuer off loopback before any request', async () => {
    const provider = scriptedProvider([TOKENS]);
    const result = await deviceLogin({
      agent: { ...AGENT, issuer: 'http://id.example.com' },
      fetch: provider.fetch,
      show: () => undefined,
    }).catch((error: unknown) => error);
    expect(result).toMatchObject({ name: 'HoopError' });
    expect(provider.asked).toEqual([]);
  });
});
