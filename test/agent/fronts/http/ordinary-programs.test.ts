import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';
import type { Seen } from '../../../support/http-upstream.js';
import { rawExchange } from '../../../support/raw-http.js';

let seen: Seen[] = [];
let agent: HttpAgent;

function answer(request: Seen, response: ServerResponse): void {
  seen.push(request);
  if (request.url === '/events')
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'none' });
  if (request.url === '/picture') response.setHeader('content-type', 'image/png');
  if (request.method === 'HEAD') response.setHeader('accept-ranges', 'bytes');
  if (request.method === 'OPTIONS') response.writeHead(200, { 'content-type': 'image/png', 'content-length': '0' });
  response.end(request.method === 'OPTIONS' ? '' : 'data: {"mail":"jane@example.com"}\n\n');
}

beforeAll(async () => {
  agent = await startHttpAgent(answer, {
    connections: { shop: 'http', models: 'openai' },
    policies: `
apiVersion: hoop/v1
kind: Policy
metadata: { name: shop }
spec:
  rules: [{ name: admin, when: 'http.path.startsWith("/admin/")', action: block }]
  mask: [{ name: pii, entities: [email], strategy: partial }]
`,
  });
});

beforeEach(() => {
  seen = [];
});

afterAll(async () => {
  await agent.close();
});

describe('what ordinary programs send and get', () => {
  it('reaches a path with an encoded slash, as registries and forges have it', async () => {
    expect((await agent.ask('shop', '/@corp%2flib?a=%2f')).status).toBe(200);
    expect(seen.map(({ url }) => url)).toEqual(['/@corp%2Flib?a=%2f']);
  });

  it('is blocked by the rule of a path that an encoded slash may stand in', async () => {
    const refused = await agent.ask('shop', '/admin%2Fusers');
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('shop/admin')]);
    expect((await agent.ask('shop', '/x%2F..%2Fadmin')).status).toBe(400);
    expect((await agent.ask('models', '/v1%2Fmodels')).status).toBe(400);
    expect(seen).toEqual([]);
  });

  it('moves files to where the upstream knows them', async () => {
    const destination = `${agent.agent.url}/c/shop/b%20c.txt`;
    expect((await agent.ask('shop', '/a.txt', { method: 'MOVE', headers: { destination } })).status).toBe(200);
    expect(seen[0]?.headers['destination']).toBe(`${agent.upstream.url}/b%20c.txt`);
  });

  it('is an event stream in a coding called none, masked', async () => {
    const events = await agent.ask('shop', '/events');
    expect([events.status, await events.text()]).toEqual([200, 'data: {"mail":"*****@example.com"}\n\n']);
  });

  it('is an answer of no bytes, whatever type it says', async () => {
    const options = await agent.ask('shop', '/', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('content-type')]).toEqual([200, 'image/png']);
  });

  it('is told what lets a picture pass under masks, and offered no ranges of one', async () => {
    const picture = await agent.ask('shop', '/picture');
    expect([picture.status, await picture.text()]).toEqual([502, expect.stringContaining('`uninspected`')]);
    const head = await agent.ask('shop', '/picture', { method: 'HEAD' });
    expect([head.status, head.headers.get('accept-ranges')]).toEqual([200, null]);
  });

  it('is told to speak HTTP/1.1 where it begins with HTTP/2', async () => {
    const port = Number(new URL(agent.agent.url).port);
    const [refused] = await rawExchange(port, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    expect([refused?.line, refused?.body.toString()]).toEqual([
      '400 Bad Request',
      expect.stringContaining('speak HTTP/1.1'),
    ]);
  });
});
