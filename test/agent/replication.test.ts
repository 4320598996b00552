import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replicationCommandFacts } from '../../src/protocols/postgres/facts/replication.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { startupPacket } from '../../src/protocols/postgres/wire/messages.js';
import { errorFields, messagesIn, parse, query } from '../protocols/postgres/wire.js';
import { makeFolder } from '../support/folders.js';

const run = promisify(execFile);
const missing = missingPostgres();

const connection = (name: string, server: PostgresServer, spec = ''): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec:
  type: postgres
  address: 127.0.0.1:${String(server.port)}
  database: postgres
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: hoop_app, password: { env: REPLICATION_PASSWORD } }]
  access: { groups: ['*'] }
${spec}---
`;

const policies = (server: PostgresServer): string => `${connection('plain', server)}
${connection('stream', server, '  replication: true\n')}
${connection('ruled', server, '  replication: true\n')}
${connection('masked', server, '  replication: true\n')}
apiVersion: hoop/v1
kind: Policy
metadata: { name: identity }
spec:
  match: { connections: [ruled] }
  opaque: allow
  rules:
    - { name: identity, when: '"session-authorization" in sql.effects', action: block, message: Not as this. }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: masks }
spec:
  match: { connections: [masked] }
  mask: [{ name: pii, entities: [email], strategy: redact }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: slots }
spec:
  match: { connections: [stream] }
  opaque: allow
  rules:
    - { name: no-drop, when: 'sql.text.matches("DROP_REPLICATION_SLOT")', action: block, message: Slots stay. }
    - { name: no-table-drop, when: '"drop" in sql.effects', action: block, message: Tables stay. }
`;

describe.skipIf(missing !== undefined)(
  `replication through the agent${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let server: PostgresServer;
    let agent: TestAgent;
    let folder: string;

    beforeAll(async () => {
      folder = makeFolder('replication');
      server = await startPostgres({ settings: { wal_level: 'logical', wal_keep_size: '64MB' } });
      await server.sql('ALTER ROLE hoop_app REPLICATION; CREATE TABLE people (id int primary key, email text)');
      agent = await startTestAgent({
        policies: policies(server),
        env: { REPLICATION_PASSWORD: server.app.password },
      });
    });
    afterAll(async () => {
      await agent.close();
      await server.stop();
    });

    const program = (name: string): string => join(server.binDir, name);
    const where = async (name: string): Promise<string[]> => {
      const { port } = await agent.port({ connection: name });
      return ['-h', '127.0.0.1', '-p', String(port), '-U', 'ann', '-w'];
    };
    const said = async (args: Promise<readonly string[]>, conninfo: string, sql: string): Promise<string> => {
      const given = (await args).filter((each) => each !== '-w');
      return run(program('psql'), [...given, '-X', '-At', '-d', conninfo, '-c', sql]).then(
        ({ stdout }) => stdout.trim(),
        (error: unknown) => (error as { stderr: string }).stderr.trim(),
      );
    };
    const recorded = (): Record<string, unknown>[] =>
      readdirSync(agent.recordings, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ndjson'))
        .flatMap((name) => readFileSync(join(agent.recordings, name), 'utf8').trim().split('\n'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);

    it('is refused, and the refusal recorded, where the connection does not say replication: true', async () => {
      const answer = await said(where('plain'), 'replication=database dbname=postgres', 'SELECT 1');
      expect(answer).toContain('FATAL:  hoop: replication is not allowed on this connection');
      // Nothing waits for what is recorded of a start-up that was refused: it is written a moment later.
      await expect
        .poll(recorded)
        .toContainEqual(expect.objectContaining({ rules: ['hoop/replication'], action: 'block' }));
    });

    it('is refused where a mask applies to the caller', async () => {
      const answer = await said(where('masked'), 'replication=true', 'IDENTIFY_SYSTEM');
      expect(answer).toContain('what replication streams can not be masked');
    });

    it('is refused by a rule on session-authorization, as the standard rule identity has it', async () => {
      const answer = await said(where('ruled'), 'replication=true', 'IDENTIFY_SYSTEM');
      expect(answer).toContain('FATAL:  blocked by policy identity/identity: Not as this.');
    });

    it('answers IDENTIFY_SYSTEM as the server does, and records it as a replication command', async () => {
      const answer = await said(where('stream'), 'replication=true', 'IDENTIFY_SYSTEM');
      expect(answer).toMatch(/^\d+\|1\|[0-9A-F]+\/[0-9A-F]+\|$/);
      const statement = recorded().find((event) => event['text'] === 'IDENTIFY_SYSTEM');
      expect(statement?.['facts']).toMatchObject({ effects: ['replication'], opaque: true });
      await expect
        .poll(() => recorded().some((event) => event['type'] === 'result' && event['tag'] === 'IDENTIFY_SYSTEM'))
        .toBe(true);
    });

    it('judges SQL in a logical session as SQL, and goes on after a refusal', async () => {
      const { port } = await agent.port({ connection: 'stream' });
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      let bytes = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
      const until = async (count: number): Promise<void> => {
        await expect.poll(() => messagesIn(bytes).filter(({ type }) => type === 'Z').length).toBe(count);
      };
      socket.write(
        startupPacket([
          ['user', 'ann'],
          ['replication', 'database'],
        ]),
      );
      await until(1);
      socket.write(query('DROP TABLE people'));
      await until(2);
      socket.write(Buffer.concat([query('DROP_REPLICATION_SLOT any'), query('SELECT count(*) FROM people')]));
      await until(4);
      const errors = messagesIn(bytes).filter(({ type }) => type === 'E');
      expect(errors.map(({ body }) => errorFields(body)['M'])).toEqual([
        'blocked by policy slots/no-table-drop: Tables stay.',
        'blocked by policy slots/no-drop: Slots stay.',
      ]);
      expect(messagesIn(bytes).filter(({ type }) => type === 'D')).toHaveLength(1);
      // The server would refuse it as well; hoop does not try.
      socket.write(parse('', 'SELECT 1'));
      await once(socket, 'close');
      expect(messagesIn(bytes).at(-1)?.type).toBe('E');
      expect(await server.sql('SELECT 1 FROM people')).toEqual([]);
    });

    it('streams changes to pg_recvlogical, both ways, until it hangs up', async () => {
      const args = [...(await where('stream')), '-d', 'postgres', '--slot', 'changes'];
      await run(program('pg_recvlogical'), [...args, '--create-slot', '-P', 'test_decoding']);
      const receiver = spawn(program('pg_recvlogical'), [...args, '--start', '-f', '-', '-F', '1', '-s', '1']);
      let text = '';
      receiver.stdout.on('data', (part: Buffer) => (text += part.toString()));
      await server.sql(`INSERT INTO people SELECT i, 'p' || i || '@example.com' FROM generate_series(1, 500) i`);
      await expect.poll(() => text.match(/INSERT: id/g)?.length, { timeout: 10_000 }).toBe(500);
      // What the receiver has confirmed travels up in the same stream.
      const confirmed = async (): Promise<unknown> =>
        (
          await server.sql(
            `SELECT confirmed_flush_lsn > restart_lsn AS moved FROM pg_replication_slots WHERE slot_name = 'changes'`,
          )
        )[0]?.['moved'];
      await expect.poll(confirmed, { timeout: 10_000 }).toBe(true);
      receiver.kill('SIGINT');
      await once(receiver, 'close');
      const start = recorded().find((event) => String(event['text']).startsWith('START_REPLICATION'));
      expect(start).toBeDefined();
      await expect
        .poll(() => recorded().some((event) => event['type'] === 'result' && Number(event['rows']) >= 500))
        .toBe(true);
      expect(JSON.stringify(recorded())).not.toContain('p77@example.com');
    });

    it('takes a base backup with pg_basebackup that holds the cluster', async () => {
      const target = join(folder, 'backup');
      await run(program('pg_basebackup'), [...(await where('stream')), '-D', target, '-X', 'fetch', '-c', 'fast']);
      expect(readFileSync(join(target, 'PG_VERSION'), 'utf8').trim()).toBe('15');
      await run(program('pg_verifybackup'), ['-n', target]);
    });

    it('streams WAL to pg_receivewal until a position', async () => {
      const target = join(folder, 'wal');
      await run('mkdir', [target]);
      const [row] = await server.sql('SELECT pg_current_wal_lsn()::text AS lsn');
      // It looks whether it is there when it tells its state.
      const args = [
        ...(await where('stream')),
        '-D',
        target,
        '--endpos',
        String(row?.['lsn']),
        '-n',
        '-s',
        '1',
        '--no-sync',
      ];
      await run(program('pg_receivewal'), args);
      expect(readdirSync(target).map((name) => statSync(join(target, name)).size)).toEqual([16 << 20]);
    });

    it('ends with the server’s own words when its backend is terminated', async () => {
      const { port } = await agent.port({ connection: 'stream' });
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user: 'ann',
        replication: 'database',
      } as pg.ClientConfig);
      const told: unknown[] = [];
      client.on('error', (error) => told.push(error));
      await client.connect();
      await server.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'`);
      await expect.poll(() => told[0]).toMatchObject({ code: '57P01' });
    });
  },
);

describe('replicationCommandFacts', () => {
  it.each([
    'IDENTIFY_SYSTEM',
    '  start_replication SLOT "a" LOGICAL 0/0',
    "BASE_BACKUP ( LABEL 'x' )",
    'CREATE_REPLICATION_SLOT s LOGICAL pgoutput',
    'READ_REPLICATION_SLOT s',
    'UPLOAD_MANIFEST',
  ])('knows %s, and that nobody can tell what it streams', (text) => {
    expect(replicationCommandFacts(text)).toMatchObject({ effects: ['replication'], opaque: true, statements: 1 });
  });

  it.each(['SELECT 1', 'SHOW wal_level', '/* */ IDENTIFY_SYSTEM', '"IDENTIFY_SYSTEM"', 'identify_systems'])(
    'leaves %s to the grammar of SQL, as the server does',
    (text) => {
      expect(replicationCommandFacts(text)).toBeUndefined();
    },
  );
});
