import { readdirSync, readFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import pg, { type DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { refusal } from '../support/pg-client.js';
import { missingPostgres } from '../support/postgres-server.js';
import { restartablePostgres, type RestartablePostgres } from '../support/restartable-postgres.js';

const missing = missingPostgres();

/** A network between agent and server that can be cut. */
class Cable {
  readonly #sockets = new Set<Socket>();
  private constructor(private readonly server: Server) {}

  static async to(port: number): Promise<Cable> {
    const server = createServer({ noDelay: true });
    const cable = new Cable(server);
    server.on('connection', (near) => {
      const far = connect({ host: '127.0.0.1', port, noDelay: true });
      for (const socket of [near, far]) {
        cable.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => cable.#sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
      far.on('close', () => near.destroy());
      near.on('close', () => far.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return cable;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe.skipIf(missing !== undefined)(
  `a server that ends a session${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let server: RestartablePostgres;
    let cable: Cable;
    let agent: TestAgent;
    let port: number;

    beforeAll(async () => {
      server = await restartablePostgres();
      cable = await Cable.to(server.port);
      agent = await startTestAgent({
        policies: `
apiVersion: hoop/v1
kind: Connection
metadata: { name: ends }
spec:
  type: postgres
  address: 127.0.0.1:${String(cable.port)}
  database: postgres
  tls: { mode: disable }
  credentials: [{ username: postgres }]
  access: { groups: ['*'] }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules: [{ name: no-drop, when: '"drop" in sql.effects', action: block }]
  mask: [{ name: pii, entities: [email], strategy: partial }]
`,
      });
      ({ port } = await agent.port({ connection: 'ends' }));
    });
    afterAll(async () => {
      await agent.close();
      await cable.close();
      await server.remove();
    });

    /** A session and what its client is told when nothing of its own runs. */
    async function open(): Promise<{ client: pg.Client; told: DatabaseError[] }> {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'ann', database: 'postgres' });
      const told: DatabaseError[] = [];
      client.on('error', (error) => told.push(error as DatabaseError));
      await client.connect();
      return { client, told };
    }

    async function asks(sql: string): Promise<unknown> {
      const { client } = await open();
      const { rows } = await client.query<Record<string, unknown>>(sql);
      await client.end();
      return rows[0];
    }

    /** How the sessions were sealed, the newest last. */
    function sealedAs(): unknown[] {
      const names = readdirSync(agent.recordings, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.ndjson'),
      );
      return names.sort().map((name) => {
        const lines = readFileSync(join(agent.recordings, name), 'utf8').trim().split('\n');
        const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
        return events.at(-1)?.['type'] === 'seal' ? events.at(-2)?.['reason'] : 'open';
      });
    }

    const sealedSince = (before: number): Promise<void> =>
      expect.poll(() => sealedAs().slice(before)).toContain('upstream');

    async function running(sql: string): Promise<void> {
      const like = `select count(*)::int as n from pg_stat_activity where query = '${sql}' and state = 'active'`;
      await expect.poll(() => asks(like)).toEqual({ n: 1 });
    }

    it('after idle_in_transaction_session_timeout: 25P03 in its words, the record sealed as upstream', async () => {
      const before = sealedAs().length;
      const { client, told } = await open();
      await client.query(`set idle_in_transaction_session_timeout = '150ms'`);
      await client.query('begin');
      await expect.poll(() => told[0]).toMatchObject({ severity: 'FATAL', code: '25P03' });
      expect(told[0]?.message).toBe('terminating connection due to idle-in-transaction timeout');
      await sealedSince(before);
      expect(await asks('select 1 as one')).toEqual({ one: 1 });
    });

    it('by pg_terminate_backend, idle and in mid-statement: 57P01 in its words', async () => {
      const before = sealedAs().length;
      const [idle, busy] = [await open(), await open()];
      const sleeping = refusal(busy.client.query('select pg_sleep(600)'));
      await running('select pg_sleep(600)');
      await asks(`select count(pg_terminate_backend(pid)) from pg_stat_activity
                  where pid <> pg_backend_pid() and backend_type = 'client backend'`);
      const words = 'terminating connection due to administrator command';
      expect(await sleeping).toMatchObject({ severity: 'FATAL', code: '57P01', message: words });
      await expect.poll(() => idle.told[0]).toMatchObject({ severity: 'FATAL', code: '57P01', message: words });
      await sealedSince(before);
    });

    it('by a fast restart: 57P01, then 08006 while it is down, then service as before', async () => {
      const { told } = await open();
      await server.stopFast();
      await expect.poll(() => told[0]).toMatchObject({ code: '57P01' });
      const down = await refusal(open());
      expect([down.severity, down.code]).toEqual(['FATAL', '08006']);
      await server.start();
      expect(await asks('select 2 as two')).toEqual({ two: 2 });
    });

    it('by a cut network, idle and in mid-statement: 08006 in one sentence, and the next connection works', async () => {
      const before = sealedAs().length;
      const [idle, busy] = [await open(), await open()];
      const sleeping = refusal(busy.client.query('select pg_sleep(601)'));
      await running('select pg_sleep(601)');
      cable.cut();
      const words = 'the database server closed the connection';
      expect(await sleeping).toMatchObject({ severity: 'FATAL', code: '08006', message: words });
      await expect.poll(() => idle.told[0]).toMatchObject({ severity: 'FATAL', code: '08006', message: words });
      await sealedSince(before);
      expect(await asks('select 3 as three')).toEqual({ three: 3 });
    });

    it('leaves no session behind and none unsealed', async () => {
      await expect.poll(() => sealedAs()).not.toContain('open');
      const metrics = await (await fetch(`${agent.agent.url}/metrics`)).text();
      expect(metrics).toMatch(/^hoop_sessions_live 0$/m);
    });
  },
);
