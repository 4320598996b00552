import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOf, type OpenPlace } from '../../../src/client/child/environment.js';
import { openForward, type Forward } from '../../../src/client/ports/forward.js';
import { listenOnPort } from '../../../src/client/ports/local-listener.js';
import { localCertificate, type LocalCertificate } from '../../../src/client/ports/local-certificate.js';
import type { ConnectionEvent } from '../../../src/client/tunnels/tunnel-keeper.js';
import { startupPacket } from '../../../src/protocols/postgres/wire/messages.js';
import { missingPostgres, type PostgresServer, sharedPostgres } from '../../support/postgres-server.js';
import { TunnelEndpoint } from '../tunnel-pair.js';
import { makeFolder } from '../../support/folders.js';

const missing = missingPostgres() ?? (process.platform === 'linux' ? undefined : 'local ports need Linux');

const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');
const GSS_REQUEST = Buffer.from('0000000804d21630', 'hex');

describe.skipIf(missing !== undefined)(
  `a local port that offers TLS${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let postgres: PostgresServer;
    let endpoint: TunnelEndpoint;
    let forward: Forward;
    let folder: string;
    let certificate: LocalCertificate;
    let port: number;
    const events: ConnectionEvent[] = [];

    beforeAll(async () => {
      folder = makeFolder('tls');
      certificate = await localCertificate(folder);
      // The server itself has no TLS: whatever is encrypted here, the port has encrypted.
      postgres = await sharedPostgres({ auth: 'trust' });
      endpoint = await TunnelEndpoint.open();
      endpoint.carryTo(postgres.port);
      const onEvent = (event: ConnectionEvent): void => void events.push(event);
      const keeper = await endpoint.keeper(onEvent);
      forward = await openForward({
        connection: 'postgres',
        type: 'postgres',
        listen: (server) => listenOnPort(server, '127.0.0.1', 0),
        keeper,
        tls: createSecureContext({ ...certificate, minVersion: 'TLSv1.2' }),
        onEvent,
      });
      port = 'port' in forward.address ? forward.address.port : 0;
    });
    afterAll(async () => {
      await forward.close();
      await endpoint.close();
    });

    const place = (): OpenPlace => ({
      connection: 'postgres',
      type: 'postgres',
      address: forward.address,
      database: 'postgres',
      user: 'postgres',
      certPath: certificate.certPath,
    });

    /** What psql says of its own connection, or its error. */
    async function psql(variables: Readonly<Record<string, string>>, sql = String.raw`\conninfo`): Promise<string> {
      const env = {
        PATH: `${process.env['PATH'] ?? ''}:${postgres.binDir}`,
        HOME: '/nonexistent',
        ...environmentOf(place()),
        ...variables,
      };
      const child = spawn('psql', ['-X', '-At', '-c', sql], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => (said += part));
      child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
      await once(child, 'close');
      return said;
    }

    async function open(): Promise<Socket> {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    }

    async function encrypted(socket: Socket | undefined, options: object): Promise<TLSSocket> {
      const where = socket === undefined ? { host: '127.0.0.1', port } : { socket, host: '127.0.0.1' };
      const secured = connectTls({ ...where, ca: certificate.cert, ...options });
      await once(secured, 'secureConnect');
      return secured;
    }

    /** The type of the first message that a session is answered with. */
    async function firstAnswer(socket: Socket): Promise<string> {
      socket.write(
        startupPacket([
          ['user', 'postgres'],
          ['database', 'postgres'],
        ]),
      );
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return bytes.toString('latin1', 0, 1);
    }

    async function ended(socket: Socket): Promise<string> {
      let got = '';
      socket.on('data', (bytes: Buffer) => (got += bytes.toString('latin1')));
      await once(socket, 'close');
      return got;
    }

    it.each(['disable', 'allow'])('serves sslmode=%s without TLS', async (mode) => {
      expect(await psql({ PGSSLMODE: mode })).not.toContain('SSL connection');
    });

    it.each(['prefer', 'require', 'verify-ca', 'verify-full'])('serves sslmode=%s with TLS', async (mode) => {
      expect(await psql({ PGSSLMODE: mode })).toContain('SSL connection (protocol: TLSv1.3');
    });

    it('serves sslmode=require to a client that knows no certificate', async () => {
      expect(await psql({ PGSSLROOTCERT: '', PGSSLMODE: 'require' })).toContain('SSL connection (protocol: TLSv1.3');
    });

    it('serves TLS 1.2 and no older one', async () => {
      const old = { PGSSLMINPROTOCOLVERSION: 'TLSv1', PGSSLMAXPROTOCOLVERSION: 'TLSv1.1' };
      expect(await psql({ PGSSLMAXPROTOCOLVERSION: 'TLSv1.2' })).toContain('protocol: TLSv1.2');
      expect(await psql(old)).toContain('failed');
    });

    it('serves node-postgres by the DATABASE_URL alone, its certificate verified', async () => {
      const client = new pg.Client({ connectionString: environmentOf(place())['DATABASE_URL'] });
      await client.connect();
      const { rows } = await client.query<{ n: number }>('SELECT 7 AS n');
      await client.end();
      expect(rows).toEqual([{ n: 7 }]);
    });

    it('carries 40 connections at once, every other one with TLS, 1 MB each', async () => {
      const sql = `SELECT repeat('x', 1000) FROM generate_series(1, 1000)`;
      const sizes = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const connectionString = environmentOf(place())['DATABASE_URL'] as string;
          const plain = connectionString.replace(/sslmode=.*$/, 'sslmode=disable');
          const client = new pg.Client({ connectionString: index % 2 === 0 ? connectionString : plain });
          await client.connect();
          const { rows } = await client.query<{ repeat: string }>(sql);
          await client.end();
          return rows.reduce((sum, row) => sum + row.repeat.length, 0);
        }),
      );
      expect(new Set(sizes)).toEqual(new Set([1_000_000]));
    });

    it('serves a client that begins TLS at once with the ALPN protocol postgresql', async () => {
      const secured = await encrypted(undefined, { ALPNProtocols: ['postgresql'] });
      expect(secured.alpnProtocol).toBe('postgresql');
      expect(await firstAnswer(secured)).toBe('R');
    });

    it.each([
      ['no ALPN', {}],
      ['another ALPN protocol', { ALPNProtocols: ['http/1.1'] }],
    ])('cuts direct TLS with %s', async (_, options) => {
      const secured = connectTls({ host: '127.0.0.1', port, ca: certificate.cert, ...options });
      secured.on('error', () => undefined);
      await new Promise((resolve) => secured.once('close', resolve));
      expect(events.at(-1)).toMatchObject({ event: 'refused' });
    });

    it.each([
      ['SSLRequest', [SSL_REQUEST], 'S'],
      ['GSSENCRequest, then SSLRequest', [GSS_REQUEST, SSL_REQUEST], 'NS'],
    ])('answers %s, then speaks TLS', async (_, requests, answers) => {
      const socket = await open();
      let got = '';
      for (const request of requests) {
        socket.write(request);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        got += answer.toString('latin1');
      }
      expect(got).toBe(answers);
      expect(await firstAnswer(await encrypted(socket, {}))).toBe('R');
    });

    it('answers an SSLRequest that comes byte by byte', async () => {
      const socket = await open();
      socket.setNoDelay(true);
      for (const byte of SSL_REQUEST) {
        socket.write(Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('latin1')).toBe('S');
      expect(await firstAnswer(await encrypted(socket, {}))).toBe('R');
    });

    it('answers GSSENCRequest with N and serves the plain session that follows', async () => {
      const socket = await open();
      socket.write(GSS_REQUEST);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('latin1')).toBe('N');
      expect(await firstAnswer(socket)).toBe('R');
    });

    it('cuts a client whose start-up packet came behind its SSLRequest, unencrypted', async () => {
      const socket = await open();
      const packet = startupPacket([['user', 'postgres']]);
      socket.write(Buffer.concat([SSL_REQUEST, packet]));
      expect(await ended(socket)).toBe('');
      expect(events.at(-1)).toMatchObject({ why: 'unencrypted data after the request for TLS' });
    });

    it('cuts a client that asks for TLS and sends something else', async () => {
      const socket = await open();
      socket.write(SSL_REQUEST);
      await once(socket, 'data');
      socket.write('GET / HTTP/1.1\r\n\r\n');
      await ended(socket);
      expect(events.at(-1)).toMatchObject({ why: 'the TLS handshake failed' });
    });

    it('tells a client inside TLS that the tunnel broke', async () => {
      const client = new pg.Client({ connectionString: environmentOf(place())['DATABASE_URL'] });
      client.on('error', () => undefined);
      await client.connect();
      const query = client.query('SELECT pg_sleep(600)');
      const said = query.catch((error: unknown) => error as { code?: string; message: string });
      while ((await postgres.sql(`SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`)).length === 0);
      endpoint.breakTunnels();
      expect(await said).toMatchObject({
        code: '08006',
        message: expect.stringContaining('connection to the hoop agent was lost while a statement ran') as string,
      });
      await postgres.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`);
    });

    it('goes on after all of that, and shows the certificate of its folder', async () => {
      const secured = await encrypted(undefined, { ALPNProtocols: ['postgresql'] });
      const shown = secured.getPeerCertificate();
      secured.destroy();
      const kept = readFileSync(certificate.certPath, 'latin1').replaceAll(/-----.*-----|\n/g, '');
      expect(shown.raw.toString('base64')).toBe(kept);
    });
  },
);
