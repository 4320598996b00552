import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PasswordRotation } from '../../src/agent/credentials/password-rotation.js';
import { rotateMasterKey } from '../../src/agent/credentials/rotate-master-key.js';
import type { PostgresConnection } from '../../src/core/resources.js';
import type { SecretView } from '../../src/core/secret-view.js';
import { StoredSecrets } from '../../src/secrets/stored-secrets.js';
import { openStore } from '../../src/store/store.js';
import { makeAgentFolder, startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';
import { openClient } from '../support/pg-client.js';

const PLANTED = 'planted-3f9c1b-password';

let server: PostgresServer;
let agent: TestAgent;
let admin = '';

const connection = (postgres: PostgresServer, database: string, rotation = ''): string => `apiVersion: hoop/v1
kind: Connection
metadata: { name: vaulted }
spec:
  type: postgres
  address: 127.0.0.1:${String(postgres.port)}
  database: ${database}
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: keeper, password: { secret: keeper-pw }${rotation} }]
  access: { groups: [engineering, dba] }
`;

async function ask(path: string, body?: unknown, token = admin): Promise<{ status: number; body: SecretView }> {
  return (await agent.call(`/v1/secrets${path}`, { token, ...(body === undefined ? {} : { body }) })) as never;
}

async function open(): Promise<pg.Client> {
  const { port } = await agent.port({ connection: 'vaulted' });
  const client = await openClient({ port, database: 'vaulted' });
  return client;
}

/** Every byte that the agent has written, and its log. */
function written(): string {
  const files = readdirSync(agent.dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return [...files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')), ...agent.logged].join(
    '\n',
  );
}

describe.skipIf(missingPostgres())('the secret store of the agent', () => {
  beforeAll(async () => {
    server = await startPostgres({ settings: { log_statement: 'all', logging_collector: 'off' } });
    await server.sql(`CREATE ROLE keeper LOGIN PASSWORD '${PLANTED}'`);
    await server.createDatabase('vault');
    agent = await startTestAgent({ postgres: server, policies: connection(server, 'vault') });
    admin = await agent.token({ subject: 'dana', groups: ['dba'] });
  });
  afterAll(async () => {
    await agent.close();
    await server.stop();
  });

  it('is for administrators alone, and says of a secret that nobody has set', async () => {
    const other = await agent.token({ groups: ['engineering'] });
    for (const path of ['', '/set', '/rotate', '/revoke'])
      expect(await ask(path, path === '' ? undefined : { name: 'keeper-pw', value: 'x' }, other)).toMatchObject({
        status: 403,
        body: { error: { code: 'not_allowed' } },
      });
    expect((await ask('')).body).toEqual([
      expect.objectContaining({ id: 'keeper-pw', missing: true, connections: ['vaulted'] }),
    ]);
    await expect(open()).rejects.toMatchObject({ code: 'F0000', message: expect.stringContaining('not in the store') });
  });

  it('gives sessions the value at once, counts and records the use by name, and shows the value nowhere', async () => {
    expect(await ask('/set', { name: 'keeper-pw', value: PLANTED })).toMatchObject({
      status: 200,
      body: { name: 'keeper-pw', version: 1, changedBy: 'dana', missing: false },
    });
    const client = await open();
    expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: 'keeper' }]);
    await client.end();
    const [listed] = (await ask('')).body as unknown as SecretView[];
    expect(listed?.uses).toBeGreaterThan(0);
    expect(JSON.stringify(listed)).not.toContain(PLANTED);
    await expect.poll(() => written()).toContain('"secrets":["keeper-pw"]');
    expect(written()).not.toContain(PLANTED);
  });

  it.each([
    [{ name: 'Bad Name', value: 'x' }, 400],
    [{ name: 'empty', value: '' }, 400],
    [{ name: 'long', value: 'x'.repeat(33_000) }, 413],
    [{ name: 'keeper-pw#next', value: 'x' }, 400],
  ])('refuses %j', async (body, status) => {
    const answer = await ask('/set', body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).not.toContain('xxx');
  });

  it('rotates a role’s password: the old one is dead, sessions go on, and only the verifier was sent', async () => {
    const client = await open();
    expect(await ask('/rotate', { name: 'keeper-pw' })).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    const old = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'keeper',
      password: PLANTED,
      database: 'vault',
    });
    await expect(old.connect()).rejects.toThrow(/password authentication failed/);
    const fresh = await open();
    await fresh.end();
    const [{ rolpassword } = {}] = await server.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = 'keeper'`);
    expect(rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
  });

  it('rotates nothing that is no database password, or is not there', async () => {
    await ask('/set', { name: 'api-key', value: 'k' });
    expect(await ask('/rotate', { name: 'api-key' })).toMatchObject({ status: 400 });
    expect(await ask('/rotate', { name: 'nobody' })).toMatchObject({ status: 404 });
    expect(await ask('/revoke', { name: 'nobody' })).toMatchObject({ status: 404 });
  });

  it('keeps the old password where the role may not change its own, and says so', async () => {
    const before = ((await ask('')).body as unknown as SecretView[]).find(({ name }) => name === 'keeper-pw');
    await server.sql(`ALTER ROLE keeper SET default_transaction_read_only = on`);
    expect((await ask('/rotate', { name: 'keeper-pw' })).status).toBe(502);
    await server.sql(`ALTER ROLE keeper RESET default_transaction_read_only`);
    const after = ((await ask('')).body as unknown as SecretView[]).find(({ name }) => name === 'keeper-pw');
    expect(after?.version).toBe(before?.version);
    await (await open()).end();
  });

  it('ends sessions within a second of a revocation, and starts none after it', async () => {
    const client = await open();
    const ended = client.query('SELECT pg_sleep(600)').catch((error: unknown) => error as Error);
    const asleep = (): Promise<unknown> =>
      agent.postgres.sql(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`);
    await expect.poll(asleep, { timeout: 20_000 }).toEqual([{ n: 1 }]);
    const at = performance.now();
    expect(await ask('/revoke', { name: 'keeper-pw' })).toMatchObject({
      status: 200,
      body: { revoked: true, endedSessions: 1 },
    });
    expect(await ended).toHaveProperty('message', expect.stringContaining('was revoked'));
    expect(performance.now() - at).toBeLessThan(10_000);
    // At the server too: what runs there would go on without anybody.
    await expect.poll(asleep, { timeout: 20_000 }).toEqual([{ n: 0 }]);
    await expect(open()).rejects.toThrow(/was revoked/);
    expect((await ask('/rotate', { name: 'keeper-pw' })).status).not.toBe(200);
  });
});

describe.skipIf(missingPostgres())('a rotation', () => {
  const dirs: string[] = [];
  afterEach(async () => {
    for (const dir of dirs.splice(0)) await rm(dir, { recursive: true });
  });

  /** A store and a rotation over the real server, as an agent would have them. */
  async function rotating(everyMs?: number) {
    const postgres = await startPostgres();
    await postgres.sql(`CREATE ROLE keeper LOGIN PASSWORD 'first'`);
    const dir = makeFolder('rotation');
    dirs.push(dir);
    const store = openStore({ path: join(dir, 'hoop.db'), masterKey: new Uint8Array(32) });
    let nowMs = Date.parse('2026-11-01T00:00:00Z');
    const secrets = new StoredSecrets(store.secrets, { timestamp: () => new Date(nowMs).toISOString() });
    secrets.set('pw', 'first', 'dana');
    const resource: PostgresConnection = {
      name: 'p',
      labels: {},
      type: 'postgres',
      host: '127.0.0.1',
      port: postgres.port,
      database: 'postgres',
      databases: [],
      tls: { mode: 'disable' },
      credentials: [
        {
          groups: ['*'],
          username: 'keeper',
          password: { secret: 'pw' },
          ...(everyMs === undefined ? {} : { rotateEveryMs: everyMs }),
        },
      ],
      access: { groups: ['*'] },
      catalogTtlMs: 1_000,
    };
    const errors: string[] = [];
    const rotation = new PasswordRotation({
      secrets,
      connections: () => [resource],
      nowMs: () => nowMs,
      log: { info: () => undefined, error: (message: string) => errors.push(message) },
    });
    const logsIn = async (password: string): Promise<boolean> => {
      const client = new pg.Client({
        host: '127.0.0.1',
        port: postgres.port,
        user: 'keeper',
        password,
        database: 'postgres',
      });
      return client.connect().then(
        () => client.end().then(() => true),
        () => false,
      );
    };
    const close = async (): Promise<void> => {
      rotation.stop();
      store.close();
      await postgres.stop();
    };
    return { postgres, secrets, rotation, errors, logsIn, close, pass: (ms: number) => (nowMs += ms) };
  }

  it('comes by itself once the password is as old as `every` says, settles what was broken off, and survives a server that is away', async () => {
    const it = await rotating(3_600_000);
    try {
      await it.rotation.rotateDue();
      expect(it.secrets.info('pw')?.version).toBe(1);
      it.pass(3_600_000);
      await it.rotation.rotateDue();
      expect(it.secrets.info('pw')).toMatchObject({ version: 2, changedBy: 'rotation' });
      expect(await it.logsIn(it.secrets.peek('pw'))).toBe(true);
      expect(await it.logsIn('first')).toBe(false);

      // An agent that was ended after the server had taken the next password over.
      it.secrets.prepare('pw', 'second');
      await it.postgres.sql(`ALTER ROLE keeper PASSWORD 'second'`);
      it.rotation.start();
      await expect.poll(() => it.secrets.peek('pw'), { timeout: 20_000 }).toBe('second');
      // And one that was ended before it had.
      it.secrets.prepare('pw', 'never-sent');
      await it.rotation.rotate('pw', 'dana');
      expect(await it.logsIn(it.secrets.peek('pw'))).toBe(true);
      expect(it.secrets.unsettled()).toEqual([]);

      await it.postgres.stop();
      const known = it.secrets.peek('pw');
      it.pass(3_600_000);
      await it.rotation.rotateDue();
      expect(it.errors).toEqual([expect.stringContaining('not rotated')]);
      expect(it.secrets.peek('pw')).toBe(known);
    } finally {
      await it.close();
    }
  });

  it.each(['prepare', 'take'] as const)(
    'gives a secret no value again that is revoked while it runs, at %s',
    async (at) => {
      const it = await rotating();
      try {
        const before = it.secrets[at].bind(it.secrets);
        it.secrets[at] = ((...given: [string, string, string]) => {
          if (at === 'take') it.secrets.revoke('pw', 'dana');
          else queueMicrotask(() => it.secrets.revoke('pw', 'dana'));
          return before(...given);
        }) as never;
        await expect(it.rotation.rotate('pw', 'rotation')).rejects.toThrow('a secret was revoked');
        expect(it.secrets.info('pw')).toMatchObject({ revoked: true, changedBy: 'dana' });
        expect(() => it.secrets.peek('pw')).toThrow('a secret was revoked');
        expect(it.secrets.unsettled()).toEqual([]);
        expect(await it.logsIn('first')).toBe(false);
      } finally {
        await it.close();
      }
    },
  );

  it('keeps the password that logs in where somebody sets another value while it runs', async () => {
    const it = await rotating();
    try {
      const prepare = it.secrets.prepare.bind(it.secrets);
      it.secrets.prepare = (name, value) => {
        prepare(name, value);
        queueMicrotask(() => it.secrets.set('pw', 'not-the-one', 'dana'));
      };
      await it.rotation.rotate('pw', 'rotation');
      expect(await it.logsIn(it.secrets.peek('pw'))).toBe(true);
      expect(it.secrets.unsettled()).toEqual([]);
    } finally {
      await it.close();
    }
  });
});

describe('a new master key', () => {
  it('opens what the old one sealed; the old one opens nothing any more, and stays beside it', async () => {
    const folder = await makeAgentFolder();
    const path = join(folder.dir, 'state', 'hoop.db');
    const file = join(folder.dir, 'master.key');
    const keyNow = (): Uint8Array => new Uint8Array(Buffer.from(readFileSync(file, 'utf8').trim(), 'base64'));
    const before = keyNow();
    try {
      const first = openStore({ path, masterKey: before });
      first.putKey('recording', Uint8Array.of(1, 2, 3));
      first.secrets.put('a', new TextEncoder().encode('value'), { at: '', by: '' });
      first.secrets.put('gone', new TextEncoder().encode('value'), { at: '', by: '' });
      first.secrets.revoke('gone', { at: '', by: '' });
      const rotate = () =>
        rotateMasterKey({ dir: folder.conf, env: folder.env, newKeyFile: undefined, warn: () => undefined });
      await expect(rotate()).rejects.toThrow(/in use/);
      first.close();
      expect(await rotate()).toEqual({ resealed: 2, replaced: { file, old: `${file}.old` } });
      const second = openStore({ path, masterKey: keyNow() });
      expect(second.getKey('recording')).toEqual(Uint8Array.of(1, 2, 3));
      expect(new TextDecoder().decode(second.secrets.get('a'))).toBe('value');
      second.close();
      const wrong = openStore({ path, masterKey: before });
      expect(() => wrong.secrets.get('a')).toThrow(/does not open/);
      expect(() => wrong.getKey('recording')).toThrow(/does not open/);
      wrong.close();
      // The key of every rotation is kept: a backup may need any of them.
      const between = readFileSync(file, 'utf8');
      expect(await rotate()).toEqual({ resealed: 2, replaced: { file, old: `${file}.old.2` } });
      expect(readFileSync(`${file}.old`, 'utf8').trim()).toBe(Buffer.from(before).toString('base64'));
      expect(readFileSync(`${file}.old.2`, 'utf8')).toBe(between);
      const third = openStore({ path, masterKey: keyNow() });
      expect(new TextDecoder().decode(third.secrets.get('a'))).toBe('value');
      third.close();
      // A file that a broken-off rotation left may be the key that is needed: it is not overwritten.
      await writeFile(`${file}.new`, 'kept');
      await expect(rotate()).rejects.toMatchObject({ code: 'usage' });
      expect(readFileSync(`${file}.new`, 'utf8')).toBe('kept');
    } finally {
      await folder.issuer.close();
      await rm(folder.dir, { recursive: true });
    }
  });
});
