import { Registry } from 'prom-client';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LoginLimit } from '../../src/agent/callers/login-limit.js';
import { TokenWatches } from '../../src/agent/callers/token-watches.js';
import { TunnelAcceptor } from '../../src/agent/upgrade.js';
import { type Fault, HoopError } from '../../src/core/errors.js';
import type { Identity } from '../../src/core/identity.js';
import type { PostgresConnection } from '../../src/core/resources.js';
import { ProviderAway } from '../../src/identity/provider-away.js';
import { dialTunnel } from '../../src/tunnel/dial.js';

const CONNECTION: PostgresConnection = {
  name: 'postgres',
  labels: {},
  type: 'postgres',
  host: '127.0.0.1',
  port: 1,
  database: 'd',
  databases: [],
  tls: { mode: 'disable' },
  credentials: [{ groups: ['*'], username: 'u' }],
  access: { groups: ['*'] },
  catalogTtlMs: 1,
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An agent's tunnels, whose callers are who `who` says, or refused. */
async function acceptor(who: () => Promise<Identity>, access: PostgresConnection['access'] = CONNECTION.access) {
  let asked = 0;
  const late: Fault[] = [];
  const tunnels = new TunnelAcceptor({
    registry: new Registry(),
    authenticate: () => {
      asked += 1;
      return who();
    },
    connections: () => [{ ...CONNECTION, access }],
    access: () => () => undefined,
    logins: new LoginLimit({ perMinute: 100, nowMs: () => 0 }),
    addressOf: () => '127.0.0.1',
    accept: () => undefined,
    acceptLate: (stream, _caller, why) => {
      late.push(why);
      stream.destroy(why);
    },
    log: { warn: () => undefined },
    watches: new TokenWatches({ trusts: () => true, everyMs: 10 }),
  });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    tunnels.upgrade(request, socket, head);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        tunnels.closeAll();
        server.close(() => resolve());
      }),
  );
  const agentUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { agentUrl, late, asked: () => asked };
}

const ann = (over: Partial<Identity> = {}): Identity => ({
  subject: 'ann',
  email: '',
  groups: [],
  attributes: {},
  issuer: 'https://id.example.com',
  machine: false,
  mayReview: false,
  expiresAt: Math.floor(Date.now() / 1000) + 600,
  ...over,
});

describe('a tunnel', () => {
  it.each([
    ['reason', 4_000],
    ['correlationId', 500],
  ] as const)('takes the %s whole, of up to %i characters, or is refused: it is never cut', async (name, longest) => {
    const { agentUrl } = await acceptor(async () => ann());
    const dial = (length: number) =>
      dialTunnel({ agentUrl, connection: 'postgres', token: 't', [name]: 'x'.repeat(length) });
    (await dial(longest)).close();
    await expect(dial(longest + 1)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(`is longer than ${longest} characters`) as string,
    });
  });

  it('ends, with all its streams, once the provider says that its token was revoked', async () => {
    let revoked = false;
    const { agentUrl, asked } = await acceptor(async () => {
      if (revoked) throw new Error('refused');
      return ann({ revocable: true });
    });
    const tunnel = await dialTunnel({ agentUrl, connection: 'postgres', token: 't' });
    const ended = new Promise<Fault | undefined>((resolve) => tunnel.openStream().onClose(resolve));
    await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(2);
    revoked = true;
    expect(await ended).toMatchObject({ code: 'unreachable' });
  });

  it('of a token that its signature proves ends once no key proves it any more, not while the provider is away', async () => {
    let failure: Error | undefined;
    const { agentUrl, asked } = await acceptor(async () => {
      if (failure !== undefined) throw failure;
      return ann({ expiresAt: Math.floor(Date.now() / 1000) + 10 * 365 * 86_400 });
    });
    const tunnel = await dialTunnel({ agentUrl, connection: 'postgres', token: 't' });
    let over = false;
    const ended = new Promise<Fault | undefined>((resolve) => tunnel.openStream().onClose(resolve));
    void ended.then(() => (over = true));
    failure = new ProviderAway('the keys of the identity provider are not available');
    const before = asked();
    await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(before + 3);
    expect(over).toBe(false);
    failure = new HoopError('token_refused', 'no key of the issuer proves the token');
    await ended;
    tunnel.close();
  });

  it('ends when its caller has left the groups that the connection is for, and not for groups besides', async () => {
    let groups = ['engineering'];
    const { agentUrl, asked } = await acceptor(async () => ann({ groups }), { groups: ['engineering'] });
    const tunnel = await dialTunnel({ agentUrl, connection: 'postgres', token: 't' });
    let over = false;
    const ended = new Promise<Fault | undefined>((resolve) => tunnel.openStream().onClose(resolve));
    void ended.then(() => (over = true));
    groups = ['engineering', 'sales'];
    const before = asked();
    await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(before + 3);
    expect(over).toBe(false);
    groups = ['sales'];
    await ended;
    tunnel.close();
  });

  it('says when its token ends, and takes nothing new once that and the minute for clocks are over', async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const { agentUrl, late } = await acceptor(async () => ann({ expiresAt: nowS - 61 }));
    const tunnel = await dialTunnel({ agentUrl, connection: 'postgres', token: 't' });
    const events: Record<string, unknown>[] = [];
    tunnel.onEvent((event) => events.push(event));
    const fault = new Promise<Fault | undefined>((resolve) => tunnel.openStream().onClose(resolve));
    expect(await fault).toEqual({ code: 'unreachable', message: 'the token of this tunnel has ended' });
    expect(late).toEqual([await fault]);
    await expect.poll(() => events, { timeout: 10_000 }).toEqual([{ event: 'tunnel.token-ending' }]);
    tunnel.close();
  });
});
