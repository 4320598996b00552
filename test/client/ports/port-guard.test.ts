import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentApi } from '../../../src/client/agent-api.js';
import { openConnections, type OpenConnections } from '../../../src/client/connect/open-connections.js';
import { guardFor, type PortRule } from '../../../src/client/ports/port-guard.js';
import type { ConnectionEvent } from '../../../src/client/tunnels/tunnel-keeper.js';
import { startTestAgent, type TestAgent } from '../../support/agent.js';
import { startHttpUpstream, type HttpUpstream } from '../../support/http-upstream.js';
import { missingPostgres } from '../../support/postgres-server.js';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe('guardFor', () => {
  it('asks programs of the same user for nothing more, and models for their key', () => {
    expect(Object.keys(guardFor('postgres', 'user', false))).toEqual(['checkPeer']);
    expect(Object.keys(guardFor('http', 'user', false))).toEqual(['checkPeer']);
    expect(Object.keys(guardFor('openai', 'user', false))).toEqual(['checkPeer', 'key']);
  });

  it('lets a secret be enough, and has one for each type', () => {
    expect(Object.keys(guardFor('postgres', 'secret', false))).toEqual(['password']);
    expect(Object.keys(guardFor('http', 'secret', false))).toEqual(['key']);
    expect(Object.keys(guardFor('anthropic', 'secret', false))).toEqual(['key']);
    expect(() => guardFor('tcp', 'secret', false)).toThrow('takes no password');
  });

  it('asks for both from a program that hoop runs, on a socket file for the password alone', () => {
    expect(Object.keys(guardFor('postgres', 'both', false))).toEqual(['checkPeer', 'password']);
    expect(Object.keys(guardFor('postgres', 'both', true))).toEqual(['password']);
  });

  it('asks for a secret where the platform does not tell who comes, and opens no port without', () => {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
    Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' });
    try {
      for (const rule of ['user', 'both'] as const) {
        expect(Object.keys(guardFor('postgres', rule, false))).toEqual(['password']);
        expect(Object.keys(guardFor('http', rule, false))).toEqual(['key']);
      }
      expect(() => guardFor('tcp', 'user', false)).toThrow('not in this version');
    } finally {
      Object.defineProperty(process, 'platform', platform);
    }
  });

  it('makes another password each time', () => {
    const text = (): string => guardFor('postgres', 'secret', false).password?.text ?? '';
    expect(text()).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(text()).not.toBe(text());
  });
});

describe.skipIf(missingPostgres() !== undefined)('a port with a password', () => {
  let agent: TestAgent;
  let upstream: HttpUpstream;
  const events: ConnectionEvent[] = [];
  const opened: OpenConnections[] = [];

  beforeAll(async () => {
    upstream = await startHttpUpstream((_seen, response) => response.end('{}'));
    agent = await startTestAgent({
      policies: `
apiVersion: hoop/v1
kind: Connection
metadata: { name: crm }
spec:
  type: http
  url: ${upstream.url}
  credentials: [{ groups: ['*'], headers: { x-token: { env: APP_PASSWORD } } }]
  access: { groups: [engineering] }
`,
    });
  });

  afterAll(async () => {
    await Promise.all(opened.map((open) => open.close()));
    await agent.close();
    upstream.close();
  });

  const open = async (connection: string, rule: PortRule): Promise<{ port: number; env: Record<string, string> }> => {
    const token = await agent.token();
    const access = {
      api: new AgentApi({ url: agent.agent.url, token: () => Promise.resolve(token) }),
      token: () => Promise.resolve(token),
    };
    const listen = { kind: 'port', host: '127.0.0.1', port: 0 } as const;
    const connections = await openConnections(access, [connection], listen, (event) => events.push(event), rule);
    opened.push(connections);
    return { port: Number(connections.environment['HOOP_PORT']), env: { ...connections.environment } };
  };

  const login = async (port: number, password: string): Promise<unknown> => {
    const client = new Client({ host: '127.0.0.1', port, user: 'any', database: agent.database, password, ssl: false });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query('select 1 as one')).rows[0] as unknown;
    } catch (error) {
      return error;
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  it('serves pg with the password of its environment, and refuses another one with 28P01', async () => {
    const { port, env } = await open('postgres', 'secret');
    expect(await login(port, env['PGPASSWORD'] ?? '')).toEqual({ one: 1 });
    expect(env['DATABASE_URL']).toContain(`:${env['PGPASSWORD'] ?? '?'}@127.0.0.1:${String(port)}/`);
    const refused = (await login(port, 'guessed')) as { code: string; message: string };
    expect(refused.code).toBe('28P01');
    expect(refused.message).toMatch(/the password is not the one of this port/);
    expect(events.at(-1)).toMatchObject({ event: 'refused', why: 'the password is not the one of this port' });
  });

  it.runIf(spawnSync('psql', ['--version']).status === 0)(
    'serves psql, encryption asked for first, and lets it cancel (needs psql)',
    async () => {
      const { env } = await open('postgres', 'secret');
      const run = (password: string, ...args: string[]) =>
        spawn('psql', ['-X', '-At', '-w', ...args], {
          env: {
            PATH: process.env['PATH'],
            ...env,
            PGDATABASE: agent.database,
            PGSSLMODE: 'prefer',
            PGPASSWORD: password,
          },
        });
      const read = async (child: ReturnType<typeof run>): Promise<string> => {
        let text = '';
        child.stdout.on('data', (part: Buffer) => (text += part.toString()));
        child.stderr.on('data', (part: Buffer) => (text += part.toString()));
        await once(child, 'close');
        return text.trim();
      };
      expect(await read(run(env['PGPASSWORD'] ?? '', '-c', 'select 42'))).toBe('42');
      expect(await read(run('', '-c', 'select 42'))).toContain('no password supplied');
      const sleeping = run(env['PGPASSWORD'] ?? '', '-c', 'select pg_sleep(60) as cancelled_by_test');
      const said = read(sleeping);
      const active = `select 1 from pg_stat_activity where state = 'active' and query like '%cancelled_by_test%' and pid <> pg_backend_pid()`;
      while ((await agent.postgres.sql(active)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      sleeping.kill('SIGINT');
      expect(await said).toContain('canceling statement due to user request');
    },
  );

  it('reads nothing but a password before it is proven: a statement sent at once never arrives', async () => {
    const { port } = await open('postgres', 'secret');
    const socket = connect({ host: '127.0.0.1', port });
    let got = Buffer.alloc(0);
    socket.on('error', () => undefined).on('data', (part: Buffer) => (got = Buffer.concat([got, part])));
    const startup = Buffer.from('\0\0\0\x12\0\x03\0\0user\0any\0\0', 'latin1');
    socket.write(Buffer.concat([startup, Buffer.from('Q\0\0\0\x0dselect 1\0', 'latin1')]));
    await once(socket, 'close');
    // SCRAM-SHA-256 is asked for, and then the connection just ends.
    expect(got.toString('latin1')).toBe('R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0');
  });

  it.runIf(isRoot)(
    'is enough for another user’s program, which without a password gets nothing (needs root)',
    async () => {
      const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
      const asNobody = async (env: Record<string, string>): Promise<string> => {
        const child = spawn('psql', ['-X', '-At', '-w', '-c', 'select 42'], {
          cwd: '/',
          uid,
          gid: uid,
          env: { PATH: process.env['PATH'], ...env, PGDATABASE: agent.database },
        });
        let text = '';
        child.stdout.on('data', (part: Buffer) => (text += part.toString()));
        child.stderr.on('data', (part: Buffer) => (text += part.toString()));
        await once(child, 'close');
        return text.trim();
      };
      expect(await asNobody((await open('postgres', 'secret')).env)).toBe('42');
      expect(await asNobody((await open('postgres', 'both')).env)).toContain('serves only the user who opened it');
      expect(await asNobody((await open('postgres', 'user')).env)).toContain('serves only the user who opened it');
    },
  );

  it('wants the key of a plain HTTP port opened with one, and passes it to nobody', async () => {
    const { env } = await open('crm', 'secret');
    const url = `${env['HOOP_URL'] ?? ''}/customers`;
    const key = env['HOOP_API_KEY'] ?? '';
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'x-api-key': 'guessed' } })).status).toBe(401);
    expect((await fetch(url, { headers: { 'x-api-key': key } })).status).toBe(200);
    expect(JSON.stringify(upstream.seen)).not.toContain(key);
  });
});
