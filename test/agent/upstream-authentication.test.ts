import { chmodSync, copyFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { Client, type DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres, type PostgresServer } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const connectionTo = (name: string, address: string, tls: string, secret: string): string => `
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec:
  type: postgres
  address: ${address}
  database: postgres
  tls: ${tls}
  credentials: [{ groups: ['*'], username: hoop_app, password: { env: ${secret} } }]
  access: { groups: [engineering] }
`;

describe.skipIf(missingPostgres() !== undefined)('the way to the database server', () => {
  let agent: TestAgent;
  let folder: string;
  let forwarder: Server;

  beforeAll(async () => {
    folder = makeFolder('ca');
    const [scram, md5, password, trust, tls] = await Promise.all([
      sharedPostgres(),
      sharedPostgres({ auth: 'md5' }),
      sharedPostgres({ auth: 'password' }),
      sharedPostgres({ auth: 'trust' }),
      sharedPostgres({ tls: true }),
    ]);
    const ca = join(folder, 'ca.pem');
    copyFileSync(tls.caFile as string, ca);
    chmodSync(ca, 0o644);
    // The same server under an address that its certificate does not name.
    forwarder = createServer((socket) => {
      const onward = connect(tls.port, '127.0.0.1');
      socket
        .on('error', () => onward.destroy())
        .pipe(onward)
        .on('error', () => socket.destroy())
        .pipe(socket);
    });
    await new Promise<void>((resolve) => forwarder.listen(0, '127.0.0.2', resolve));
    const elsewhere = `127.0.0.2:${String((forwarder.address() as AddressInfo).port)}`;
    const at = (server: PostgresServer): string => `127.0.0.1:${String(server.port)}`;
    const plain = '{ mode: disable }';
    agent = await startTestAgent({
      env: { MD5: md5.app.password, CLEAR: password.app.password, TRUST: 'not-asked-for', TLS: tls.app.password },
      policies: [
        connectionTo('scram', at(scram), plain, 'APP_PASSWORD'),
        connectionTo('md5', at(md5), plain, 'MD5'),
        connectionTo('clear', at(password), plain, 'CLEAR'),
        connectionTo('trust', at(trust), plain, 'TRUST'),
        connectionTo('full', at(tls), `{ mode: verify-full, ca: '${ca}' }`, 'TLS'),
        connectionTo('unsaid', at(tls), `{ ca: '${ca}' }`, 'TLS'),
        connectionTo('ca-elsewhere', elsewhere, `{ mode: verify-ca, ca: '${ca}' }`, 'TLS'),
        connectionTo('require', elsewhere, '{ mode: require }', 'TLS'),
        connectionTo('elsewhere', elsewhere, `{ mode: verify-full, ca: '${ca}' }`, 'TLS'),
        connectionTo('unknown-ca', at(tls), '{ mode: verify-full }', 'TLS'),
        connectionTo('no-tls', at(scram), '{ mode: require }', 'APP_PASSWORD'),
        connectionTo('tls-wanted', at(tls), plain, 'TLS'),
      ].join(''),
    });
  });

  afterAll(async () => {
    await agent.close();
    forwarder.close();
  });

  async function open(connection: string): Promise<Client> {
    const client = new Client({
      host: '127.0.0.1',
      port: (await agent.port({ connection })).port,
      user: 'x',
      ssl: false,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  it.each([
    ['scram', false],
    ['md5', false],
    ['clear', false],
    ['trust', false],
    ['full', true],
    ['unsaid', true],
    ['ca-elsewhere', true],
    ['require', true],
  ] as const)('%s signs in, over TLS: %s', async (connection, ssl) => {
    const db = await open(connection);
    expect(
      (await db.query('select current_user as who, ssl from pg_stat_ssl where pid = pg_backend_pid()')).rows,
    ).toEqual([{ who: 'hoop_app', ssl }]);
    await db.end();
  });

  it.each([
    [
      'elsewhere',
      '08006',
      'hoop: TLS with the database server of elsewhere failed (its certificate is for another host)',
    ],
    [
      'unknown-ca',
      '08006',
      expect.stringMatching(/^hoop: TLS with the database server of unknown-ca failed \([A-Z_]+\)$/),
    ],
    ['no-tls', '08006', 'hoop: the database server of no-tls offers no TLS'],
    ['tls-wanted', '28000', 'the server refused the stored credential of this connection'],
  ])('%s does not: %s', async (connection, code, message) => {
    const error = await open(connection).then(
      () => undefined,
      (failure: unknown) => failure as DatabaseError,
    );
    expect(error).toMatchObject({ severity: 'FATAL', code, message });
    // Callers are told no more; who runs the agent finds it by the connection.
    const said = agent.logged.filter((line) => line.includes(connection));
    expect(said.join('\n')).toMatch(
      /session (not started|ended): the (database server|server refused)|session not started: TLS/,
    );
    const db = await open('scram');
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await db.end();
  });
});
