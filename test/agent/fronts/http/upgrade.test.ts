import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { KEY, open, refusal, sealedEvents, SocketUpstream, statusOf, type Caught } from './upgrade-world.js';

const upstream = new SocketUpstream();
let agent: TestAgent;
let token: string;

const connection = (name: string, rest: string): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec:
  access: { groups: [engineering] }
  ${rest}
---`;

beforeAll(async () => {
  await upstream.start();
  const url = `url: ${upstream.url}`;
  const credentials = `credentials: [{ headers: { authorization: { env: CHAT_TOKEN, prefix: 'Bearer ' } } }]`;
  agent = await startTestAgent({
    env: { CHAT_TOKEN: KEY },
    agentSpec: 'limits: { bodyBytes: 2097152 }',
    policies: `
${connection('chat', `type: http\n  ${url}\n  ${credentials}`)}
${connection('loose', `type: http\n  ${url}\n  uninspected: allow`)}
${connection('llm', `type: openai\n  ${url}\n  ${credentials}`)}
${connection('down', 'type: http\n  url: http://127.0.0.1:1')}
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: leads }
spec: { reviewers: [{ groups: [leads], count: 1 }], wait: 1m }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: masks }
spec:
  match: { connections: [chat, loose, llm], groups: [masked] }
  mask: [{ name: pii, entities: [email], strategy: redact }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: asking-masks }
spec:
  match: { connections: [chat], groups: [asking] }
  mask: [{ name: pii, entities: [email], strategy: redact, on: [requests] }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: rules }
spec:
  match: { connections: [chat], groups: [ruled] }
  rules:
    - { name: no-admin, when: 'http.path.startsWith("/admin")', action: block, message: Not over a socket. }
    - { name: ask, when: 'http.path == "/ask"', action: approve, approval: leads }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: bodies }
spec:
  match: { connections: [chat, loose], groups: [bodies] }
  rules: [{ name: no-plan, when: 'http.method == "GET" && http.body.contains("plan")', action: block }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: counted }
spec:
  match: { connections: [chat], groups: [counted] }
  limits: [{ name: few, per: user, requests: { perDay: 2 } }]
`,
  });
  token = await agent.token();
}, 60_000);

afterAll(async () => {
  await agent.close();
  upstream.close();
});

const as = (...groups: string[]): Promise<string> => agent.token({ groups: ['engineering', ...groups] });

function direct(
  path: string,
  options: { token?: string; connection?: string; headers?: object } = {},
): Promise<Caught> {
  const url = `${agent.agent.url.replace('http', 'ws')}/c/${options.connection ?? 'chat'}${path}`;
  return open(url, { headers: { authorization: `Bearer ${options.token ?? token}`, ...options.headers } });
}

const sessionOf = ({ headers }: Pick<Caught, 'headers'>): string => String(headers['x-hoop-session']);

describe('an upgrade straight to the agent', () => {
  it('relays text and binary both ways, closes with code and reason, and is sealed with its 4 messages', async () => {
    const client = await direct('/echo?q=1');
    client.socket.send('hello');
    expect(await client.next()).toBe('hello');
    client.socket.send(Buffer.from([0, 1, 255]));
    await client.next();
    expect(client.messages[1]).toEqual({ text: Buffer.from([0, 1, 255]).toString(), binary: true });
    upstream.last.close(4001, 'enough');
    expect(await client.closed).toEqual({ code: 4001, reason: 'enough' });
    const events = await sealedEvents(agent, sessionOf(client));
    expect(events.map(({ type }) => type)).toEqual([
      'session.start',
      'request',
      'decision',
      'output',
      'output',
      'output',
      'output',
      'result',
      'session.end',
      'seal',
    ]);
    expect(events[1]).toMatchObject({ method: 'GET', path: '/echo?q=1' });
    expect(events[3]).toMatchObject({ from: 'client', body: 'hello', bodyBytes: 5 });
    expect(events[4]).toMatchObject({ from: 'upstream', body: 'hello' });
    expect(events[5]).toMatchObject({
      from: 'client',
      body: '',
      bodyBytes: 3,
      digest: {
        bytes: 3,
        sha256: createHash('sha256')
          .update(Buffer.from([0, 1, 255]))
          .digest('hex'),
        whole: true,
      },
      contentType: 'application/octet-stream',
    });
    expect(events[7]).toMatchObject({
      status: 101,
      bytes: 8,
      closed: { code: 4001, by: 'upstream' },
      messages: { client: { messages: 2, bytes: 8 }, upstream: { messages: 2, bytes: 8 } },
    });
    expect(events[8]).toMatchObject({ reason: 'upstream', statements: 1, blocked: 0 });
  });

  it('goes up with the stored credential, without the token, claimed identities and extensions', async () => {
    const client = await direct('/echo', {
      headers: {
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-user': 'root',
        x_forwarded_user: 'root',
        'x-remote-user': 'root',
        'x-auth-request-email': 'root@example.com',
        'x-hoop-user': 'root',
        'x-real-ip': '1.2.3.4',
        'x-warpgate-token': token,
        'x-warpgate-username': 'root',
        'x-api-key': 'mine',
        cookie: 'theme=dark',
      },
    });
    const seen = upstream.handshakes.at(-1);
    expect(seen?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(seen?.headers.host).toBe(new URL(upstream.url).host);
    expect(seen?.headers.cookie).toBe('theme=dark');
    expect(seen?.headers).not.toHaveProperty('sec-websocket-extensions');
    for (const name of Object.keys(seen?.headers ?? {}))
      expect(name).not.toMatch(/^x[-_](?:forwarded|remote|auth|hoop|real|api)/);
    expect(client.socket.extensions).toBe('');
    client.socket.close();
    await client.closed;
  });

  it('offers the subprotocols and gives on the one that was chosen', async () => {
    const url = `${agent.agent.url.replace('http', 'ws')}/c/chat/echo`;
    const client = await open(url, { headers: { authorization: `Bearer ${token}` } }, ['v1.chat', 'v2.chat']);
    expect(client.socket.protocol).toBe('v2.chat');
    client.socket.close(1000, 'bye');
    expect(await client.closed).toEqual({ code: 1000, reason: 'bye' });
  });

  it('does not give up keys and tokens that stand among the subprotocols', async () => {
    const url = `${agent.agent.url.replace('http', 'ws')}/c/chat/echo`;
    const offered = [`openai-insecure-api-key.${token}`, 'realtime', 'base64url.bearer.authorization.k8s.io.abc'];
    const client = await open(url, { headers: { authorization: `Bearer ${token}` } }, offered);
    expect(client.socket.protocol).toBe('realtime');
    expect(upstream.handshakes.at(-1)?.headers['sec-websocket-protocol']).toBe('realtime');
    expect(JSON.stringify(upstream.handshakes.at(-1)?.headers)).not.toContain(token);
    client.socket.close();
    await client.closed;
  });

  it('closes upstream with the code and reason of the client, and with none where it had none', async () => {
    const client = await direct('/echo');
    const closed = new Promise((resolve) =>
      upstream.last.once('close', (code, reason) => {
        resolve([code, reason.toString()]);
      }),
    );
    client.socket.close(3005, 'done here');
    expect(await closed).toEqual([3005, 'done here']);
    expect(await client.closed).toEqual({ code: 3005, reason: 'done here' });
    const silent = await direct('/echo');
    silent.socket.close();
    expect(await silent.closed).toEqual({ code: 1005, reason: '' });
    const events = await sealedEvents(agent, sessionOf(silent));
    expect(events.find(({ type }) => type === 'result')).toMatchObject({ closed: { code: 1005, by: 'client' } });
  });

  it('redacts the injected credential from text and binary messages and from headers, with no policy', async () => {
    const client = await direct('/echo');
    client.socket.send(`the key is ${KEY}.`);
    expect(await client.next()).toMatch(/^the key is \[credential\]\**\.$/);
    client.socket.send(Buffer.from(`\0${KEY}`));
    expect(await client.next()).not.toContain(KEY);
    client.socket.close();
    await client.closed;
    const events = await sealedEvents(agent, sessionOf(client));
    expect(JSON.stringify(events.filter(({ from }) => from === 'upstream'))).not.toContain(KEY);
  });
});

describe('a credential that the upstream cuts in two', () => {
  const [begun, rest] = [KEY.slice(0, 12), KEY.slice(12)];

  it.each([
    ['text', (piece: string) => piece],
    ['JSON', (delta: string) => JSON.stringify({ type: 'x.delta', delta })],
  ])('is redacted from both messages: %s', async (_, said) => {
    const client = await direct('/echo');
    const got: string[] = [];
    for (const piece of [`it is ${begun}`, `${rest}.`, 'hello']) {
      client.socket.send(said(piece));
      got.push(await client.next());
    }
    expect(got).toEqual([said(`it is ${'*'.repeat(12)}`), said(`${'*'.repeat(rest.length)}.`), said('hello')]);
    client.socket.close();
    await client.closed;
    const events = await sealedEvents(agent, sessionOf(client));
    expect(JSON.stringify(events.filter(({ from }) => from === 'upstream'))).not.toContain(rest);
  });
});

describe('an upgrade that is refused', () => {
  it('is 401 without a token, with a wrong one, and 403 for a connection that is not there', async () => {
    const before = upstream.handshakes.length;
    const url = `${agent.agent.url.replace('http', 'ws')}/c/chat/echo`;
    const nobody = await refusal(open(url));
    expect([nobody.status, nobody.headers['www-authenticate']]).toEqual([401, 'Bearer realm="hoop"']);
    expect((await refusal(direct('/echo', { token: 'made-up' }))).status).toBe(401);
    expect((await refusal(direct('/echo', { connection: 'other' }))).status).toBe(403);
    expect((await refusal(direct('/echo', { connection: 'postgres' }))).status).toBe(403);
    expect(upstream.handshakes).toHaveLength(before);
  });

  it('is 403 with a foreign origin, and 400 for a path that could mean another', async () => {
    const before = upstream.handshakes.length;
    expect((await refusal(direct('/echo', { headers: { origin: 'https://evil.example' } }))).status).toBe(403);
    for (const path of ['//echo', '/a/%2fb', '/echo;a=b', '/%2e%2e/echo', '/./echo', '/a/../echo'])
      expect(await statusOf(agent.agent.url, `/c/chat${path}`, { authorization: `Bearer ${token}` }), path).toBe(400);
    expect(upstream.handshakes).toHaveLength(before);
  });

  it('is 501 for other protocols and versions', async () => {
    const authorization = `Bearer ${token}`;
    for (const upgrade of ['SPDY/3.1', 'h2c', 'websocket2'])
      expect(await statusOf(agent.agent.url, '/c/chat/echo', { authorization, upgrade })).toBe(501);
    expect(await statusOf(agent.agent.url, '/c/chat/echo', { authorization, 'sec-websocket-key': 'short' })).toBe(400);
    expect(await statusOf(agent.agent.url, '/c/chat/echo', { authorization, 'content-length': '5' })).toBe(400);
    expect(await statusOf(agent.agent.url, '/c/chat/echo', { authorization, 'sec-websocket-version': '8' })).toBe(501);
  });

  it('is 403 in the dialect’s words where a rule blocks it, before the upstream is dialled, and recorded', async () => {
    const before = upstream.handshakes.length;
    const refused = await refusal(direct('/admin/console', { token: await as('ruled') }));
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({
      error: { code: 'hoop_blocked', message: 'blocked by policy rules/no-admin: Not over a socket.' },
    });
    expect(upstream.handshakes).toHaveLength(before);
    const events = await sealedEvents(agent, String(refused.headers['x-hoop-session']));
    expect(events.at(-2)).toMatchObject({ type: 'session.end', blocked: 1 });
  });

  it('is 403 where a rule reads bodies, since messages have none, and goes on where that is allowed', async () => {
    const refused = await refusal(direct('/echo', { token: await as('bodies') }));
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('not inspected');
    const loose = await direct('/echo', { token: await as('bodies'), connection: 'loose' });
    loose.socket.close();
    await loose.closed;
  });

  it('counts as one request of a limit: the third is 429 with the time to wait', async () => {
    const counted = await agent.token({ subject: 'cora', groups: ['engineering', 'counted'] });
    for (let n = 0; n < 2; n += 1) {
      const client = await direct('/echo', { token: counted });
      client.socket.close();
      await client.closed;
    }
    const refused = await refusal(direct('/echo', { token: counted }));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('takes the upstream’s 401, 500 and 302 as status, and nothing of their bodies or the credential', async () => {
    for (const status of [401, 500, 302]) {
      const refused = await refusal(direct(`/status/${String(status)}`));
      expect(refused.status).toBe(status);
      expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'upstream_error' } });
      expect(refused.body).not.toContain('ann.lee');
      expect(refused.headers['retry-after']).toBe('7');
      expect(JSON.stringify(refused.headers)).not.toContain(KEY);
      const events = await sealedEvents(agent, String(refused.headers['x-hoop-session']));
      expect(events.find(({ type }) => type === 'result')).toMatchObject({ status, error: { code: 'upstream_error' } });
    }
  });

  it('is 502 where the upstream is down, accepts falsely, or answers 200', async () => {
    const down = await refusal(direct('/echo', { connection: 'down' }));
    expect([down.status, JSON.parse(down.body)]).toMatchObject([502, { error: { code: 'hoop_upstream_unreachable' } }]);
    expect((await refusal(direct('/bad-accept'))).status).toBe(502);
    expect((await refusal(direct('/status/200'))).status).toBe(502);
  });
});

describe('an upgrade that people approve', () => {
  const pending = async (): Promise<string | undefined> => {
    const { body } = await agent.call('/v1/requests', {
      token: await agent.token({ subject: 'lea', groups: ['leads'] }),
    });
    return (body as { id: string }[])[0]?.id;
  };

  it('waits, then opens', async () => {
    const before = upstream.handshakes.length;
    const opening = direct('/ask', { token: await as('ruled') });
    await expect.poll(pending).toBeDefined();
    expect(upstream.handshakes).toHaveLength(before);
    const lead = await agent.token({ subject: 'lea', groups: ['leads'] });
    const { status } = await agent.call(`/v1/requests/${String(await pending())}/approve`, { token: lead, body: {} });
    expect(status).toBe(200);
    const client = await opening;
    expect(upstream.handshakes).toHaveLength(before + 1);
    client.socket.close();
    await client.closed;
  });

  it('is withdrawn when the client hangs up', async () => {
    const url = `${agent.agent.url.replace('http', 'ws')}/c/chat/ask`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${await as('ruled')}` } });
    socket.on('error', () => undefined);
    await expect.poll(pending).toBeDefined();
    socket.terminate();
    await expect.poll(pending).toBeUndefined();
  });
});

describe('masks on an upgraded stream', () => {
  it('shows nothing in the headers of the 101, or of a refusal of the upstream’s, that is masked', async () => {
    const client = await direct('/echo?named', { token: await as('masked') });
    client.socket.close();
    const refused = await refusal(direct('/status/500', { token: await as('masked') }));
    expect([client.headers['x-for'], refused.headers['x-for']]).toEqual(['[email]', '[email]']);
    expect((await direct('/echo?named')).headers['x-for']).toBe('ann.lee@example.com');
  });

  it('hold for text and JSON to the client, for close reasons, and in the record', async () => {
    const client = await direct('/echo', { token: await as('masked') });
    client.socket.send('mail ann.lee@example.com now');
    expect(await client.next()).toBe('mail [email] now');
    client.socket.send('{"m":"ann\\u002elee@example.com","n":1.0}');
    expect(await client.next()).toBe('{"m":"[email]","n":1.0}');
    expect(upstream.received.at(-1)?.data.toString()).toContain('ann');
    upstream.last.close(4000, 'ask ann.lee@example.com');
    expect(await client.closed).toEqual({ code: 4000, reason: 'ask [email]' });
    const events = await sealedEvents(agent, sessionOf(client));
    expect(JSON.stringify(events)).not.toContain('lee@example');
    expect(events.find(({ type }) => type === 'result')).toMatchObject({ masked: { email: 3 } });
  });

  it('hold for what goes up where they are on requests', async () => {
    const client = await direct('/sink', { token: await as('asking') });
    client.socket.send('{"to":"ann.lee@example.com"}');
    client.socket.send('to ann.lee@example.com');
    await expect.poll(() => upstream.received.at(-1)?.data.toString()).toBe('to [email]');
    expect(upstream.received.at(-2)?.data.toString()).toBe('{"to":"[email]"}');
    upstream.last.send('back: ann.lee@example.com');
    expect(await client.next()).toBe('back: ann.lee@example.com');
    client.socket.close();
    await client.closed;
    expect(JSON.stringify(await sealedEvents(agent, sessionOf(client)))).not.toContain('lee@example');
  });

  it('hold for a message in 3 fragments with the value cut in two', async () => {
    const client = await direct('/sink', { token: await as('masked') });
    upstream.last.send('mail ann.l', { fin: false });
    upstream.last.send('ee@exam', { fin: false });
    upstream.last.send('ple.com!', { fin: true });
    expect(await client.next()).toBe('mail [email]!');
    client.socket.close();
    await client.closed;
  });

  it('close with 1008 on a binary message to the client, which does not get it', async () => {
    const client = await direct('/sink', { token: await as('masked') });
    const peer = upstream.last;
    const gone = new Promise((resolve) => peer.once('close', resolve));
    peer.send(Buffer.from('ann.lee@example.com'));
    expect(await client.closed).toEqual({ code: 1008, reason: 'binary messages can not be inspected' });
    expect(await gone).toBe(1008);
    expect(client.messages).toEqual([]);
    const events = await sealedEvents(agent, sessionOf(client));
    expect(events.find(({ type }) => type === 'result')).toMatchObject({
      closed: { code: 1008, by: 'agent' },
      error: { code: 'hoop_blocked' },
    });
    expect(events.at(-2)).toMatchObject({ type: 'session.end', blocked: 1 });
  });

  it.each(['\0"to":"ann.lee@example.com"}', '{"to":"ann.lee@example.com\0"}', 'to ann.lee@example.com \0'])(
    'close with 1008 on a text with bytes of zero to the upstream, which does not get it: %j',
    async (text) => {
      const client = await direct('/sink', { token: await as('asking') });
      const before = upstream.received.length;
      client.socket.send(text);
      expect(await client.closed).toEqual({ code: 1008, reason: 'texts with bytes of zero can not be inspected' });
      expect(upstream.received).toHaveLength(before);
      expect(JSON.stringify(await sealedEvents(agent, sessionOf(client)))).not.toContain('lee@example');
    },
  );

  it('say nothing of a reason to close with bytes of zero', async () => {
    const client = await direct('/sink', { token: await as('asking') });
    const closed = new Promise((resolve) =>
      upstream.last.once('close', (_code: number, reason: Buffer) => resolve(String(reason))),
    );
    client.socket.close(4000, 'ask ann.lee@example.com \0');
    expect(await closed).toBe('');
  });

  it('let binary messages pass where the connection does, and say so', async () => {
    const client = await direct('/echo', { token: await as('masked'), connection: 'loose' });
    client.socket.send(Buffer.from('raw'));
    expect(await client.next()).toBe('raw');
    client.socket.close();
    await client.closed;
    const events = await sealedEvents(agent, sessionOf(client));
    expect(events.find(({ type }) => type === 'result')).toMatchObject({ notInspected: 'binary messages' });
  });

  it('close with 1008 on text of a model connection that may be in pieces, of which nothing is known', async () => {
    const client = await direct('/sink', { token: await as('masked'), connection: 'llm' });
    upstream.last.send('Hel');
    expect(await client.closed).toEqual({
      code: 1008,
      reason: 'text that may be split over messages can not be masked',
    });
    expect(client.messages).toEqual([]);
  });

  it('let text of a model connection pass where nothing is masked', async () => {
    const client = await direct('/echo', { connection: 'llm' });
    client.socket.send('plain');
    expect(await client.next()).toBe('plain');
    client.socket.close();
    await client.closed;
  });
});

describe('an upgrade through a local port', () => {
  it('works without a token on type http, for localhost alone and for no foreign origin', async () => {
    const { port } = await agent.port({ connection: 'chat' });
    const client = await open(`ws://127.0.0.1:${String(port)}/echo`);
    client.socket.send('through the tunnel');
    expect(await client.next()).toBe('through the tunnel');
    client.socket.close(1000);
    expect((await client.closed).code).toBe(1000);
    const url = `ws://127.0.0.1:${String(port)}/echo`;
    expect((await refusal(open(url, { headers: { host: 'evil.example' } }))).status).toBe(403);
    expect((await refusal(open(url, { headers: { origin: 'https://evil.example' } }))).status).toBe(403);
    expect(await statusOf(`http://127.0.0.1:${String(port)}`, '/echo', { upgrade: 'SPDY/3.1' })).toBe(501);
    const plain = await fetch(`http://127.0.0.1:${String(port)}/hello`);
    expect(await plain.text()).toBe('plain /api/hello');
  });

  it('serves requests that offer h2c in HTTP/1.1, two in a row and one with a body of 200 KB', async () => {
    const { port } = await agent.port({ connection: 'chat' });
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    let seen = '';
    socket.on('data', (part: Buffer) => (seen += part.toString()));
    const body = 'b'.repeat(200_000);
    const head = (method: string, path: string): string =>
      `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n` +
      'HTTP2-Settings: AAEAAEAAAAIAAAAB\r\n';
    socket.write(`${head('GET', '/first')}\r\n`);
    await expect.poll(() => seen).toContain('plain /api/first');
    socket.write(`${head('POST', '/second')}Content-Length: ${String(body.length)}\r\n\r\n${body}`);
    await expect.poll(() => seen).toContain('plain /api/second');
    expect(seen.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    socket.destroy();
  });

  it('needs the key of the port on model types', async () => {
    const { port } = await agent.port({ connection: 'llm' });
    expect((await refusal(open(`ws://127.0.0.1:${String(port)}/realtime`))).status).toBe(401);
  });
});
