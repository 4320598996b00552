import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { KEY, open, refusal, sealedEvents, SocketUpstream, type Caught } from './upgrade-world.js';

const LIMIT = 2 * 1024 * 1024;
const MB = 1024 * 1024;

const upstream = new SocketUpstream();
let agent: TestAgent;

const startAgent = (sessions: number): Promise<TestAgent> =>
  startTestAgent({
    env: { CHAT_TOKEN: KEY },
    agentSpec: `limits: { bodyBytes: ${String(LIMIT)}, sessions: ${String(sessions)} }`,
    policies: `
apiVersion: hoop/v1
kind: Connection
metadata: { name: chat }
spec:
  type: http
  url: ${upstream.url}
  credentials: [{ headers: { authorization: { env: CHAT_TOKEN, prefix: 'Bearer ' } } }]
  access: { groups: [engineering] }
`,
  });

beforeAll(async () => {
  await upstream.start();
  agent = await startAgent(500);
}, 60_000);

afterAll(async () => {
  await agent.close();
  upstream.close();
});

async function direct(path: string, to: TestAgent = agent): Promise<Caught> {
  const url = `${to.agent.url.replace('http', 'ws')}/c/chat${path}`;
  return open(url, { headers: { authorization: `Bearer ${await to.token()}` } });
}

async function throughPort(path: string): Promise<Caught> {
  const { port } = await agent.port({ connection: 'chat' });
  return open(`ws://127.0.0.1:${String(port)}${path}`);
}

const sessionOf = ({ headers }: Pick<Caught, 'headers'>): string => String(headers['x-hoop-session']);

const resultOf = async (client: Caught): Promise<Record<string, unknown> | undefined> =>
  (await sealedEvents(agent, sessionOf(client))).find(({ type }) => type === 'result');

/** A handshake on a bare socket, so that frames, and their absence, are ours. */
async function bareClient(): Promise<{ socket: Socket; session: string }> {
  const { hostname, port } = new URL(agent.agent.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(
    `GET /c/chat/sink HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${await agent.token()}\r\n` +
      'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  return { socket, session: /x-hoop-session: (\S+)/.exec(head.toString())?.[1] ?? '' };
}

describe('messages of an upgraded stream', () => {
  it('of the limit’s 2 MiB go both ways, directly and through a tunnel, byte for byte', async () => {
    for (const client of [await direct('/echo'), await throughPort('/echo')]) {
      const text = 'é'.repeat(LIMIT / 2);
      client.socket.send(text);
      expect((await client.next()) === text).toBe(true);
      client.socket.close();
      await client.closed;
      expect(await resultOf(client)).toMatchObject({
        bytes: LIMIT,
        messages: { client: { messages: 1, bytes: LIMIT } },
      });
    }
  });

  it('of one byte more end the stream with 1009 on both sides, whoever sent them', async () => {
    const client = await direct('/sink');
    const peer = upstream.last;
    const ended = once(peer, 'close');
    client.socket.send('x'.repeat(LIMIT + 1));
    expect((await client.closed).code).toBe(1009);
    expect((await ended)[0]).toBe(1009);
    const other = await direct('/sink');
    upstream.last.send('x'.repeat(LIMIT + 1));
    expect(await other.closed).toEqual({ code: 1009, reason: 'a message is larger than limits.bodyBytes' });
    expect(other.messages).toEqual([]);
  });

  it('are recorded up to 1,000, and all 1,500 are counted', async () => {
    const client = await direct('/sink');
    for (let n = 0; n < 1_500; n += 1) client.socket.send(`m${String(n)}`);
    client.socket.close();
    await client.closed;
    const events = await sealedEvents(agent, sessionOf(client));
    expect(events.filter(({ type }) => type === 'output')).toHaveLength(1_000);
    expect(await resultOf(client)).toMatchObject({ messages: { client: { messages: 1_500 } } });
  });

  it('are recorded up to 256 KiB of all together, cut at a character', async () => {
    const client = await direct('/sink');
    client.socket.send(`a${'é'.repeat(MB)}`.slice(0, MB));
    client.socket.send('more');
    client.socket.close();
    await client.closed;
    const outputs = (await sealedEvents(agent, sessionOf(client))).filter(({ type }) => type === 'output');
    expect(outputs).toHaveLength(1);
    expect(Buffer.byteLength(String(outputs[0]?.['body']))).toBe(256 * 1024 - 1);
  });

  it('in many fragments, with pings between them, come whole; pings are answered by the agent', async () => {
    const client = await direct('/echo');
    const pong = once(client.socket, 'pong');
    client.socket.send('one ', { fin: false });
    client.socket.ping('are you there');
    for (let n = 0; n < 100; n += 1) client.socket.send('and ', { fin: false });
    client.socket.send('last', { fin: true });
    expect(await client.next()).toBe(`one ${'and '.repeat(100)}last`);
    expect(String((await pong)[0])).toBe('are you there');
    client.socket.close();
    await client.closed;
  });

  it('that are no UTF-8 or not masked end the stream with 1007 and 1002', async () => {
    const cases: [number, Buffer][] = [
      [1007, Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])],
      [1002, Buffer.from([0x81, 0x01, 0x61])],
      [1002, Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x61])],
    ];
    for (const [code, frame] of cases) {
      const { socket, session } = await bareClient();
      const ended = once(upstream.last, 'close');
      socket.write(frame);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, code]);
      expect((await ended)[0]).toBe(code);
      await sealedEvents(agent, session);
      socket.destroy();
    }
  });
});

describe('a slow side', () => {
  it('client holds the upstream back: of 50 MB the agent keeps little, and all arrive', async () => {
    const client = await throughPort('/sink');
    client.socket.pause();
    const before = process.memoryUsage().rss;
    const part = Buffer.alloc(MB, 'x');
    for (let n = 0; n < 50; n += 1) upstream.last.send(part);
    let most = 0;
    let last = -1;
    // Until nothing more moves: what the upstream could not send waits in its own buffer.
    while (upstream.last.bufferedAmount !== last) {
      last = upstream.last.bufferedAmount;
      most = Math.max(most, process.memoryUsage().rss - before);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(last).toBeGreaterThan(20 * MB);
    expect(most).toBeLessThan(120 * MB);
    client.socket.resume();
    await expect.poll(() => client.messages.length, { timeout: 20_000 }).toBe(50);
    client.socket.close();
    await client.closed;
  });

  it('upstream holds the client back: of 50 MB more than 20 wait at the client, and all arrive', async () => {
    const client = await direct('/sink');
    const peer = upstream.last;
    peer.pause();
    const before = upstream.received.length;
    const part = Buffer.alloc(MB, 'x');
    for (let n = 0; n < 50; n += 1) client.socket.send(part);
    let last = -1;
    while (client.socket.bufferedAmount !== last) {
      last = client.socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(last).toBeGreaterThan(20 * MB);
    peer.resume();
    await expect.poll(() => upstream.received.length - before, { timeout: 20_000 }).toBe(50);
    client.socket.close();
    await client.closed;
  });

  it('client gets all 20 MB that stand before the upstream’s close frame', async () => {
    const client = await direct('/sink');
    client.socket.pause();
    for (let n = 0; n < 20; n += 1) upstream.last.send(Buffer.alloc(MB));
    upstream.last.close(1000, 'all sent');
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.socket.resume();
    expect(await client.closed).toEqual({ code: 1000, reason: 'all sent' });
    expect(client.messages).toHaveLength(20);
  });
});

describe('a side that breaks off', () => {
  it('ends the other at once, without a close frame, and the session is sealed', async () => {
    const client = await throughPort('/sink');
    const peer = upstream.last;
    const started = performance.now();
    peer.terminate();
    expect((await client.closed).code).toBe(1006);
    const other = await direct('/sink');
    const ended = once(upstream.last, 'close');
    other.socket.terminate();
    expect((await ended)[0]).toBe(1006);
    // Nobody waits 5 s for a close frame.
    expect(performance.now() - started).toBeLessThan(4_500);
    expect(await resultOf(client)).toMatchObject({ closed: { code: 1006, by: 'upstream' } });
    expect(await resultOf(other)).toMatchObject({ closed: { code: 1006, by: 'client' } });
  });

  it('during the handshake is not waited for', async () => {
    const { hostname, port } = new URL(agent.agent.url);
    const before = upstream.handshakes.length;
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `GET /c/chat/silent HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${await agent.token()}\r\n` +
        'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await expect.poll(() => upstream.handshakes.length).toBe(before + 1);
    const dialled = upstream.handshakes.at(-1)?.socket;
    socket.destroy();
    // Well before the deadline of a handshake.
    await expect.poll(() => dialled?.destroyed, { timeout: 5_000 }).toBe(true);
  });
});

describe('many upgraded streams', () => {
  it('200 at once carry their own messages, and each is sealed', async () => {
    const { port } = await agent.port({ connection: 'chat' });
    const url = `ws://127.0.0.1:${String(port)}/echo`;
    const clients = await Promise.all(
      Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? open(url) : direct('/echo'))),
    );
    const echoed = await Promise.all(
      clients.map((client, n) => {
        client.socket.send(`number ${String(n)}`);
        return client.next();
      }),
    );
    expect(echoed).toEqual(clients.map((_, n) => `number ${String(n)}`));
    for (const { socket } of clients) socket.close(1000);
    const ends = await Promise.all(clients.map(({ closed }) => closed));
    expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([1000]));
    expect(new Set(clients.map(sessionOf)).size).toBe(200);
    for (const client of clients.slice(0, 5)) expect(await resultOf(client)).toMatchObject({ status: 101 });
    await expect.poll(() => upstream.sockets.size).toBe(0);
  });

  it('above limits.sessions are refused with 503, and have their place again when one ends', async () => {
    const small = await startAgent(2);
    try {
      const first = await direct('/echo', small);
      await direct('/echo', small);
      const refused = await refusal(direct('/echo', small));
      expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
      first.socket.close();
      await first.closed;
      await expect
        .poll(() =>
          direct('/echo', small).then(
            () => 'open',
            () => 'refused',
          ),
        )
        .toBe('open');
    } finally {
      await small.close();
    }
  });

  it('are closed with 1001 when the agent shuts down, which takes no longer than its grace', async () => {
    const ending = await startAgent(10);
    const client = await direct('/sink', ending);
    const ended = once(upstream.last, 'close');
    const closing = ending.close();
    expect(await client.closed).toEqual({ code: 1001, reason: 'the hoop agent is shutting down' });
    expect((await ended)[0]).toBe(1001);
    await closing;
  });
});
