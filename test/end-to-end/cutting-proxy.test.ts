import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Client, type DatabaseError } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, startTestIssuer, type TestAgent, type TestIssuer } from '../support/agent.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { type HttpUpstream, startHttpUpstream } from '../support/http-upstream.js';
import { type KeptPort, openKeptPort, type KeptPortOptions } from '../support/kept-port.js';
import { refusal } from '../support/pg-client.js';
import { missingPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';
import { guardPolicy } from '../support/guard-policy.js';
import { headerOf, httpConnection } from '../support/http-connection.js';

const POLICIES = guardPolicy(
  '5m',
  `{ name: posts, when: 'http.method == "POST"', action: approve, approval: dba-review }`,
);

describe.skipIf(missingPostgres() !== undefined)('a port behind a network that breaks', () => {
  let issuer: TestIssuer;
  let agent: TestAgent;
  let proxy: CuttingProxy;
  let upstream: HttpUpstream;
  /** Where the proxy leads. */
  let behind: number;
  const ports: KeptPort[] = [];
  const clients: Client[] = [];

  beforeAll(async () => {
    issuer = await startTestIssuer();
    upstream = await startHttpUpstream((seen, response) => response.end(`${seen.method} done`));
    agent = await startTestAgent({
      policies: `${POLICIES}${httpConnection('crm', upstream.url, headerOf('x-token', 'APP_PASSWORD'))}`,
      issuer,
    });
    behind = portOf(agent);
    proxy = await CuttingProxy.open(() => behind);
  });

  afterEach(async () => {
    proxy.stall(false);
    proxy.refuse(false);
    proxy.drop();
    proxy.delay(0);
    behind = portOf(agent);
    for (const client of clients.splice(0)) void client.end().catch(() => undefined);
    await Promise.all(ports.splice(0).map((port) => port.close()));
  });

  afterAll(async () => {
    await proxy.close();
    await agent.close();
    await issuer.close();
    upstream.close();
  });

  const open = async (options: Partial<KeptPortOptions> = {}): Promise<KeptPort> => {
    const kept = await openKeptPort({ agentUrl: proxy.url, token: () => agent.token(), tickMs: 40, ...options });
    ports.push(kept);
    return kept;
  };

  const session = async ({ port }: KeptPort): Promise<Client> => {
    const client = new Client({ host: '127.0.0.1', port, user: 'any', database: agent.database, ssl: false });
    clients.push(client);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  const one = async (client: Client): Promise<unknown> =>
    (await client.query<{ one: number }>('select 1 as one')).rows[0]?.one;

  /** Starts a statement that runs for longer than any test waits; gives what ended it. */
  const running = async (client: Client): Promise<{ readonly ended: Promise<DatabaseError> }> => {
    const mark = `s${randomBytes(4).toString('hex')}`;
    const ended = refusal(client.query(`select pg_sleep(60) as ${mark}`));
    await until('the statement runs', () => isRunning(mark));
    return { ended };
  };

  const isRunning = async (mark: string): Promise<true | undefined> => {
    const rows = await agent.postgres.sql(
      `select 1 from pg_stat_activity where state = 'active' and query like '%${mark}%' and pid <> pg_backend_pid()`,
    );
    return rows.length > 0 ? true : undefined;
  };

  it.each<[string, (kept: KeptPort) => void]>([
    ['is cut', () => proxy.cut()],
    ['is closed half, towards the agent', () => proxy.halfClose('up')],
    ['is closed half, towards the laptop', () => proxy.halfClose('down')],
    ['loses what the agent sends', () => proxy.drop('down')],
    ['loses everything', () => proxy.drop('up', 'down')],
    [
      'stalls, and the laptop wakes from a sleep',
      (kept) => {
        proxy.stall(true);
        kept.wake();
      },
    ],
  ])(
    'ends a running statement with 08006 and one sentence when it %s, and serves the next client',
    async (_how, harm) => {
      const kept = await open();
      const client = await session(kept);
      const { ended } = await running(client);
      harm(kept);
      const error = await ended;
      expect(error.code).toBe('08006');
      expect(error.message).toBe(
        'connection to the hoop agent was lost while a statement ran; whether it took effect is not known',
      );
      const waiting = session(kept);
      proxy.drop();
      proxy.stall(false);
      expect(await one(await waiting)).toBe(1);
      expect(kept.events.map(({ event }) => event)).toContain('reconnecting');
    },
  );

  it('lets new clients wait while the agent can not be reached, and serves them on the same port', async () => {
    const kept = await open();
    proxy.refuse(true);
    proxy.cut();
    const waiting = [session(kept), session(kept)];
    await until('two attempts were made', () => kept.events.filter(({ event }) => event === 'reconnecting').length > 1);
    proxy.refuse(false);
    for (const client of await Promise.all(waiting)) expect(await one(client)).toBe(1);
  });

  it('opens a session again that began on a tunnel which was dead already', async () => {
    const kept = await open();
    proxy.drop('up', 'down');
    const early = session(kept);
    await until('the loss is noticed', () => kept.events.some(({ event }) => event === 'reconnecting'));
    proxy.drop();
    expect(await one(await early)).toBe(1);
  });

  it('takes a slow network for what it is: 150 ms each way end nothing', async () => {
    proxy.delay(150);
    const kept = await open({ tickMs: 20 });
    const client = await session(kept);
    for (let round = 0; round < 3; round += 1) expect(await one(client)).toBe(1);
    expect(kept.events.filter(({ event }) => event === 'reconnecting')).toEqual([]);
  });

  describe('with a statement that waits for approval', () => {
    const held = async (kept: KeptPort, id: number) => {
      const client = await session(kept);
      const result = client.query(`insert into payments values (${String(id)}, 1, 5) returning id`);
      // The client has heard of it: so has its end of the tunnel of what resumes it.
      const notice = await new Promise<string>((resolve) => {
        client.once('notice', ({ message }) => {
          resolve(message ?? '');
        });
      });
      const request = /hoop approve (\S+)/.exec(notice)?.[1] ?? '';
      return { client, result, request };
    };
    const approve = async (request: string): Promise<number> => {
      const token = await agent.token({ subject: 'dana', groups: ['dba'] });
      return (await agent.call(`/v1/requests/${request}/approve`, { token, body: { reason: 'fine' } })).status;
    };
    const rows = async (id: number): Promise<number> =>
      (await agent.postgres.sql(`select 1 from payments where id = ${String(id)}`, agent.database)).length;
    const stateOf = async (request: string): Promise<string> => {
      const token = await agent.token({ subject: 'dana', groups: ['dba'] });
      return ((await agent.call(`/v1/requests/${request}`, { token })).body as { state: string }).state;
    };

    it('survives three cuts, and runs once when approved', async () => {
      const kept = await open();
      const { result, request } = await held(kept, 101);
      for (let cuts = 1; cuts <= 3; cuts += 1) {
        proxy.cut();
        await until('it is back', () => kept.events.filter(({ event }) => event === 'reconnected').length === cuts);
      }
      expect(await approve(request)).toBe(200);
      expect((await result).rows).toEqual([{ id: 101 }]);
      expect(await rows(101)).toBe(1);
    });

    it('is not run when approved while the laptop is away, but as soon as it is back', async () => {
      const kept = await open();
      const { result, request } = await held(kept, 102);
      proxy.refuse(true);
      proxy.cut();
      expect(await approve(request)).toBe(200);
      await until(
        'two attempts were made',
        () => kept.events.filter(({ event }) => event === 'reconnecting').length > 1,
      );
      expect(await rows(102)).toBe(0);
      proxy.refuse(false);
      expect((await result).rows).toEqual([{ id: 102 }]);
    });

    it('is given up with 08006 after a minute away, and withdrawn as soon as the laptop is back', async () => {
      const kept = await open({ faster: 100 });
      const { result, request } = await held(kept, 103);
      const failed = refusal(result);
      proxy.refuse(true);
      proxy.cut();
      const error = await failed;
      expect(error.code).toBe('08006');
      expect(error.message).toBe(
        'connection to the hoop agent was lost for 60 s; the statement that waited was not run',
      );
      expect(await stateOf(request)).toBe('pending');
      proxy.refuse(false);
      await until('it is withdrawn', async () => ((await stateOf(request)) === 'cancelled' ? true : undefined));
      expect(await rows(103)).toBe(0);
    });

    it('may be an HTTP request: its client gets its one answer after a cut', async () => {
      const kept = await open({ connection: 'crm', type: 'http' });
      const answer = fetch(`http://127.0.0.1:${String(kept.port)}/customers`, { method: 'POST', body: '{}' });
      const request = await until('it waits', () => {
        const waiting = kept.events.find(({ event }) => event === 'approval.waiting');
        return waiting?.['request'] as string | undefined;
      });
      // The token that resumes it follows the news at once; a round trip later it is there.
      expect((await fetch(`http://127.0.0.1:${String(kept.port)}/`)).status).toBe(200);
      proxy.cut();
      await until('it is back', () => kept.events.some(({ event }) => event === 'reconnected'));
      expect(await approve(request)).toBe(200);
      expect(await (await answer).text()).toBe('POST done');
      expect(upstream.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
    });

    it('can be cancelled by its client after it came back', async () => {
      const kept = await open();
      const { client, result, request } = await held(kept, 104);
      const failed = refusal(result);
      proxy.cut();
      await until('it is back', () => kept.events.some(({ event }) => event === 'reconnected'));
      await cancel(client, kept.port);
      expect((await failed).code).toBe('57014');
      expect(await stateOf(request)).toBe('cancelled');
      expect(await one(client)).toBe(1);
    });
  });

  it('goes to the agent that takes over while the one before drains, and what runs there ends in peace', async () => {
    const next = await startTestAgent({ issuer, database: agent.database });
    const before = await startTestAgent({ issuer, database: agent.database });
    try {
      behind = portOf(before);
      const kept = await open();
      const client = await session(kept);
      const slow = client.query<{ done: string }>("select pg_sleep(1.5)::text as x, 'done' as done");
      await until('the statement runs', () => isRunning('pg_sleep(1.5)'));
      behind = portOf(next);
      const closed = before.agent.close(10_000);
      expect(await one(await session(kept))).toBe(1);
      expect((await slow).rows[0]?.done).toBe('done');
      await closed;
    } finally {
      await before.close();
      await next.close();
    }
  });

  it.each(['while another agent is there already', 'while there is no other agent'])(
    'brings a cancel to the agent that drains, %s, and ends when that has taken it',
    async (when) => {
      const next = await startTestAgent({ issuer, database: agent.database });
      const before = await startTestAgent({ issuer, database: agent.database });
      try {
        behind = portOf(before);
        const kept = await open();
        const client = await session(kept);
        const { ended } = await running(client);
        behind = portOf(next);
        if (when === 'while there is no other agent') proxy.refuse(true);
        const closed = before.agent.close(30_000);
        await until('the agent has said that it goes', () => kept.keeper.leaving.length > 0);
        await cancel(client, kept.port);
        expect((await ended).code).toBe('57014');
        await closed;
        proxy.refuse(false);
        expect(await one(await session(kept))).toBe(1);
      } finally {
        await before.close();
        await next.close();
      }
    },
  );

  it('goes on with a fresh token when that of its tunnel ends: nobody waits, nothing running ends, nothing is said', async () => {
    const tokens: string[] = [];
    const kept = await open({
      token: async () => {
        // The first ends a second from now.
        const exp = Math.floor(Date.now() / 1000) + (tokens.length === 0 ? 2 : 600);
        const claims = { sub: 'ann', groups: ['engineering'], email: 'ann@example.com', exp };
        tokens.push(await issuer.token(claims));
        return tokens.at(-1) ?? '';
      },
    });
    const client = await session(kept);
    await until('the tunnel is another', () => tokens.length === 2);
    await until('the first one is left to what runs on it', () => kept.keeper.leaving.length === 2);
    expect(await one(await session(kept))).toBe(1);
    expect(await one(client)).toBe(1);
    const { ended } = await running(client);
    await cancel(client, kept.port);
    expect((await ended).code).toBe('57014');
    expect(kept.events.filter(({ event }) => /connect/.test(event))).toEqual([]);
    await client.end();
    await until('the first one is closed', () => kept.keeper.leaving.length === 0);
    expect(tokens).toHaveLength(2);
  });
});

function portOf({ agent }: TestAgent): number {
  return Number(new URL(agent.url).port);
}

/** Sends what Ctrl-C in psql sends. */
function cancel(client: Client, port: number): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const packet = Buffer.alloc(16);
  packet.writeInt32BE(16, 0);
  packet.writeInt32BE(80_877_102, 4);
  packet.writeInt32BE(processID, 8);
  packet.writeInt32BE(secretKey, 12);
  return new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.end(packet));
    socket
      .on('error', () => undefined)
      .on('close', () => {
        resolve();
      });
    socket.resume();
  });
}
