import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { approveDevice, refuseDevice } from '../../src/dev/approve-device.js';
import { startIdentityProvider } from '../../src/dev/identity-provider.js';
import type { IdentityProvider } from '../../src/dev/identity-provider.js';
import { createTokenVerifier } from '../../src/identity/token-verifier.js';
import { startAgentFront } from '../support/agent-front.js';
import type { AgentFront } from '../support/agent-front.js';
import { buildCli, runHoop, startHoop } from '../support/built-cli.js';
import type { Finished } from '../support/built-cli.js';
import { makeFolder } from '../support/folders.js';

const clock = { nowMs: () => Date.now(), timestamp: () => new Date().toISOString() };
const LINK = /Open +(http\S+)/;

let provider: IdentityProvider;
let agent: AgentFront;
let folder: string;
let env: Record<string, string>;

async function startBoth(
  accessTokenTtlS?: number,
): Promise<{ readonly provider: IdentityProvider; readonly agent: AgentFront }> {
  const idp = await startIdentityProvider({
    users: [
      { id: 'u-ann', email: 'ann@example.com', groups: ['engineering'] },
      { id: 'u-bob', email: 'bob@example.com', groups: ['dba', 'engineering'], password: 'correct horse' },
    ],
    ...(accessTokenTtlS === undefined ? {} : { accessTokenTtlS }),
  });
  const { issuer, audience, clientId, scopes } = idp;
  const resource = { name: 'trial', issuer, audience, clientId, login: true, scopes, reviewers: true, machine: false };
  const verifier = createTokenVerifier(
    [{ ...resource, claims: { email: 'email', groups: 'groups', attributes: [] } }],
    { clock },
  );
  const front = await startAgentFront(
    { version: '0.1.0', issuer, audience, clientId, scopes, recordingKeys: [] },
    verifier,
  );
  return { provider: idp, agent: front };
}

beforeAll(async () => {
  await buildCli();
  ({ provider, agent } = await startBoth());
});
afterAll(async () => {
  await agent.close();
  await provider.close();
});
beforeEach(() => {
  folder = makeFolder('login');
  env = { HOOP_CONFIG_DIR: folder, HOOP_KEYRING: 'file' };
});

async function logIn(url: string, user = 'u-ann', password?: string): Promise<Finished> {
  const login = startHoop(['login', url, '--no-browser'], env);
  const [, link = ''] = await login.said(LINK);
  await approveDevice(link, user, password);
  return login.finished;
}

/** A good access token of the machine's client. */
async function machineToken(): Promise<string> {
  const { clientId, clientSecret } = provider.machine;
  const answer = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

function loginFile(): string {
  const name = readdirSync(join(folder, 'logins')).find((entry) => entry.endsWith('.json')) as string;
  return join(folder, 'logins', name);
}

describe('hoop login', () => {
  it('shows code and link, waits for the confirmation, and keeps the login in a 0600 file', async () => {
    const login = startHoop(['login', agent.url, '--no-browser'], env);
    const [, link = ''] = await login.said(LINK);
    const [, code = ''] = await login.said(/Confirm +(\S+)/);
    expect(new URL(link).searchParams.get('user_code')).toBe(code);
    await approveDevice(link, 'u-ann');
    const { status, stdout, stderr } = await login.finished;
    expect({ status, stdout }).toEqual({ status: 0, stdout: `Logged in to ${agent.url} as ann@example.com.\n` });
    expect(stderr).toContain('act as you');
    expect(stderr).toContain('(0600)');
    expect(stderr).not.toContain('WARNING');
    expect(statSync(loginFile()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'logins')).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(join(folder, 'profiles.json'), 'utf8'))).toEqual({
      current: 'default',
      profiles: { default: { agent: agent.url } },
    });
  });

  it('is followed by whoami, logout, and whoami refused with exit status 3', async () => {
    await logIn(agent.url, 'u-bob', 'correct horse');
    const who = await runHoop(['whoami', '--json'], env);
    expect(who.status).toBe(0);
    expect(JSON.parse(who.stdout)).toMatchObject({
      subject: 'u-bob',
      email: 'bob@example.com',
      groups: ['dba', 'engineering'],
      issuer: provider.issuer,
      agent: agent.url,
    });
    const people = await runHoop(['whoami'], env);
    expect(people.stdout).toMatch(/^groups +dba, engineering$/m);
    const refreshToken = (JSON.parse(readFileSync(loginFile(), 'utf8')) as { tokens: { refreshToken: string } }).tokens
      .refreshToken;
    const out = await runHoop(['logout'], env);
    expect(out).toMatchObject({ status: 0, stdout: `Logged out of ${agent.url}, revoked at the provider.\n` });
    expect(readdirSync(join(folder, 'logins'))).toEqual([]);
    const revoked = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: provider.clientId,
      }),
    });
    expect(await revoked.json()).toMatchObject({ error: 'invalid_grant' });
    const after = await runHoop(['whoami', '--json'], env);
    expect(after.status).toBe(3);
    expect(JSON.parse(after.stdout)).toMatchObject({ error: { code: 'not_logged_in' } });
  });

  it('ends with exit status 3 and login_denied when the person refuses, and keeps nothing', async () => {
    const login = startHoop(['login', agent.url, '--no-browser', '--json'], env);
    const [, link = ''] = await login.said(LINK);
    await refuseDevice(link);
    const { status, stdout } = await login.finished;
    expect(status).toBe(3);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toEqual([
      expect.objectContaining({
        event: 'confirm',
        verificationUriComplete: link,
        userCode: expect.any(String) as string,
      }),
      { error: expect.objectContaining({ code: 'login_denied' }) as object },
    ]);
    expect(existsSync(join(folder, 'logins'))).toBe(false);
  });

  it('--web goes by a browser on this machine, and pays no heed to a redirect that is not its own', async () => {
    const login = startHoop(['login', agent.url, '--web', '--no-browser'], env);
    const [, link = ''] = await login.said(LINK);
    const asked = new URL(link).searchParams;
    expect(asked.get('code_challenge_method')).toBe('S256');
    const redirect = asked.get('redirect_uri') ?? '';
    for (const query of ['?code=planted&state=guessed', `?error=access_denied`, `?code=planted`])
      expect((await fetch(`${redirect}${query}`)).status).toBe(404);
    await approveDevice(link, 'u-ann');
    const { status, stdout, stderr } = await login.finished;
    expect({ status, stdout }).toEqual({ status: 0, stdout: `Logged in to ${agent.url} as ann@example.com.\n` });
    expect(stderr).toContain('in a browser on this machine');
    expect((await runHoop(['whoami'], env)).stdout).toContain('u-ann');
    await expect(fetch(redirect)).rejects.toThrow();
  });

  it('--web ends with login_denied when the person refuses', async () => {
    const login = startHoop(['login', agent.url, '--web', '--json'], env);
    const [, event = ''] = await login.printed(/^(\{.*\})$/m);
    await refuseDevice((JSON.parse(event) as { url: string }).url);
    const { status, stdout } = await login.finished;
    expect(status).toBe(3);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) as string)).toMatchObject({
      error: { code: 'login_denied' },
    });
  });

  it('a second login while one waits: who is confirmed first logs in both', async () => {
    const first = startHoop(['login', agent.url, '--no-browser'], env);
    const second = startHoop(['login', agent.url, '--no-browser'], env);
    await first.said(LINK);
    const [, link = ''] = await second.said(LINK);
    await approveDevice(link, 'u-ann');
    expect((await second.finished).status).toBe(0);
    const told = await first.finished;
    expect(told).toMatchObject({ status: 0, stdout: `Logged in to ${agent.url} as ann@example.com.\n` });
    expect(told.stderr).toContain('confirmed meanwhile');
  });

  it('hoop logout says where a token of the environment goes on to count', async () => {
    const { status, stdout, stderr } = await runHoop(['logout'], {
      ...env,
      HOOP_AGENT_URL: agent.url,
      HOOP_TOKEN: 'x',
    });
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toContain('Commands go on with the token of HOOP_TOKEN');
  });

  it('keeps a login for each profile; `profile use` chooses, `logout --all` ends them all', async () => {
    const token = await machineToken();
    const logInTo = (profile: string) =>
      runHoop(['login', agent.url, '--token-stdin', '--profile', profile], env, token);
    expect((await logInTo('work')).status).toBe(0);
    expect((await logInTo('staging')).status).toBe(0);
    const list = async (): Promise<unknown> => JSON.parse((await runHoop(['profile', 'list', '--json'], env)).stdout);
    expect(await list()).toEqual([
      { id: 'staging', name: 'staging', agent: agent.url, current: false, loggedIn: true },
      { id: 'work', name: 'work', agent: agent.url, current: true, loggedIn: true },
    ]);
    expect(await runHoop(['profile', 'use', 'staging'], env)).toMatchObject({
      status: 0,
      stdout: `Using staging: ${agent.url}\n`,
    });
    expect((await runHoop(['profile', 'list'], env)).stdout).toMatch(/^\* +staging /m);
    const unknown = await runHoop(['profile', 'use', 'stagin', '--json'], env);
    expect(unknown.status).toBe(1);
    expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'not_found' } });
    const out = JSON.parse((await runHoop(['logout', '--all', '--json'], env)).stdout) as unknown[];
    expect(out).toHaveLength(2);
    expect(await list()).toEqual([
      expect.objectContaining({ name: 'staging', loggedIn: false }),
      expect.objectContaining({ name: 'work', loggedIn: false }),
    ]);
  });

  it('in a job of GitHub Actions the job’s own token is asked for and kept nowhere; a login there goes before it', async () => {
    const token = await machineToken();
    const seen: { readonly url: string | undefined; readonly authorization: string | undefined }[] = [];
    const host = createServer((request, response) => {
      seen.push({ url: request.url, authorization: request.headers.authorization });
      response.end(JSON.stringify({ value: token }));
    });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/token?api-version=2.0`;
    const job = {
      ...env,
      HOOP_AGENT_URL: agent.url,
      ACTIONS_ID_TOKEN_REQUEST_URL: url,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner',
    };
    try {
      expect((await runHoop(['whoami'], job)).stdout).toContain('hoop-ci');
      expect(seen).toEqual([{ url: '/token?api-version=2.0&audience=hoop', authorization: 'bearer runner' }]);
      expect((await runHoop(['whoami'], { ...job, HOOP_TOKEN_AUDIENCE: 'urn:other' })).status).toBe(0);
      expect(seen[1]?.url).toContain('audience=urn%3Aother');
      expect(existsSync(join(folder, 'logins'))).toBe(false);
      await logIn(agent.url);
      expect((await runHoop(['whoami'], job)).stdout).toContain('u-ann');
      expect(seen).toHaveLength(2);
    } finally {
      host.close();
    }
  });

  it('logs a machine in with client credentials, by command and by environment alone', async () => {
    const machine = { HOOP_CLIENT_ID: provider.machine.clientId, HOOP_CLIENT_SECRET: provider.machine.clientSecret };
    const login = await runHoop(['login', agent.url, '--client-credentials', '--json'], { ...env, ...machine });
    expect(login.status).toBe(0);
    expect(JSON.parse(login.stdout)).toMatchObject({ subject: 'hoop-ci', groups: ['ci'], profile: 'default' });
    rmSync(join(folder, 'logins'), { recursive: true });
    const who = await runHoop(['whoami', '--json'], { ...env, ...machine });
    expect(JSON.parse(who.stdout)).toMatchObject({ subject: 'hoop-ci' });
    expect(existsSync(join(folder, 'logins'))).toBe(false);
    const wrong = await runHoop(['whoami', '--json'], { ...env, ...machine, HOOP_CLIENT_SECRET: 'wrong' });
    expect(wrong.status).toBe(3);
    expect(wrong.stdout + wrong.stderr).not.toContain('wrong');
  });

  it('takes a token from stdin, HOOP_TOKEN and HOOP_TOKEN_FILE as it stands', async () => {
    await logIn(agent.url);
    const token = (JSON.parse(readFileSync(loginFile(), 'utf8')) as { tokens: { accessToken: string } }).tokens
      .accessToken;
    const other = { HOOP_CONFIG_DIR: join(folder, 'other'), HOOP_KEYRING: 'file', HOOP_AGENT_URL: agent.url };
    expect((await runHoop(['whoami'], { ...other, HOOP_TOKEN: token })).stdout).toContain('u-ann');
    writeFileSync(join(folder, 'token'), `${token}\n`);
    expect((await runHoop(['whoami'], { ...other, HOOP_TOKEN_FILE: join(folder, 'token') })).stdout).toContain('u-ann');
    expect((await runHoop(['whoami'], other)).status).toBe(3);
    expect(await runHoop(['login', '--token-stdin'], other, `${token}\n`)).toMatchObject({ status: 0 });
    expect((await runHoop(['whoami'], other)).stdout).toContain('u-ann');
  });

  it('does not keep a token that the agent refuses, and does not repeat it', async () => {
    const refused = await runHoop(['login', agent.url, '--token-stdin', '--json'], env, 'planted-token-value');
    expect(refused.status).toBe(3);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'token_refused' } });
    expect(refused.stdout + refused.stderr).not.toContain('planted-token-value');
    expect(existsSync(join(folder, 'logins'))).toBe(false);
  });

  it('never sends a login of one agent to another', async () => {
    await logIn(agent.url);
    const elsewhere = await runHoop(['whoami', '--agent', 'http://127.0.0.1:9', '--json'], env);
    expect(elsewhere.status).toBe(3);
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ error: { code: 'not_logged_in' } });
  });

  it.each([
    [['login'], 2, 'config_missing'],
    [['login', 'http://agent.example.com'], 2, 'usage'],
    [['login', 'agent.example.com:8443'], 2, 'usage'],
    [['login', 'http://127.0.0.1:9'], 8, 'unreachable'],
    [['login', 'http://127.0.0.1:9', '--web'], 8, 'unreachable'],
    [['profile', 'use', 'no name'], 2, 'usage'],
    [['profile', 'use', 'nobody'], 1, 'not_found'],
    [['login', '--nonsense'], 2, 'usage'],
    [['login', 'http://127.0.0.1:9', '--web', '--token-stdin'], 2, 'usage'],
  ] as const)('%j exits %i with %s', async (args, status, code) => {
    const failed = await runHoop([...args, '--json'], env);
    expect(failed.status).toBe(status);
    expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code } });
    const told = await runHoop(args, env);
    expect(told).toMatchObject({ status, stdout: '' });
    expect(told.stderr.trimEnd().split('\n')).toHaveLength(3);
  });
});

describe('a login whose token nears its end', () => {
  it('is refreshed once by five processes at the same time, and says so when the provider has ended it', async () => {
    const short = await startBoth(20);
    try {
      await logIn(short.agent.url);
      const file = JSON.parse(readFileSync(loginFile(), 'utf8')) as {
        tokens: { obtainedAt: number; expiresAt: number; refreshToken: string };
      };
      const expired = {
        ...file.tokens,
        obtainedAt: file.tokens.obtainedAt - 20,
        expiresAt: file.tokens.expiresAt - 20,
      };
      writeFileSync(loginFile(), JSON.stringify({ ...file, tokens: expired }), { mode: 0o600 });
      const five = await Promise.all([1, 2, 3, 4, 5].map(() => runHoop(['whoami'], env)));
      expect(five.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0]);
      const next = JSON.parse(readFileSync(loginFile(), 'utf8')) as typeof file;
      expect(next.tokens.refreshToken).not.toBe(file.tokens.refreshToken);
      expect(readdirSync(join(folder, 'logins'))).toHaveLength(1);

      // The old refresh token used once more: the provider ends the whole login.
      writeFileSync(loginFile(), JSON.stringify({ ...file, tokens: expired }), { mode: 0o600 });
      const ended = await runHoop(['whoami', '--json'], env);
      expect(ended.status).toBe(3);
      expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'token_refused' } });
    } finally {
      await short.agent.close();
      await short.provider.close();
    }
  });
});
