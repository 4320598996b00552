import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createServer as createHttpServer, request, type ServerResponse } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridge } from '../../../../src/tunnel/bridge.js';
import { dialTunnel, type TunnelClient } from '../../../../src/tunnel/dial.js';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { startHttpUpstream, type HttpUpstream, type Seen } from '../../../support/http-upstream.js';

const PORT_KEY = 'sk-hoop-only-for-this-port';
const CHUNK = Buffer.alloc(64 * 1024, 0x61);

/** Speaks the OpenAI dialect as far as these tests need it. */
function answer({ body }: Seen, response: ServerResponse): void {
  const { stream } = body.startsWith('{') ? (JSON.parse(body) as { stream?: boolean }) : {};
  if (stream === true) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hello there. "}}]}\n\n');
    response.end('data: [DONE]\n\n');
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(
    '{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}',
  );
}

/** Takes any body and keeps none of it. */
const sink = {
  arrived: (_bytes: number): void => undefined,
  server: createHttpServer((incoming, response) => {
    incoming.on('data', (part: Buffer) => {
      sink.arrived(part.length);
    });
    incoming.on('end', () => response.end());
  }),
};

let upstream: HttpUpstream;
let agent: TestAgent;
const open: { close(): void }[] = [];

beforeAll(async () => {
  upstream = await startHttpUpstream(answer);
  await new Promise<void>((resolve) => sink.server.listen(0, '127.0.0.1', resolve));
  const sinkUrl = `http://127.0.0.1:${String((sink.server.address() as AddressInfo).port)}`;
  const connection = (name: string, type: string, url = upstream.url): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec:
  type: ${type}
  url: ${url}
  access: { groups: [engineering] }
---`;
  agent = await startTestAgent({
    agentSpec: 'limits: { bodyBytes: 1MiB }',
    policies: `${connection('openai', 'openai')}${connection('files', 'http')}${connection('held', 'openai')}${connection('sink', 'http', sinkUrl)}
apiVersion: hoop/v1
kind: Policy
metadata: { name: prompts }
spec:
  match: { connections: [openai] }
  rules:
    - { name: no-plans, when: 'http.body.contains("secret plan")', action: block }
  limits:
    - { name: few, per: user, requests: { perMinute: 3 }, groups: [limited] }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: people }
spec:
  match: { connections: [held] }
  rules:
    - { name: ask, when: 'http.method == "POST"', action: approve, approval: review }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: review }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 30s, preview: true }
`,
  });
});

afterAll(async () => {
  for (const one of open) one.close();
  await agent.close();
  upstream.close();
  sink.server.close();
});

/** A local port as `hoop connect` opens one, with a key. */
async function port(connection: string, key?: string): Promise<{ port: number; tunnel: TunnelClient }> {
  const tunnel = await dialTunnel({
    agentUrl: agent.agent.url,
    connection,
    token: await agent.token(),
    ...(key === undefined ? {} : { portKeyHash: createHash('sha256').update(key).digest('hex') }),
  });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    bridge(socket, tunnel.openStream());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(tunnel, server);
  return { port: (server.address() as AddressInfo).port, tunnel };
}

function ask(at: string, key: string, body: unknown, more: Record<string, string> = {}): Promise<Response> {
  return fetch(`${at}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}

it('tells who comes to a port without its key where that is', async () => {
  const { port: at } = await port('openai', 'the key of this port');
  const answer = await fetch(`http://127.0.0.1:${String(at)}/v1/models`);
  expect(answer.status).toBe(401);
  expect(await answer.text()).toContain('the one of this port is in the environment of hoop connect');
});

describe('a local port', () => {
  it('answers a request with its key, and 401 one without or with another', async () => {
    const { port: number } = await port('openai', PORT_KEY);
    const at = `http://127.0.0.1:${String(number)}`;
    const answered = await ask(at, PORT_KEY, { model: 'm', messages: [] });
    expect(answered.status).toBe(200);
    expect(await answered.json()).toMatchObject({ usage: { prompt_tokens: 7 } });
    const before = upstream.seen.length;
    expect((await ask(at, 'sk-hoop-another', { model: 'm' })).status).toBe(401);
    expect((await fetch(`${at}/v1/models`)).status).toBe(401);
    const token = await agent.token();
    expect((await ask(at, token, { model: 'm' })).status, 'a token is no key of the port').toBe(401);
    expect(upstream.seen).toHaveLength(before);
  });

  it('refuses a rebound host and another site’s page', async () => {
    const { port: number } = await port('files');
    const status = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: number, path: '/x', headers }, (answered) => {
          answered.resume();
          resolve(answered.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
    expect(await status({})).toBe(200);
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ host: 'localhost:1', origin: 'https://evil.example' })).toBe(403);
    expect(await status({ host: 'localhost:1', origin: 'http://localhost:1' })).toBe(200);
  });

  it('refuses what another site’s page has the browser fetch, which sends no origin with an image or a frame', async () => {
    const { port: number } = await port('files');
    const before = upstream.seen.length;
    const status = async (site: string, mode: string, dest: string, method = 'GET'): Promise<number> => {
      const at = { host: '127.0.0.1', port: number, path: '/delete?id=1', method };
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest };
      return new Promise((resolve, reject) => {
        request({ ...at, headers }, (answered) => {
          answered.resume();
          resolve(answered.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
    };
    expect(await status('cross-site', 'no-cors', 'image')).toBe(403);
    // A page of another port of this machine.
    expect(await status('same-site', 'no-cors', 'script')).toBe(403);
    expect(await status('cross-site', 'navigate', 'iframe')).toBe(403);
    expect(await status('cross-site', 'navigate', 'document', 'POST')).toBe(403);
    expect(upstream.seen).toHaveLength(before);
    // Typed in, the connection's own page, and a link that a person follows, e.g. back from a login.
    expect(await status('none', 'navigate', 'document')).toBe(200);
    expect(await status('same-origin', 'cors', 'empty')).toBe(200);
    expect(await status('cross-site', 'navigate', 'document')).toBe(200);
  });

  it('answers 400 to smuggled framing and goes on with others', async () => {
    const { port: number } = await port('files');
    const raw = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let got = '';
        const socket = connect(number, '127.0.0.1', () => socket.write(text));
        socket.on('data', (part) => (got += part.toString()));
        socket.on('error', () => undefined);
        socket.on('close', () => {
          resolve(got);
        });
      });
    const before = upstream.seen.length;
    for (const text of [
      'POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd',
      'POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'GET /a HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n',
    ])
      expect(await raw(text), JSON.stringify(text)).toMatch(/^HTTP\/1\.1 400 /);
    expect(upstream.seen).toHaveLength(before);
  });
});

describe('a body', () => {
  it('is refused 413 above limits.bodyBytes where a rule reads it, and streams where none does', async () => {
    const { port: number } = await port('openai', PORT_KEY);
    const large = await ask(`http://127.0.0.1:${String(number)}`, PORT_KEY, `{"a":"${'x'.repeat(1 << 20)}"}`);
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ error: { code: 'hoop_too_large' } });
    const { port: files } = await port('files');
    const sent = await fetch(`http://127.0.0.1:${String(files)}/upload`, {
      method: 'POST',
      body: new Uint8Array(3 << 20),
    });
    expect(sent.status).toBe(200);
    expect(upstream.seen.at(-1)?.body.length).toBe(3 << 20);
  });

  it('is judged decoded: gzip hides nothing, and one that is not what it says is 400', async () => {
    const { port: number } = await port('openai', PORT_KEY);
    const at = `http://127.0.0.1:${String(number)}`;
    const gzip = { 'content-encoding': 'gzip' };
    const told = gzipSync('{"messages":[{"role":"user","content":"the secret plan"}]}');
    expect((await ask(at, PORT_KEY, told, gzip)).status).toBe(403);
    expect((await ask(at, PORT_KEY, 'no gzip', gzip)).status).toBe(400);
    expect((await ask(at, PORT_KEY, gzipSync(Buffer.alloc(64 << 20)), gzip)).status).toBe(413);
    expect((await ask(at, PORT_KEY, gzipSync('{"messages":[]}'), gzip)).status).toBe(200);
    expect(upstream.seen.at(-1)).toMatchObject({ body: '{"messages":[]}' });
    expect(upstream.seen.at(-1)?.headers).not.toHaveProperty('content-encoding');
  });

  it('with a name twice is 400 where a rule reads it', async () => {
    const { port: number } = await port('openai', PORT_KEY);
    const twice = await ask(`http://127.0.0.1:${String(number)}`, PORT_KEY, '{"messages":[],"messages":[1]}');
    expect(twice.status).toBe(400);
  });

  it('of 300 MB that nothing reads passes and is never held', async () => {
    const total = 4_800;
    const most = { bytes: 0 };
    const before = process.memoryUsage().arrayBuffers;
    let arrived = 0;
    sink.arrived = (bytes) => {
      arrived += bytes;
      most.bytes = Math.max(most.bytes, process.memoryUsage().arrayBuffers - before);
    };
    const { port: files } = await port('sink');
    await new Promise<void>((resolve, reject) => {
      const going = request({ host: '127.0.0.1', port: files, method: 'PUT', path: '/big' }, (answered) => {
        answered.resume();
        answered.on('end', resolve);
      });
      going.on('error', reject);
      Readable.from(Array.from({ length: total }, () => CHUNK)).pipe(going);
    });
    expect(arrived).toBe(total * CHUNK.length);
    // Client, tunnel, agent and upstream share this process, and garbage lags behind: the bench measures the agent alone.
    expect(most.bytes).toBeLessThan(100 * 2 ** 20);
  });
});

describe('limits', () => {
  it('refuse the fourth request of a minute with 429 and when to come again', async () => {
    const token = await agent.token({ subject: 'busy', groups: ['engineering', 'limited'] });
    const at = `${agent.agent.url}/c/openai`;
    const statuses = [];
    for (let index = 0; index < 4; index += 1)
      statuses.push((await ask(at, token, { model: 'm', messages: [] })).status);
    const last = await ask(at, token, { model: 'm', messages: [] });
    // A minute may turn in between: then the count begins anew.
    expect([...statuses, last.status]).toContain(429);
    if (last.status !== 429) return;
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last.json()).toMatchObject({ error: { code: 'hoop_limit' } });
  });
});

describe('a held request', () => {
  const pending = async (): Promise<string> => {
    const token = await agent.token({ subject: 'dana', groups: ['dba'] });
    for (;;) {
      const { body } = await agent.call('/v1/requests?state=pending', { token });
      const [first] = body as { id: string }[];
      if (first !== undefined) return first.id;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const decide = async (id: string, what: 'approve' | 'deny'): Promise<void> => {
    const token = await agent.token({ subject: 'dana', groups: ['dba'] });
    expect((await agent.call(`/v1/requests/${id}/${what}`, { token, body: { reason: 'seen' } })).status).toBe(200);
  };

  it('of a stream hears pings, and goes on when it is approved', async () => {
    const before = upstream.seen.length;
    const answered = await ask(`${agent.agent.url}/c/held`, await agent.token(), { stream: true, messages: [] });
    expect(answered.status).toBe(200);
    const reader = (answered.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    expect(Buffer.from(first.value ?? []).toString()).toMatch(/^: /);
    expect(upstream.seen).toHaveLength(before);
    await decide(await pending(), 'approve');
    let text = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += Buffer.from(part.value).toString();
    expect(text).toContain('Hello there. ');
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  it('is refused in words when it is denied, as a stream and as none', async () => {
    const token = await agent.token();
    const plain = ask(`${agent.agent.url}/c/held`, token, { messages: [1] });
    await decide(await pending(), 'deny');
    expect((await plain).status).toBe(403);
    expect(await (await plain).json()).toMatchObject({ error: { code: 'hoop_denied' } });
    const stream = await ask(`${agent.agent.url}/c/held`, token, { stream: true, messages: [2] });
    await decide(await pending(), 'deny');
    expect(await stream.text()).toContain('hoop_denied');
  });

  it('is withdrawn when its client hangs up, and never goes up', async () => {
    const before = upstream.seen.length;
    const leaving = new AbortController();
    const going = fetch(`${agent.agent.url}/c/held/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await agent.token()}` },
      body: '{}',
      signal: leaving.signal,
    }).catch(() => undefined);
    const id = await pending();
    const token = await agent.token({ subject: 'dana', groups: ['dba'] });
    expect((await agent.call(`/v1/requests/${id}`, { token })).body).toMatchObject({
      preview: { refused: expect.stringMatching(/^only a statement that is held now/) as string },
    });
    leaving.abort();
    await going;
    await expect
      .poll(async () => (await agent.call(`/v1/requests/${id}`, { token })).body)
      .toMatchObject({ state: 'cancelled' });
    expect(upstream.seen).toHaveLength(before);
  });
});

describe('the recording', () => {
  it('holds the request, its decision, answer and figures, sealed', async () => {
    const answered = await ask(`${agent.agent.url}/c/openai`, await agent.token(), {
      model: 'gpt-test',
      messages: [{ role: 'user', content: 'hello' }],
    });
    await answered.text();
    const session = answered.headers.get('x-hoop-session') ?? '';
    const read = async (): Promise<{ type: string }[]> => {
      const [day = ''] = (await readdir(agent.recordings)).filter((name) => /^\d{4}-/.test(name));
      const text = await readFile(join(agent.recordings, day, `${session}.ndjson`), 'utf8');
      return text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string });
    };
    await expect
      .poll(async () => (await read()).map(({ type }) => type))
      .toEqual(['session.start', 'request', 'decision', 'output', 'result', 'session.end', 'seal']);
    const events = await read();
    expect(events[1]).toMatchObject({ method: 'POST', path: '/v1/chat/completions' });
    expect(events[4]).toMatchObject({ status: 200 });
  });
});
