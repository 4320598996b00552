import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, get, Agent } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HALF_OPEN_KINDS, openHalfOpen, type HalfOpenPeer } from '../../scripts/stress/lib/half-open.js';
import { HalfOpenPeers } from '../../src/agent/http/half-open-peers.js';
import { openPort, startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { issueServerCertificate } from '../support/server-certificate.js';
import { makeFolder } from '../support/folders.js';

const EACH = 34;
const START_UPS = 40;

describe.skipIf(missingPostgres() !== undefined)('peers that begin and go no further', () => {
  const folder = makeFolder('half-open');
  let agent: TestAgent;
  let ca: string;
  const open: { close(): void }[] = [];

  beforeAll(async () => {
    ca = await issueServerCertificate(folder, {});
    const tls = `tls: { cert: ${join(folder, 'server.crt')}, key: ${join(folder, 'server.key')} }`;
    agent = await startTestAgent({ listenSpec: tls });
  }, 60_000);
  afterAll(async () => {
    for (const one of open) one.close();
    await agent.close();
  });

  it(
    `are let go, ${String(EACH * HALF_OPEN_KINDS.length)} in TCP, TLS, a head, an upgrade or a tunnel, and ${String(START_UPS)} in a start-up after 15 s; others are served meanwhile`,
    { timeout: 120_000 },
    async () => {
      const target = { agentUrl: agent.agent.url, ca: readFileSync(ca), token: await agent.token() };
      const peers: HalfOpenPeer[] = [];
      for (const kind of HALF_OPEN_KINDS)
        for (let nth = 0; nth < EACH; nth += 1) peers.push(await openHalfOpen(kind, target));
      open.push(...peers);
      const started = await openPort(agent.agent.url, 'postgres', target.token, { caFile: ca });
      open.push(started);
      const startUps = Array.from({ length: START_UPS }, () => {
        const socket = connect(started.port, '127.0.0.1');
        // Length and version of a start-up packet, whose rest never comes.
        socket.write(Buffer.from('0000002a00030000', 'hex'));
        const beganAt = performance.now();
        const gone = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now() - beganAt)));
        socket.on('error', () => undefined).resume();
        open.push({ close: () => socket.destroy() });
        return gone;
      });

      const good = await openPort(agent.agent.url, 'postgres', target.token, { caFile: ca });
      open.push(good);
      const client = new pg.Client({ host: '127.0.0.1', port: good.port, user: 'ann', database: agent.database });
      const asked = performance.now();
      await client.connect();
      expect(performance.now() - asked).toBeLessThan(5_000);
      expect((await client.query('SELECT count(*)::int AS n FROM customers')).rows).toEqual([{ n: 2 }]);

      await Promise.all(peers.map(({ gone }) => gone));
      expect(Math.max(...(await Promise.all(startUps)))).toBeLessThan(20_000);
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      await client.end();
      expect(agent.logged.filter((line) => line.startsWith('failure'))).toEqual([]);
    },
  );
});

describe('more peers that ask for nothing than there may be', () => {
  const server = createServer((_request, response) => response.end('ok'));
  const halfOpen = new HalfOpenPeers(3);
  const sockets: Socket[] = [];
  let port: number;
  beforeAll(async () => {
    halfOpen.watch(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });

  /** Connects; by its return the server knows of it. */
  async function silent(): Promise<{ readonly closed: Promise<unknown> }> {
    const came = once(server, 'connection');
    const socket = connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    sockets.push(socket);
    await came;
    return { closed: once(socket, 'close') };
  }

  it('make room for the newest, the oldest first, and whoever asks is answered', async () => {
    const first = await silent();
    await silent();
    await silent();
    expect(halfOpen.count).toBe(3);
    const keepAlive = new Agent({ keepAlive: true });
    const answer = await new Promise<number | undefined>((resolve, reject) =>
      get({ port, host: '127.0.0.1', agent: keepAlive }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      ),
    );
    expect(answer).toBe(200);
    // It came as the fourth; between two requests it counts as silent again.
    await first.closed;
    await expect.poll(() => halfOpen.count).toBe(3);
    keepAlive.destroy();
    await expect.poll(() => halfOpen.count).toBe(2);
  });
});
