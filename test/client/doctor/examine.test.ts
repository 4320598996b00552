import { readFileSync } from 'node:fs';
import { createServer as createHttps, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentApi } from '../../../src/client/agent-api.js';
import { checkAgent, checkToken, clockFindings } from '../../../src/client/doctor/agent-checks.js';
import type { Check } from '../../../src/client/doctor/check.js';
import { examine, exitStatusOf } from '../../../src/client/doctor/examine.js';
import { checkKeychain } from '../../../src/client/doctor/machine-checks.js';
import { checkDns, checkTcp, checkTls } from '../../../src/client/doctor/network-checks.js';
import { openProfile } from '../../../src/client/login/profile.js';
import { HoopError } from '../../../src/core/errors.js';
import { startTestAgent, type TestAgent } from '../../support/agent.js';
import { ConnectProxy } from '../../support/connect-proxy.js';
import { missingPostgres, freePort } from '../../support/postgres-server.js';
import { issueServerCertificate } from '../../support/server-certificate.js';
import { makeFolder } from '../../support/folders.js';

const missing = missingPostgres();
const folder = makeFolder('doctor');

async function run(url: string, token: string, version = '0.1.0'): Promise<readonly Check[]> {
  const env = { HOOP_CONFIG_DIR: folder, HOOP_TOKEN: token };
  return examine({
    profile: () => openProfile({ env, agent: url }),
    whoami: () => new AgentApi({ url, token: async () => token }).whoami(),
    version,
    env,
    nowMs: () => Date.now(),
    onCheck: () => undefined,
  });
}

const states = (checks: readonly Check[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ id, state }) => [id, state]));

describe.skipIf(missing !== undefined)(
  `hoop doctor with an agent${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let agent: TestAgent;
    beforeAll(async () => {
      agent = await startTestAgent();
    });
    afterAll(() => agent.close());

    it('finds every hop in order where all is well', async () => {
      const checks = await run(agent.agent.url, await agent.token());
      expect(checks.map(({ id }) => id)).toEqual([
        'configuration',
        'dns',
        'tcp',
        'tls',
        'agent',
        'token',
        'clock',
        'keychain',
        'port',
      ]);
      expect(states(checks)).toMatchObject({
        tcp: 'ok',
        tls: 'skipped',
        agent: 'ok',
        token: 'ok',
        clock: 'ok',
        port: 'ok',
      });
      expect(exitStatusOf(checks)).toBe(0);
    });

    it('names a token that is refused, exits 3, and still compares the clocks', async () => {
      const checks = await run(agent.agent.url, 'not-a-token');
      expect(states(checks)).toMatchObject({ agent: 'ok', token: 'failed', clock: 'ok' });
      expect(exitStatusOf(checks)).toBe(3);
      expect(checks.find(({ id }) => id === 'token')?.suggestion).toContain('hoop login');
    });

    it('says when the agent is of another version', async () => {
      const check = await checkAgent({ agentUrl: agent.agent.url, caFile: undefined, version: '0.0.9' });
      expect(check).toMatchObject({ state: 'warning', found: expect.stringContaining('this is hoop 0.0.9') });
    });
  },
);

it('stops at the port where nothing listens, and exits 8', async () => {
  const checks = await run(`http://127.0.0.1:${String(await freePort())}`, 'token');
  expect(states(checks)).toMatchObject({
    tcp: 'failed',
    tls: 'skipped',
    agent: 'skipped',
    token: 'skipped',
    port: 'ok',
  });
  expect(checks.find(({ id }) => id === 'tcp')).toMatchObject({
    found: expect.stringContaining('ECONNREFUSED'),
    suggestion: expect.stringContaining('nothing listens'),
  });
  expect(exitStatusOf(checks)).toBe(8);
});

it('names a host that has no address', async () => {
  expect(await checkDns({ agent: new URL('https://agent.invalid'), env: {} })).toMatchObject({
    id: 'dns',
    state: 'failed',
    exitStatus: 8,
  });
});

it('says which variable to set where no agent is known, and exits 2', async () => {
  const checks = await examine({
    profile: () => openProfile({ env: { HOOP_CONFIG_DIR: folder } }),
    whoami: () => Promise.reject(new Error('never asked')),
    version: '0',
    env: {},
    nowMs: () => 0,
    onCheck: () => undefined,
  });
  expect(checks[0]).toMatchObject({ state: 'failed', suggestion: expect.stringContaining('HOOP_AGENT_URL') });
  expect(exitStatusOf(checks)).toBe(2);
});

describe('TLS', () => {
  let server: Server;
  let url: URL;
  let caFile: string;
  beforeAll(async () => {
    caFile = await issueServerCertificate(folder, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
    const [key, cert] = ['server.key', 'server.crt'].map((name) => readFileSync(join(folder, name)));
    server = createHttps({ key, cert });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = new URL(`https://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  });
  afterAll(() => server.close());

  it('fails for an authority that is not trusted, and names HOOP_CA_FILE', async () => {
    expect(await checkTls({ agent: url, env: {} }, { caFile: undefined, nowMs: Date.now() })).toMatchObject({
      state: 'failed',
      suggestion: expect.stringContaining('HOOP_CA_FILE'),
    });
  });

  it('warns of a certificate that is about to end', async () => {
    const check = await checkTls({ agent: url, env: {} }, { caFile, nowMs: Date.now() });
    expect(check).toMatchObject({
      state: 'warning',
      found: expect.stringMatching(/TLSv1\.3, certificate of 127\.0\.0\.1/),
    });
    const month = await checkTls({ agent: url, env: {} }, { caFile, nowMs: Date.now() - 30 * 86_400_000 });
    expect(month.state).toBe('ok');
  });

  it('says so where the other end speaks no TLS', async () => {
    const plain = new URL(url);
    const { createServer } = await import('node:http');
    const http = createServer((_request, response) => response.end('x'));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    plain.port = String((http.address() as AddressInfo).port);
    expect(await checkTls({ agent: plain, env: {} }, { caFile, nowMs: Date.now() })).toMatchObject({
      state: 'failed',
      suggestion: expect.stringContaining('speaks no TLS'),
    });
    http.close();
  });
});

describe('through a proxy', () => {
  const agent = new URL('https://agent.test:8443');
  let proxy: ConnectProxy;
  let server: Server;
  let caFile: string;
  beforeAll(async () => {
    caFile = await issueServerCertificate(folder, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
    const [key, cert] = ['server.key', 'server.crt'].map((name) => readFileSync(join(folder, name)));
    server = createHttps({ key, cert });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await ConnectProxy.open({ login: 'ann:secret' });
  });
  afterAll(async () => {
    server.close();
    await proxy.close();
  });
  const through = (login: string): Record<string, string> => ({
    HTTPS_PROXY: `http://${login}@127.0.0.1:${String(proxy.port)}`,
  });

  it('looks up the proxy, since that looks up the agent, and never tells its password', async () => {
    const check = await checkDns({ agent, env: through('ann:secret') });
    expect(check).toMatchObject({ state: 'ok', found: 'proxy 127.0.0.1 is an address; it looks up agent.test' });
  });

  it('connects and greets the agent by CONNECT alone', async () => {
    agent.port = String((server.address() as AddressInfo).port);
    const way = { agent, env: through('ann:secret') };
    const tcp = await checkTcp(way);
    expect(tcp).toMatchObject({
      state: 'ok',
      found: expect.stringContaining('agent.test through the proxy 127.0.0.1'),
    });
    expect(tcp.found).not.toContain('secret');
    // Reached, and of another name: the certificate is for 127.0.0.1.
    expect(await checkTls(way, { caFile, nowMs: Date.now() })).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
    expect(new Set(proxy.asked)).toEqual(new Set([`agent.test:${agent.port}`]));
  });

  it('says that the proxy wants a login, is not there, or is none', async () => {
    expect(await checkTcp({ agent, env: through('ann:wrong') })).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('the proxy wants a login'),
      exitStatus: 8,
    });
    const away = { HTTPS_PROXY: `http://127.0.0.1:${String(await freePort())}` };
    expect(await checkTcp({ agent, env: away })).toMatchObject({
      state: 'failed',
      suggestion: expect.stringContaining('NO_PROXY'),
    });
    expect(await checkDns({ agent, env: { HTTPS_PROXY: 'socks5://127.0.0.1:1' } })).toMatchObject({
      state: 'failed',
      exitStatus: 2,
    });
  });
});

describe('clocks', () => {
  it.each([
    [0, 'ok'],
    [-4, 'ok'],
    [30, 'warning'],
    [-61, 'failed'],
    [7_300, 'failed'],
  ] as const)('%i s apart is %s', (seconds, state) => {
    expect(clockFindings(seconds).state).toBe(state);
  });
});

describe('the keychain', () => {
  it('is not asked where a variable brings the token, or the file is wanted', async () => {
    const never = (): Promise<never> => Promise.reject(new Error('asked'));
    expect((await checkKeychain({ env: { HOOP_TOKEN: 'x' }, folder }, never)).state).toBe('skipped');
    expect((await checkKeychain({ env: { HOOP_KEYRING: 'file' }, folder }, never)).state).toBe('ok');
  });

  it('fails where HOOP_KEYRING is misspelt', async () => {
    const check = await checkKeychain({ env: { HOOP_KEYRING: 'fil' }, folder }, () => Promise.resolve(undefined));
    expect(check).toMatchObject({ state: 'failed', found: 'HOOP_KEYRING is fil', exitStatus: 2 });
  });

  it('that does not answer is a warning, since the file does the same work', async () => {
    expect(await checkKeychain({ env: {}, folder }, () => Promise.reject(new Error('none')))).toMatchObject({
      state: 'warning',
      found: expect.stringContaining(folder),
    });
    expect((await checkKeychain({ env: {}, folder }, () => Promise.resolve(undefined))).state).toBe('ok');
  });
});

it('says of a token for whom it is, and how long it lasts', async () => {
  const who = { subject: 'u', email: 'a@example.com', groups: ['dba'], issuer: 'i', machine: false, expiresAt: 7_260 };
  expect(await checkToken(() => Promise.resolve(who), 0)).toMatchObject({
    state: 'ok',
    found: 'a@example.com (dba), good for 2 h 1 min',
  });
  expect((await checkToken(() => Promise.resolve(who), 7_200_000)).state).toBe('warning');
  const refused = new HoopError('not_logged_in', 'not logged in');
  expect((await checkToken(() => Promise.reject(refused), 0)).exitStatus).toBe(3);
});
