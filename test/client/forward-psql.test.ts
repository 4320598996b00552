import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { environmentOf } from '../../src/client/child/environment.js';
import { openForward, type Forward } from '../../src/client/ports/forward.js';
import { listenOnPort } from '../../src/client/ports/local-listener.js';
import { peerCheck } from '../../src/client/ports/peer.js';
import type { ConnectionEvent } from '../../src/client/tunnels/tunnel-keeper.js';
import { missingPostgres, type PostgresServer, sharedPostgres } from '../support/postgres-server.js';
import { TunnelEndpoint } from './tunnel-pair.js';

const missing = missingPostgres() ?? (process.platform === 'linux' ? undefined : 'local ports need Linux');

interface Psql {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

describe.skipIf(missing !== undefined)(
  `psql through a forward${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let postgres: PostgresServer;
    let endpoint: TunnelEndpoint;
    let forward: Forward;
    let events: ConnectionEvent[];

    beforeAll(async () => {
      postgres = await sharedPostgres({ auth: 'trust' });
    });

    beforeEach(async () => {
      events = [];
      endpoint = await TunnelEndpoint.open();
      endpoint.carryTo(postgres.port);
      const onEvent = (event: ConnectionEvent): void => void events.push(event);
      const keeper = await endpoint.keeper(onEvent);
      const listen: Parameters<typeof openForward>[0]['listen'] = (server) => listenOnPort(server, '127.0.0.1', 0);
      forward = await openForward({
        connection: 'postgres',
        type: 'postgres',
        listen,
        checkPeer: peerCheck(),
        keeper,
        onEvent,
      });
    });
    afterEach(async () => {
      await forward.close();
      await endpoint.close();
    });

    function psql(args: readonly string[], stdin = ''): Psql {
      const place = {
        connection: 'postgres',
        type: 'postgres',
        address: forward.address,
        database: 'postgres',
        user: 'postgres',
      };
      const env = {
        PATH: `${process.env['PATH'] ?? ''}:${postgres.binDir}`,
        HOME: '/nonexistent',
        ...environmentOf(place),
      };
      const child = spawn('psql', ['-X', ...args], { env });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
      child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
      child.stdin.end(stdin);
      return {
        child,
        ended: new Promise((resolve) => {
          child.on('close', (status) => {
            resolve({ status, stdout, stderr });
          });
        }),
      };
    }

    /** Waits until the server runs a statement that begins so. */
    async function runs(beginning: string): Promise<void> {
      for (;;) {
        const rows = await postgres.sql(
          `SELECT 1 FROM pg_stat_activity WHERE query LIKE '${beginning}%' AND state = 'active'`,
        );
        if (rows.length > 0) return;
      }
    }

    it('copies 50,000 rows in and out', async () => {
      const rows = Array.from({ length: 50_000 }, (_, row) => `${String(row)}\tname ${String(row)}`).join('\n');
      const script = `CREATE TEMP TABLE t (id int, name text);\n\\copy t FROM STDIN\n${rows}\n\\.\n\\copy t TO STDOUT\n`;
      const { status, stdout } = await psql(['-q', '-f', '-'], script).ended;
      expect(status).toBe(0);
      expect(stdout.trim() === rows).toBe(true);
    });

    it('cancels a running statement at Ctrl-C: the request comes over a connection of its own', async () => {
      const { child, ended } = psql(['-c', 'SELECT pg_sleep(600)']);
      await runs('SELECT pg_sleep(600)');
      child.kill('SIGINT');
      const { stderr } = await ended;
      expect(stderr).toContain('canceling statement due to user request');
    });

    it('tells psql that the agent was lost when the tunnel breaks under a running statement', async () => {
      const { ended } = psql(['-c', 'SELECT pg_sleep(601)']);
      await runs('SELECT pg_sleep(601)');
      endpoint.breakTunnels();
      const { status, stderr } = await ended;
      expect(stderr).toContain('FATAL:  connection to the hoop agent was lost');
      expect(status).not.toBe(0);
      await postgres.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(601)%'`,
      );
    });

    it('serves the next psql after the tunnel broke, on the same port', async () => {
      endpoint.breakTunnels();
      const { status, stdout } = await psql(['-Atc', 'SELECT 1']).ended;
      expect([status, stdout]).toEqual([0, '1\n']);
      expect(events.map((event) => event.event)).toEqual(['reconnecting', 'reconnected']);
    });
  },
);
