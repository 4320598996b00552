import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres, sharedPostgres, startPostgres, type PostgresServer } from './postgres-server.js';

const missing = missingPostgres();

async function ask(server: PostgresServer, options: pg.ClientConfig): Promise<string> {
  const client = new pg.Client({ host: server.host, port: server.port, database: 'postgres', ...options });
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: string }>('SELECT current_user AS answer');
    return rows[0]?.answer ?? '';
  } finally {
    await client.end();
  }
}

const login = (role: { username: string; password: string }): pg.ClientConfig => ({
  user: role.username,
  password: role.password,
});

/** The code of the authentication request that answers a start-up message: 0 ok, 3 clear text, 5 MD5, 10 SASL. */
function authenticationCode(server: PostgresServer): Promise<number> {
  const parameters = Buffer.from('user\0hoop_app\0database\0postgres\0\0');
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(8 + parameters.length, 0);
  startup.writeInt32BE(196608, 4);
  return new Promise((resolve, reject) => {
    const socket = createConnection(server.port, server.host, () => socket.write(Buffer.concat([startup, parameters])));
    socket.once('error', reject).once('data', (answer: Buffer) => {
      socket.destroy();
      resolve(answer.readInt32BE(5));
    });
  });
}

describe.skipIf(missing !== undefined)(
  `a real PostgreSQL server${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    describe.each([
      ['scram-sha-256', 10],
      ['md5', 5],
      ['password', 3],
      ['trust', 0],
    ] as const)('with %s', (auth, code) => {
      let server: PostgresServer;
      beforeAll(async () => {
        server = await sharedPostgres({ auth });
      });

      it(`asks for a password with authentication code ${String(code)}`, async () => {
        expect(await authenticationCode(server)).toBe(code);
      });

      it('lets hoop_app and hoop_admin in with their passwords', async () => {
        expect(await ask(server, login(server.app))).toBe('hoop_app');
        expect(await ask(server, login(server.admin))).toBe('hoop_admin');
      });

      it(auth === 'trust' ? 'lets a wrong password in' : 'refuses a wrong password with 28P01', async () => {
        const asked = ask(server, { user: 'hoop_app', password: 'wrong' });
        if (auth === 'trust') expect(await asked).toBe('hoop_app');
        else await expect(asked).rejects.toMatchObject({ code: '28P01' });
      });
    });

    describe('with TLS', () => {
      let server: PostgresServer;
      beforeAll(async () => {
        server = await sharedPostgres({ tls: true });
      });

      it('proves who it is to a client that verifies name and authority', async () => {
        const ca = readFileSync(server.caFile ?? '', 'utf8');
        expect(await ask(server, { ...login(server.app), ssl: { ca, rejectUnauthorized: true } })).toBe('hoop_app');
      });

      it('refuses a client without TLS', async () => {
        await expect(ask(server, login(server.app))).rejects.toMatchObject({ code: '28000' });
      });

      it('is not believed by a client that has not got its authority', async () => {
        await expect(ask(server, { ...login(server.app), ssl: true })).rejects.toThrow(/certificate|issuer/);
      });
    });

    it('makes a database that hoop_admin owns and hoop_app reads and writes', async () => {
      const server = await sharedPostgres();
      await server.createDatabase('shop', 'CREATE TABLE item (id int); INSERT INTO item VALUES (1), (2)');
      const client = new pg.Client({ host: server.host, port: server.port, database: 'shop', ...login(server.app) });
      await client.connect();
      await client.query('INSERT INTO item VALUES (3)');
      await client.end();
      expect(await server.sql('SELECT count(*)::int AS n FROM item', 'shop')).toEqual([{ n: 3 }]);
      expect(await server.sql("SELECT tableowner AS o FROM pg_tables WHERE tablename = 'item'", 'shop')).toEqual([
        { o: 'hoop_admin' },
      ]);
    });

    it('shares one server per kind', async () => {
      expect(await sharedPostgres()).toBe(await sharedPostgres({ auth: 'scram-sha-256' }));
    });

    it('leaves no process and no folder when stopped', async () => {
      const server = await startPostgres({ tls: true });
      const folder = dirname(server.caFile ?? '');
      expect(existsSync(folder)).toBe(true);
      await server.stop();
      expect(existsSync(folder)).toBe(false);
      await expect(ask(server, login(server.app))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    });

    it('ends when the process that started it is killed', async () => {
      const script = `import { startPostgres } from './test/support/postgres-server.ts';
      const server = await startPostgres({ tls: true });
      process.stdout.write(server.caFile, () => process.kill(process.pid, 'SIGKILL'));`;
      const run = promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
      const killed = await run.then(
        () => undefined,
        (error: unknown) => error as { stdout: string; signal: string },
      );
      expect(killed?.signal).toBe('SIGKILL');
      await expect.poll(() => existsSync(dirname(killed?.stdout ?? '')), { timeout: 10_000 }).toBe(false);
    });

    it('says why when the server does not start', async () => {
      await expect(startPostgres({ settings: { no_such_setting: 'on' } })).rejects.toThrow(/no_such_setting/);
    });
  },
);
