import { connect, type Socket } from 'node:net';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPort, startTestAgent, type TestAgent } from '../../../support/agent.js';
import { startHttpUpstream, type HttpUpstream } from '../../../support/http-upstream.js';

let upstream: HttpUpstream;
let agent: TestAgent;
let token: string;
let local: Awaited<ReturnType<typeof openPort>>;
/** Answers that the upstream has not given yet, by path. */
const waiting = new Map<string, ServerResponse>();
/** Paths that came to it. */
const seen: string[] = [];

beforeAll(async () => {
  upstream = await startHttpUpstream(({ url }, response) => {
    waiting.set(url, response);
    seen.push(url);
  });
  agent = await startTestAgent({
    policies: `apiVersion: hoop/v1
kind: Connection
metadata: { name: crm }
spec: { type: http, url: "${upstream.url}", access: { groups: [engineering] } }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: rules }
spec: { match: { connections: [crm] }, rules: [{ name: no, when: 'http.path == "/blocked"', action: block }] }
`,
  });
  token = await agent.token();
  local = await openPort(agent.agent.url, 'crm', token);
}, 60_000);

afterAll(async () => {
  local.close();
  await agent.close();
  upstream.close();
});

beforeEach(() => {
  waiting.clear();
  seen.length = 0;
});

interface Way {
  readonly socket: Socket;
  /** Everything that came back so far. */
  got(): string;
  send(...requests: string[]): void;
}

function dial(way: 'direct' | 'local port'): Way {
  const port = way === 'direct' ? Number(new URL(agent.agent.url).port) : local.port;
  const socket = connect(port, '127.0.0.1');
  let got = '';
  socket.on('data', (part: Buffer) => (got += part.toString())).on('error', () => undefined);
  const head = `host: 127.0.0.1:${String(port)}${way === 'direct' ? `\r\nauthorization: Bearer ${token}` : ''}`;
  return {
    socket,
    got: () => got,
    send: (...requests) => {
      const texts = requests.map((request) => {
        const [method = '', path = '', ...lines] = request.split(' ');
        const more = lines.map((line) => `\r\n${line.replace('=', ': ')}`).join('');
        const length = method === 'POST' ? '\r\ncontent-length: 2' : '';
        const body = method === 'POST' ? '{}' : '';
        return `${method} ${way === 'direct' ? '/c/crm' : ''}${path} HTTP/1.1\r\n${head}${more}${length}\r\n\r\n${body}`;
      });
      socket.write(texts.join(''));
    },
  };
}

const came = (...paths: string[]): Promise<void> =>
  expect.poll(() => [...seen].sort(), { interval: 10, timeout: 10_000 }).toEqual(paths);
const answer = (path: string): void => {
  waiting.get(path)?.end(`told ${path}`);
};
/** Long enough for what should not have waited, since what was sent behind it has gone up. */
async function settled(): Promise<void> {
  const other = dial('direct');
  const before = seen.length;
  other.send('GET /beside');
  await expect.poll(() => seen.length, { interval: 10 }).toBe(before + 1);
  seen.splice(seen.indexOf('/beside'), 1);
  other.socket.destroy();
}

describe.each(['direct', 'local port'] as const)('requests that do not wait for their answers, %s', (way) => {
  it('go up one after the other behind one that changes something, and are answered in order', async () => {
    const { socket, send, got } = dial(way);
    send('POST /1', 'POST /2', 'GET /3');
    await came('/1');
    await settled();
    expect(seen).toEqual(['/1']);
    answer('/1');
    await came('/1', '/2');
    await settled();
    expect(seen).toEqual(['/1', '/2']);
    answer('/2');
    await came('/1', '/2', '/3');
    answer('/3');
    await expect.poll(got).toMatch(/told \/1[^]*told \/2[^]*told \/3/);
    socket.destroy();
  });

  it('go up side by side while all are safe, and one that is not waits for all of them', async () => {
    const { socket, send, got } = dial(way);
    send('GET /1', 'HEAD /2', 'DELETE /3', 'GET /4');
    await came('/1', '/2');
    answer('/2');
    await settled();
    expect([...seen].sort()).toEqual(['/1', '/2']);
    answer('/1');
    await came('/1', '/2', '/3');
    answer('/3');
    await came('/1', '/2', '/3', '/4');
    answer('/4');
    await expect.poll(got).toMatch(/told \/1[^]*told \/3[^]*told \/4/);
    socket.destroy();
  });

  it('go on behind one that was refused', async () => {
    const { socket, send, got } = dial(way);
    send('POST /blocked', 'POST /2');
    await came('/2');
    answer('/2');
    await expect.poll(got).toMatch(/403 Forbidden[^]*hoop_blocked[^]*told \/2/);
    socket.destroy();
  });

  it('never go up once the client has hung up', async () => {
    const { socket, send } = dial(way);
    send('POST /1', 'POST /2');
    await came('/1');
    const gone = new Promise((resolve) => waiting.get('/1')?.once('close', resolve));
    socket.destroy();
    await gone;
    await settled();
    expect(seen).toEqual(['/1']);
  });

  it('wait as an upgrade and as an offer of one, too: neither is answered in the middle of what came before', async () => {
    for (const offer of ['upgrade=websocket', 'upgrade=h2c']) {
      const { socket, send, got } = dial(way);
      send('GET /1', `GET /2 connection=Upgrade ${offer}`);
      await came('/1');
      await settled();
      expect(got()).toBe('');
      answer('/1');
      await expect.poll(got).toMatch(/told \/1/);
      await expect.poll(() => got().split('told /1')[1] !== '' || seen.includes('/2')).toBe(true);
      socket.destroy();
      waiting.clear();
      seen.length = 0;
    }
  });
});
