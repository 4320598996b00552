import { readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { openPort, startTestAgent, startTestIssuer, type TestAgent, type TestAgentOptions } from '../support/agent.js';
import { startHttpUpstream } from '../support/http-upstream.js';
import { missingPostgres } from '../support/postgres-server.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: TestAgentOptions = {}): Promise<TestAgent> {
  const agent = await startTestAgent(options);
  closing.push(() => agent.close());
  return agent;
}

async function change(agent: TestAgent, file: string, edit: (text: string) => string): Promise<boolean> {
  const path = join(agent.dir, 'conf', file);
  const before = await readFile(path, 'utf8');
  const after = edit(before);
  expect(after).not.toBe(before);
  await writeFile(path, after);
  return agent.agent.reload();
}

async function connect(port: number): Promise<{ client: pg.Client; ended: Promise<Error> }> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
  const ended = new Promise<Error>((resolve) => client.on('error', resolve));
  await client.connect();
  return { client, ended };
}

const provider = (name: string, issuer: string, more = ''): string => `---
apiVersion: hoop/v1
kind: IdentityProvider
metadata: { name: ${name} }
spec: { issuer: '${issuer}', audience: hoop${more} }
`;

describe.skipIf(missingPostgres())('a reload', () => {
  it('that takes a connection from somebody ends their session under way and lets no other begin on the open tunnel', async () => {
    const agent = await start();
    const { port } = await agent.port();
    const { client, ended } = await connect(port);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    const edit = (text: string): string =>
      text.replace('access: { groups: [engineering, dba] }', 'access: { groups: [dba] }');
    expect(await change(agent, 'connection.yaml', edit)).toBe(true);
    expect((await ended).message).toBe('access to postgres ended (the configuration of the agent has changed)');
    await expect(connect(port)).rejects.toThrow(/no access to a connection of that name/);
  });

  it('that gives somebody another credential lets no session begin with the one before', async () => {
    const agent = await start();
    const { port } = await agent.port({ subject: 'dana', groups: ['dba'] });
    const { client, ended } = await connect(port);
    const { rows } = await client.query<{ current_user: string }>('SELECT current_user');
    expect(rows).toEqual([{ current_user: agent.postgres.admin.username }]);
    expect(
      await change(agent, 'connection.yaml', (text) =>
        text.replace('groups: [dba], username', 'groups: [root], username'),
      ),
    ).toBe(true);
    expect(await ended).toBeInstanceOf(Error);
    const again = await agent.port({ subject: 'dana', groups: ['dba'] });
    const second = await connect(again.port);
    expect((await second.client.query('SELECT current_user')).rows).toEqual([
      { current_user: agent.postgres.app.username },
    ]);
    await second.client.end();
  });

  it('leaves sessions alone whose access it does not change, and opens the next by what it says', async () => {
    const agent = await start();
    const { port } = await agent.port();
    const { client } = await connect(port);
    const edit = (text: string): string => text.replace(/database: \S+/, 'database: postgres');
    expect(await change(agent, 'connection.yaml', edit)).toBe(true);
    expect((await client.query('SELECT current_database()')).rows).toEqual([{ current_database: agent.database }]);
    const next = await connect(port);
    expect((await next.client.query('SELECT current_database()')).rows).toEqual([{ current_database: 'postgres' }]);
    await client.end();
    await next.client.end();
  });

  it('that ends the trust in an issuer ends the tunnels of its tokens', async () => {
    const other = await startTestIssuer();
    closing.push(() => other.close());
    const agent = await start({ policies: provider('other', other.issuer) });
    const token = await other.token({ sub: 'eve', groups: ['engineering'] });
    const opened = await openPort(agent.agent.url, 'postgres', token);
    closing.push(() => opened.close());
    const { ended } = await connect(opened.port);
    expect(await change(agent, 'policies.yaml', () => '')).toBe(true);
    expect(await ended).toBeInstanceOf(Error);
    expect((await agent.call('/v1/whoami', { token })).status).toBe(401);
  });

  it('ends what that issuer’s tokens follow without a tunnel: events of an upstream, requests, recordings', async () => {
    const other = await startTestIssuer();
    closing.push(() => other.close());
    const upstream = await startHttpUpstream((_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    });
    closing.push(() => {
      upstream.close();
    });
    const web = `apiVersion: hoop/v1
kind: Connection
metadata: { name: web }
spec: { type: http, url: '${upstream.url}', credentials: [{ groups: ['*'], headers: {} }], access: { groups: [engineering] } }
`;
    const agent = await start({ policies: web + provider('other', other.issuer) });
    const headers = { authorization: `Bearer ${await other.token({ sub: 'eve', groups: ['engineering'] })}` };
    const events = await fetch(`${agent.agent.url}/c/web/events`, { headers });
    const feed = await fetch(`${agent.agent.url}/v1/requests/events`, { headers });
    expect([events.status, feed.status]).toEqual([200, 200]);
    expect(await change(agent, 'policies.yaml', () => web)).toBe(true);
    await expect(events.text()).rejects.toThrow();
    await expect(feed.text()).rejects.toThrow();
  });

  it('is refused whole where two providers would be one, and the state before stays: its policies, its issuers', async () => {
    const agent = await start();
    const block = `apiVersion: hoop/v1
kind: Policy
metadata: { name: nothing }
spec: { rules: [{ name: all, when: 'true', action: block }] }
`;
    const issuer =
      (await readFile(join(agent.dir, 'conf', 'agent.yaml'), 'utf8')).match(/issuer: '([^']+)'/)?.[1] ?? '';
    expect(await change(agent, 'policies.yaml', () => block + provider('twin', issuer))).toBe(false);
    expect(agent.logged.join('\n')).toMatch(/not reloaded: \S+policies\.yaml:\d+:\d+: .*same issuer and audience/);
    const { client } = await connect((await agent.port()).port);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it('counts for the roles of the agent: who is administrator no more sees no secrets', async () => {
    const agent = await start();
    const token = await agent.token({ subject: 'dana', groups: ['dba'] });
    expect((await agent.call('/v1/secrets', { token })).status).toBe(200);
    expect(
      await change(agent, 'agent.yaml', (text) =>
        text.replace('admin: { groups: [dba] }', 'admin: { groups: [root] }'),
      ),
    ).toBe(true);
    expect((await agent.call('/v1/secrets', { token })).status).toBe(403);
  });

  it('reaches requests over a connection that a program keeps open through its port', async () => {
    const upstream = await startHttpUpstream((_seen, response) => response.end('{}'));
    closing.push(() => {
      upstream.close();
    });
    const web = (groups: string): string => `apiVersion: hoop/v1
kind: Connection
metadata: { name: web }
spec:
  type: http
  url: ${upstream.url}
  credentials: [{ groups: ['*'], headers: {} }]
  access: { groups: [${groups}] }
`;
    const agent = await start({ policies: web('engineering') });
    const { port } = await agent.port({ connection: 'web' });
    const keep = new Agent({ keepAlive: true, maxSockets: 1 });
    closing.push(() => {
      keep.destroy();
    });
    const get = (): Promise<number | string> =>
      new Promise((resolve) => {
        const asked = request({ host: '127.0.0.1', port, path: '/', agent: keep }, (response) => {
          response.resume().on('end', () => {
            resolve(response.statusCode ?? 0);
          });
        });
        asked.on('error', () => {
          resolve('cut');
        });
        asked.end();
      });
    expect(await get()).toBe(200);
    expect(await change(agent, 'policies.yaml', () => web('dba'))).toBe(true);
    expect([403, 'cut']).toContain(await get());
    expect(upstream.seen).toHaveLength(1);
  });
});
