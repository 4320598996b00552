import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { open, refusal, sealedEvents, SocketUpstream, type Caught } from './upgrade-world.js';
import { makeFolder } from '../../../support/folders.js';

const folder = makeFolder('upgrade');
const upstream = new SocketUpstream();
let agent: TestAgent;
let secure: ReturnType<typeof createServer>;

const maskPolicy = (strategy: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: paths }
spec:
  match: { connections: [chat] }
  mask: ${strategy}
`;

const connection = (name: string, url: string, rest = ''): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec: { type: http, url: '${url}', access: { groups: [engineering] }${rest} }
---`;

beforeAll(async () => {
  await upstream.start();
  const own = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'crt')];
  execFileSync('openssl', [...own, ...names, ...files], { stdio: 'ignore' });
  secure = createServer({ key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'crt')) });
  const websockets = new WebSocketServer({ server: secure });
  websockets.on('connection', (socket, { url }) => {
    socket.send(`secure ${url ?? ''}`);
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${String((secure.address() as AddressInfo).port)}/base`;
  agent = await startTestAgent({
    policies:
      connection('verified', url, `, ca: '${join(folder, 'crt')}'`) +
      connection('unverified', url) +
      connection('chat', upstream.url) +
      maskPolicy("[{ name: token, paths: ['$.user.token'], strategy: redact }]"),
  });
}, 60_000);

afterAll(async () => {
  await agent.close();
  upstream.close();
  secure.closeAllConnections();
  secure.close();
});

async function direct(name: string, path: string): Promise<Caught> {
  const url = `${agent.agent.url.replace('http', 'ws')}/c/${name}${path}`;
  return open(url, { headers: { authorization: `Bearer ${await agent.token()}` } });
}

describe('an upstream over TLS', () => {
  it('is reached below its base path where its certificate is verified by the connection’s roots', async () => {
    const client = await direct('verified', '/live?room=1&x=a%20b');
    expect(await client.next()).toBe('secure /base/live?room=1&x=a%20b');
    client.socket.close();
    await client.closed;
  });

  it('is refused with 502 where it is not', async () => {
    expect((await refusal(direct('unverified', '/live'))).status).toBe(502);
  });
});

describe('masks by JSON path on an upgraded stream', () => {
  it('hold in messages and in the record, and end with 1008 what begins like JSON and is none', async () => {
    const client = await direct('chat', '/echo');
    client.socket.send('{"user":{"token":"t-123","n":1.0}}');
    expect(await client.next()).toBe('{"user":{"token":"[masked]","n":1.0}}');
    client.socket.send('plain text');
    expect(await client.next()).toBe('plain text');
    client.socket.send('{"user":{"token":"t-123"}');
    expect((await client.closed).code).toBe(1008);
    const events = await sealedEvents(agent, String(client.headers['x-hoop-session']));
    expect(JSON.stringify(events)).not.toContain('t-123');
  });

  it('change with the policy while the stream is open', async () => {
    const client = await direct('chat', '/echo');
    client.socket.send('ann.lee@example.com');
    expect(await client.next()).toBe('ann.lee@example.com');
    writeFileSync(
      join(agent.dir, 'conf', 'policies.yaml'),
      connection('chat', upstream.url) + maskPolicy('[{ name: pii, entities: [email], strategy: redact }]'),
    );
    expect(await agent.agent.reload()).toBe(true);
    client.socket.send('ann.lee@example.com');
    expect(await client.next()).toBe('[email]');
    client.socket.close();
    await client.closed;
  });
});
