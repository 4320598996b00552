import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, startTestIssuer, type TestAgent, type TestIssuer } from '../support/agent.js';
import { buildCli, runHoop, startHoop, type Finished } from '../support/built-cli.js';
import { missingPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const MASKS = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec: { mask: [{ name: pii, entities: [email, credit-card, us-ssn, phone], strategy: partial }] }
`;

describe.skipIf(missingPostgres() !== undefined)('what the CLI says when it may not, or can not', () => {
  let issuer: TestIssuer;
  let foreign: TestIssuer;
  let agent: TestAgent;
  let folder: string;
  let good: string;

  beforeAll(async () => {
    await buildCli();
    issuer = await startTestIssuer();
    foreign = await startTestIssuer();
    agent = await startTestAgent({ issuer, policies: MASKS });
    folder = makeFolder('tokens');
    good = await agent.token();
  });

  afterAll(async () => {
    await agent.close();
    await issuer.close();
    await foreign.close();
  });

  const hoop = (args: readonly string[], token: string, url = agent.agent.url): Promise<Finished> =>
    runHoop(args, { HOOP_CONFIG_DIR: folder, HOOP_AGENT_URL: url, HOOP_TOKEN: token, HOOP_KEYRING: 'file' });
  const exec = ['exec', 'postgres', '-i', 'select 1 as one'];

  /** The HTTP status that a request for the tunnel gets. */
  const tunnelStatus = (token: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const websocket = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      };
      const asked = request(`${agent.agent.url}/v1/tunnel/postgres`, {
        headers: { authorization: `Bearer ${token}`, ...websocket },
      });
      asked.on('response', (response) => {
        resolve(response.resume().statusCode);
      });
      asked.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });

  it('a token that is expired, foreign, for another audience or no token is 401 by REST and on the tunnel, and exit 3', async () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { sub: 'ann', groups: ['engineering'] };
    const tokens = [
      await issuer.token({ ...claims, iat: now - 900, exp: now - 300 }),
      await foreign.token(claims),
      await issuer.token({ ...claims, aud: 'other' }),
      'no-token',
    ];
    const finished = await Promise.all(tokens.map((token) => hoop(exec, token)));
    for (const [index, token] of tokens.entries()) {
      expect((await agent.call('/v1/whoami', { token })).status).toBe(401);
      expect(await tunnelStatus(token)).toBe(401);
      const { status, stdout, stderr } = finished[index] as Finished;
      expect([status, stdout]).toEqual([3, '']);
      expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
      expect(stderr).not.toContain(token);
    }
  });

  it('an unknown connection and one without access are told the same, exit 4', async () => {
    const [unknown, denied] = await Promise.all([
      hoop(['exec', 'nothing', '-i', 'select 1'], good),
      hoop(exec, await agent.token({ subject: 'eve', groups: ['visitors'] })),
    ]);
    expect([unknown.status, denied.status]).toEqual([4, 4]);
    expect(unknown.stderr.replaceAll('nothing', 'NAME')).toBe(denied.stderr.replaceAll('postgres', 'NAME'));
  });

  it('an agent that does not run is exit 8, and a taken port exit 1 and named', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const [gone, busy] = await Promise.all([
      hoop(exec, good, 'http://127.0.0.1:1'),
      hoop(['connect', 'postgres', '--port', String(port)], good),
    ]);
    taken.close();
    expect([gone.status, busy.status]).toEqual([8, 1]);
    expect(busy.stderr).toContain(String(port));
    expect(gone.stderr + busy.stderr).not.toContain(good);
  });

  it("recordings, logs, the CLI's files, its output and its process hold no upstream password, planted value or token", async () => {
    const connected = startHoop(['connect', 'postgres', '--json'], {
      HOOP_CONFIG_DIR: folder,
      HOOP_AGENT_URL: agent.agent.url,
      HOOP_TOKEN: good,
      HOOP_KEYRING: 'file',
    });
    await new Promise((resolve) => connected.child.stdout?.once('data', resolve));
    const commandLine = readFileSync(`/proc/${String(connected.child.pid)}/cmdline`, 'utf8');
    const shown = await hoop(
      ['exec', 'postgres', '-i', `select email, card, ssn, phone, 'planted@example.com' from customers`],
      good,
    );
    expect(shown.status).toBe(0);
    connected.child.kill('SIGINT');
    const ended = await connected.finished;
    const files = [agent.recordings, folder]
      .flatMap((dir) => readdirSync(dir, { recursive: true }).map((name) => join(dir, String(name))))
      .filter((path) => statSync(path).isFile());
    const all = [
      ...files.map((path) => readFileSync(path, 'latin1')),
      ...agent.logged,
      commandLine,
      shown.stdout,
      shown.stderr,
      ended.stdout,
      ended.stderr,
    ].join('\n');
    expect(files.some((file) => file.endsWith('.ndjson'))).toBe(true);
    const { app, admin } = agent.postgres;
    for (const secret of [
      app.password,
      admin.password,
      good,
      'planted@example.com',
      'ann.lee@example.com',
      '4111 1111 1111 1111',
      '5555555555554444',
      '123-45-6789',
      '415 555 0132',
    ])
      expect(all).not.toContain(secret);
  });

  it('a token that was logged in with lies in the token file alone, and that is private', async () => {
    const config = makeFolder('login');
    const env = { HOOP_CONFIG_DIR: config, HOOP_KEYRING: 'file' };
    const login = await runHoop(['login', agent.agent.url, '--token-stdin'], env, `${good}\n`);
    expect(login.status).toBe(0);
    const who = await runHoop(['whoami'], env);
    expect(who.status).toBe(0);
    expect([login.stdout, login.stderr, who.stdout, who.stderr].join('\n')).not.toContain(good);
    const holding = readdirSync(config, { recursive: true })
      .map((name) => join(config, String(name)))
      .filter((path) => statSync(path).isFile() && readFileSync(path, 'latin1').includes(good));
    expect(holding).toHaveLength(1);
    expect(statSync(holding[0] as string).mode & 0o777).toBe(0o600);
  });
});
