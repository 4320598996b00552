import { Registry } from 'prom-client';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LoginLimit } from '../../src/agent/login-limit.js';
import { TunnelAcceptor } from '../../src/agent/upgrade.js';
import type { Fault } from '../../src/core/errors.js';
import type { Identity } from '../../src/core/identity.js';
import type { PostgresConnection } from '../../src/core/resources.js';
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
async function acceptor(who: () => Promise<Identity>) {
  let asked = 0;
  const late: Fault[] = [];
  const tunnels = new TunnelAcceptor({
    registry: new Registry(),
    authenticate: () => {
      asked += 1;
      return who();
    },
    connections: () => [CONNECTION],
    access: () => () => undefined,
    logins: new LoginLimit({ perMinute: 100, nowMs: () => 0 }),
    accept: () => undefined,
    acceptLate: (stream, _caller, why) => {
      late.push(why);
      stream.destroy(why);
    },
    log: { warn: () => undefined },
    recheckMs: 10,
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

  it('of a token that its signature alone proves is not asked about again', async () => {
    const { agentUrl, asked } = await acceptor(async () => ann());
    const other = await acceptor(async () => ann({ revocable: true }));
    const tunnel = await dialTunnel({ agentUrl, connection: 'postgres', token: 't' });
    await dialTunnel({ agentUrl: other.agentUrl, connection: 'postgres', token: 't' });
    await expect.poll(other.asked, { timeout: 10_000 }).toBeGreaterThan(3);
    expect(asked()).toBe(1);
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
