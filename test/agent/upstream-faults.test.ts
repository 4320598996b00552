import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Client, type DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cstring, i32, message, ready, row, rowDescription, u16 } from '../protocols/postgres/wire.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { afterReady, startHostileServer, type Behaviour, type HostileServer } from '../support/hostile-server.js';
import { missingPostgres } from '../support/postgres-server.js';

const SECRET = 'stored-secret-99';

const connectionTo = (name: string, port: number): string => `
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec:
  type: postgres
  address: 127.0.0.1:${String(port)}
  database: shop
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: stored_user, password: { env: STORED } }]
  access: { groups: [engineering] }
`;

const masks = (connection: string): string => `
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: masks-${connection} }
spec:
  match: { connections: [${connection}] }
  mask: [{ name: pii, entities: [email], strategy: partial }]
`;

const columnMasks = (connection: string): string => `
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: columns-${connection} }
spec:
  match: { connections: [${connection}] }
  mask: [{ name: pii, columns: ['*.password'], strategy: redact }]
`;

const open = message('R', i32(0));
const random = Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 7919 + 13) % 256));
const header = (type: string, length: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 0, 'latin1');
  bytes.writeUInt32BE(length, 1);
  return bytes;
};
const say =
  (bytes: Buffer): Behaviour =>
  async (socket, next) => {
    await next();
    socket.write(bytes);
  };

const refused = Buffer.concat([
  message('E', Buffer.concat([cstring('SERROR'), cstring('C42601'), cstring('Mx'), Buffer.from([0])])),
  ready(),
]);

/** Good to the client's session, `behaviour` to the connection that reads the catalogue. */
const onlyTheCatalogue =
  (behaviour: Behaviour): Behaviour =>
  async (socket, next) => {
    const first = await next();
    let given = false;
    const again = (): Promise<Buffer> => {
      if (given) return next();
      given = true;
      return Promise.resolve(first);
    };
    await (first.includes('hoop catalog') ? behaviour : afterReady(refused))(socket, again);
  };

describe.skipIf(missingPostgres() !== undefined)('a database server that fails, behind the agent', () => {
  let hostile: HostileServer;
  let silent: HostileServer;
  let agent: TestAgent;
  let port: number;
  let maskedPort: number;
  let columnsPort: number;
  let bystander: Client;

  beforeAll(async () => {
    hostile = await startHostileServer();
    silent = await startHostileServer();
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port: closedPort } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { sharedPostgres } = await import('../support/postgres-server.js');
    const real = await sharedPostgres();
    agent = await startTestAgent({
      env: { STORED: SECRET },
      agentSpec: 'limits: { rowBytes: 100000 }',
      policies: [
        connectionTo('down', closedPort),
        connectionTo('refusing', real.port),
        connectionTo('refusing-columns', real.port),
        connectionTo('hostile', hostile.port),
        connectionTo('hostile-masked', hostile.port),
        connectionTo('hostile-columns', hostile.port),
        connectionTo('silent-columns', silent.port),
        masks('hostile-masked'),
        columnMasks('hostile-columns'),
        columnMasks('silent-columns'),
        columnMasks('refusing-columns'),
      ].join(''),
    });
    port = (await agent.port({ connection: 'hostile' })).port;
    maskedPort = (await agent.port({ connection: 'hostile-masked' })).port;
    columnsPort = (await agent.port({ connection: 'hostile-columns' })).port;
    bystander = new Client({
      host: '127.0.0.1',
      port: (await agent.port()).port,
      user: 'x',
      database: agent.database,
      ssl: false,
    });
    await bystander.connect();
  });

  afterAll(async () => {
    // Said once for all: whatever the server did, the session beside it goes on and nothing is told.
    expect((await bystander.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(agent.logged.join('\n')).not.toContain(SECRET);
    await bystander.end();
    await agent.close();
    await hostile.close();
    await silent.close();
  });

  /** How a client's session ended: the error of opening it, or of the query that follows. */
  async function failure(at: number): Promise<DatabaseError> {
    const client = new Client({ host: '127.0.0.1', port: at, user: 'x', application_name: 'test', ssl: false });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
    } catch (error) {
      return error as DatabaseError;
    } finally {
      client.end().catch(() => undefined);
    }
    throw new Error('nothing failed');
  }

  const told = ({ severity, code, message: text }: DatabaseError): string =>
    `${String(severity)} ${String(code)} ${text}`;

  it('that is down is named unreachable with 08006, without its address, and no session is recorded', async () => {
    const recorded = (): string[] => readdirSync(agent.recordings, { recursive: true, encoding: 'utf8' });
    const { port: down } = await agent.port({ connection: 'down' });
    const before = recorded().length;
    const text = told(await failure(down));
    expect(text).toBe('FATAL 08006 hoop: the database server of down is not reachable (connection refused)');
    await expect.poll(() => recorded().length).toBe(before);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['hangs up', (socket) => socket.end()],
    ['resets its connection', (socket) => socket.resetAndDestroy()],
  ])('that %s as soon as it is dialled ends that session at once, with 08006', async (_what, leave) => {
    hostile.behave(leave);
    const before = performance.now();
    expect(told(await failure(port))).toMatch(/^FATAL 08006 (hoop: )?the database server/);
    expect(performance.now() - before).toBeLessThan(8_000);
  });

  it.each(['refusing', 'refusing-columns'])(
    'that refuses the stored password gives 28000 and names neither user nor password (%s)',
    async (connection) => {
      const text = told(await failure((await agent.port({ connection })).port));
      expect(text).toBe('FATAL 28000 the server refused the stored credential of this connection');
      expect(agent.logged.join('\n')).not.toContain('stored_user');
    },
  );

  // Each waits 10 s, with a server of its own.
  describe.concurrent('that says nothing', () => {
    it('when it is asked for a session is given up in time, with 08006, and its connection is closed', async ({
      expect,
    }) => {
      hostile.behave(() => undefined);
      const before = performance.now();
      const found = await Promise.all([failure(port), failure(columnsPort)]);
      expect(performance.now() - before).toBeLessThan(17_000);
      for (const error of found)
        expect(told(error)).toBe('FATAL 08006 hoop: the database server did not open the session within 10 s');
      await expect.poll(() => hostile.open()).toBe(0);
    });

    it('when its catalogue is read has the statement refused in time', async ({ expect }) => {
      silent.behave(onlyTheCatalogue(() => undefined));
      expect((await failure((await agent.port({ connection: 'silent-columns' })).port)).code).toBe('42501');
      await expect.poll(() => silent.open()).toBe(0);
    });
  });

  it.each<[string, Buffer]>([
    ['random bytes', random],
    ['a length below 4', header('R', 3)],
    ['a length of 2 GiB', Buffer.concat([header('R', 0x7fffffff), random])],
    ['a length of 4 GiB', Buffer.concat([header('E', 0xffffffff), random])],
    ['rows before authentication', Buffer.concat([rowDescription([{ name: 'a' }]), row(['x'])])],
    ['readiness before authentication', ready()],
    ['an unknown authentication method', message('R', i32(99))],
    ['an authentication message of nothing', message('R', '')],
    [
      'a SCRAM challenge that was not asked for',
      message('R', Buffer.concat([i32(11), Buffer.from('r=x,s=eA==,i=4096')])),
    ],
    ['a SCRAM with no end of names', message('R', Buffer.concat([i32(10), Buffer.alloc(1_000, 0x41)]))],
    ['parameters without an end', Buffer.concat([open, message('S', 'no end')])],
    ['a second authentication', Buffer.concat([open, open])],
    ['a malformed error', message('E', Buffer.from('Snever ends'))],
  ])('that answers the start-up with %s ends that session alone, with one message', async (_what, bytes) => {
    hostile.behave(say(bytes));
    for (const at of [port, columnsPort]) {
      const text = told(await failure(at));
      expect(text).toMatch(/^FATAL (08P01|28000|54000|08006) hoop: \S/);
      expect(text).not.toContain(SECRET);
    }
    await expect.poll(() => hostile.open()).toBe(0);
  });

  it('that skips its SCRAM proof is not believed: 28000', async () => {
    hostile.behave(async (socket, next) => {
      await next();
      socket.write(message('R', Buffer.concat([i32(10), cstring('SCRAM-SHA-256'), Buffer.from([0])])));
      const nonce = /r=([^,]+)$/.exec((await next()).toString('latin1'))?.[1] ?? '';
      socket.write(message('R', Buffer.concat([i32(11), Buffer.from(`r=${nonce}more,s=c2FsdHNhbHQ=,i=4096`)])));
      await next();
      socket.write(Buffer.concat([open, ready()]));
    });
    expect(told(await failure(port))).toBe('FATAL 28000 hoop: the server did not prove itself');
  });

  it('that gives a wrong SCRAM proof, or asks for endless work, is not believed: 28000', async () => {
    for (const [rounds, final] of [
      ['4096', 'v=AAAA'],
      ['4096', 'e=other-error'],
      ['2000000000', 'v=AAAA'],
      ['0', 'v='],
    ] as const) {
      hostile.behave(async (socket, next) => {
        await next();
        socket.write(message('R', Buffer.concat([i32(10), cstring('SCRAM-SHA-256'), Buffer.from([0])])));
        const nonce = /r=([^,]+)$/.exec((await next()).toString('latin1'))?.[1] ?? '';
        socket.write(message('R', Buffer.concat([i32(11), Buffer.from(`r=${nonce}more,s=c2FsdHNhbHQ=,i=${rounds}`)])));
        await next();
        socket.write(Buffer.concat([message('R', Buffer.concat([i32(12), Buffer.from(final)])), open, ready()]));
      });
      expect(told(await failure(port))).toMatch(/^FATAL 28000 hoop: /);
    }
  });

  it('that hangs up at any point while opening gives 08006', async () => {
    for (const bytes of [Buffer.alloc(0), open.subarray(0, 4), open, Buffer.concat([open, header('S', 40)])]) {
      hostile.behave(async (socket, next) => {
        await next();
        socket.end(bytes);
      });
      expect(told(await failure(port))).toBe('FATAL 08006 the database server closed the connection');
    }
  });

  it.each<[string, Buffer]>([
    ['random bytes', random],
    ['a length below 4', header('T', 0)],
    ['a description of 65535 columns and nothing in it', message('T', u16(0xffff))],
    ['a column name without an end', message('T', Buffer.concat([u16(1), Buffer.alloc(100, 0x61)]))],
    [
      'garbage in mid-result',
      Buffer.concat([rowDescription([{ name: 'a' }]), row(['one']), Buffer.from('\xff\xfe\xfd garbage', 'latin1')]),
    ],
    ['a description of 2 GiB', header('T', 0x7fffffff)],
    ['a replication stream', message('W', Buffer.from([0, 0, 0]))],
    ['authentication again', open],
    ['an error without an end', message('E', 'SERROR')],
  ])('that answers a statement with %s ends that session alone, with one message', async (_what, bytes) => {
    hostile.behave(afterReady(bytes));
    for (const at of [port, maskedPort]) expect(told(await failure(at))).toMatch(/^FATAL (08P01|54000) hoop: \S/);
    await expect.poll(() => hostile.open()).toBe(0);
  });

  it.each<[string, Buffer]>([
    [
      'more cells than it described',
      Buffer.concat([rowDescription([{ name: 'a' }]), row(['ann@example.com', 'ann@example.com'])]),
    ],
    [
      'a cell longer than its row',
      Buffer.concat([
        rowDescription([{ name: 'a' }]),
        message('D', Buffer.concat([u16(1), i32(1_000), Buffer.from('ann@example.com')])),
      ]),
    ],
    [
      'a cell of negative length',
      Buffer.concat([
        rowDescription([{ name: 'a' }]),
        message('D', Buffer.concat([u16(1), i32(-2), Buffer.from('ann@example.com')])),
      ]),
    ],
    ['a row over rowBytes', Buffer.concat([rowDescription([{ name: 'a' }]), row(['ann@example.com '.repeat(10_000)])])],
    ['rows without a description', row(['ann@example.com'])],
  ])('that sends %s where masks apply gives no row and ends the session', async (_what, bytes) => {
    hostile.behave(afterReady(Buffer.concat([bytes, message('C', cstring('SELECT 1')), ready()])));
    const error = await failure(maskedPort);
    expect(told(error)).toMatch(/^FATAL (08P01|54000) hoop: \S/);
    expect(told(error)).not.toContain('example.com');
  });

  it.each<[string, Buffer]>([
    ['random bytes', random],
    [
      'messages of nothing',
      Buffer.concat(['R', 'T', 'D', 'C', 'E', 'N', 'S', 'K', 'Z', 'A', 'G', 't'].map((type) => message(type, ''))),
    ],
    ['an authentication message of nothing', message('R', '')],
    ['a length of 0', header('T', 0)],
    ['a description of 65535 columns and nothing in it', message('T', u16(0xffff))],
    [
      'a row of a cell longer than it',
      Buffer.concat([rowDescription([{ name: 'oid' }]), message('D', Buffer.concat([u16(3), i32(1_000_000)]))]),
    ],
    ['a readiness of nothing', message('Z', '')],
    ['an endless SCRAM', message('R', Buffer.concat([i32(10), cstring('SCRAM-SHA-256'), Buffer.from([0])]))],
  ])(
    'that answers the reading of its catalogue with %s has the statement refused, and the agent stays up',
    async (_what, bytes) => {
      for (const stage of [say(bytes), afterReady(bytes)]) {
        hostile.behave(
          onlyTheCatalogue(async (socket, next) => {
            await stage(socket, next);
            socket.end();
          }),
        );
        expect(told(await failure(columnsPort))).toBe(
          'ERROR 42501 blocked: the statement could not be decided (the catalogue of the database could not be read)',
        );
      }
      await expect.poll(() => hostile.open()).toBe(0);
    },
  );

  it('that dies in mid-result gives 08006 and not an end that looks good', async () => {
    hostile.behave(async (socket, next) => {
      await next();
      socket.write(Buffer.concat([open, ready()]));
      await next();
      socket.write(Buffer.concat([rowDescription([{ name: 'a' }]), row(['one'])]));
      setImmediate(() => socket.resetAndDestroy());
    });
    expect(told(await failure(port))).toBe('FATAL 08006 the database server closed the connection');
  });
});
