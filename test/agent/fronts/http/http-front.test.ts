import { request, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpUpstream, type HttpUpstream, type Seen } from '../../../support/http-upstream.js';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { headerOf, httpConnection } from '../../../support/http-connection.js';

const KEY = 'upstream-key-4f3a9c21';

/** Answers by path, as an internal API would. */
function answer({ url, headers, body }: Seen, response: ServerResponse): void {
  const echoed = JSON.stringify({ headers, body });
  switch (url.split('?')[0]) {
    case '/api/echo':
      response.setHeader('content-type', 'application/json');
      response.end(echoed);
      return;
    case '/api/echo-gzip': {
      const packed = gzipSync(echoed);
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'content-length': packed.length,
      });
      response.end(packed);
      return;
    }
    case '/api/person':
      response.setHeader('content-type', 'application/json');
      response.end('{"name":"Ann",  "email":"ann.lee@example.com", "n": 1.0}');
      return;
    case '/api/marked':
      response.setHeader('content-type', url.endsWith('json') ? 'application/json' : 'text/plain');
      response.write('\uFEFF');
      response.end(String.raw`{"email":"ann.lee\u0040example.com"}`);
      return;
    case '/api/unchanged':
      response.writeHead(304, { etag: '"1"', 'content-length': '57' });
      response.end();
      return;
    case '/api/elsewhere':
      response.writeHead(302, { location: 'https://evil.example/steal' });
      response.end();
      return;
    case '/api/cut':
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' });
      response.write('half', () => response.destroy());
      return;
    default:
      response.statusCode = 404;
      response.end('nothing here');
  }
}

let upstream: HttpUpstream;
let agent: TestAgent;
let token: string;

beforeAll(async () => {
  upstream = await startHttpUpstream(answer);
  agent = await startTestAgent({
    env: { CRM_TOKEN: KEY },
    policies: `
${httpConnection('crm', `${upstream.url}/api`, headerOf('authorization', 'CRM_TOKEN', 'Bearer '))}
${httpConnection('keyless', `${upstream.url}/api`, headerOf('authorization', 'NOT_SET'))}
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: crm-rules }
spec:
  match: { connections: [crm], groups: [masked] }
  rules:
    - { name: no-deletes, when: 'http.method == "DELETE"', action: block, message: Nothing is deleted here. }
    - { name: no-secrets, when: 'http.body.contains("secret plan")', action: block }
  mask:
    - { name: pii, entities: [email], strategy: redact }
`,
  });
  token = await agent.token();
});

afterAll(async () => {
  await agent.close();
  upstream.close();
});

function call(path: string, init: RequestInit & { readonly as?: string } = {}): Promise<Response> {
  const { as, headers, ...rest } = init;
  return fetch(`${agent.agent.url}/c/crm${path}`, {
    redirect: 'manual',
    ...rest,
    headers: { authorization: `Bearer ${as ?? token}`, ...(headers as Record<string, string>) },
  });
}

/** By hand: fetch tidies paths up before it sends them. */
function statusOf(path: string): Promise<number> {
  const { hostname, port } = new URL(agent.agent.url);
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const going = request({ hostname, port, path, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    going.on('error', reject);
    going.end();
  });
}

describe('a request straight to the agent', () => {
  it('goes up with the stored credential and without the caller’s token', async () => {
    const answer = await call('/echo?q=1', {
      method: 'POST',
      body: 'hello',
      headers: { 'x-forwarded-for': '1.2.3.4', 'x-api-key': 'mine' },
    });
    expect(answer.status).toBe(200);
    const seen = upstream.seen.at(-1);
    expect(seen).toMatchObject({ method: 'POST', url: '/api/echo?q=1', body: 'hello' });
    expect(seen?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(JSON.stringify(seen?.headers)).not.toContain(token);
    expect(seen?.headers).not.toHaveProperty('x-forwarded-for');
    expect(seen?.headers).not.toHaveProperty('x-api-key');
    const text = await answer.text();
    expect(text).not.toContain(KEY);
    expect(text).toContain('[credential]');
    expect(answer.headers.get('x-hoop-session')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('has the credential redacted from a gzip answer too', async () => {
    const answer = await call('/echo-gzip', { method: 'POST', body: 'x', headers: { 'accept-encoding': 'gzip' } });
    const text = await answer.text();
    expect(text).not.toContain(KEY);
    expect(JSON.parse(text)).toMatchObject({ body: 'x' });
  });

  it('gets an untouched answer byte for byte where nothing masks', async () => {
    expect(await (await call('/person')).text()).toBe('{"name":"Ann",  "email":"ann.lee@example.com", "n": 1.0}');
  });

  it('is given a redirect and does not follow it', async () => {
    const answer = await call('/elsewhere');
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe('https://evil.example/steal');
  });

  it('is given a 304 that tells the length of what it leaves out', async () => {
    const answer = await call('/unchanged', { headers: { 'if-none-match': '"1"' } });
    expect(answer.status).toBe(304);
    expect(answer.headers.get('etag')).toBe('"1"');
  });

  it('fails as a cut where the upstream is cut in the middle of its answer', async () => {
    const answer = await call('/cut');
    await expect(answer.text()).rejects.toThrow();
  });

  it('is refused 401 without a token and 403 for a connection that is not there', async () => {
    expect((await fetch(`${agent.agent.url}/c/crm/person`)).status).toBe(401);
    const other = await fetch(`${agent.agent.url}/c/other/person`, { headers: { authorization: `Bearer ${token}` } });
    expect(other.status).toBe(403);
  });

  it('is refused 400 for a path that could mean another', async () => {
    for (const path of ['//person', '/%2e%2e/person', '/a/%2f..%2fb', '/person;a=b']) {
      const before = upstream.seen.length;
      expect(await statusOf(`/c/crm${path}`), path).toBe(400);
      expect(upstream.seen).toHaveLength(before);
    }
  });
});

describe('policy', () => {
  it('blocks by method and by body, and nothing goes up', async () => {
    const as = await agent.token({ groups: ['engineering', 'masked'] });
    const before = upstream.seen.length;
    const deleted = await call('/person', { method: 'DELETE', as });
    expect(deleted.status).toBe(403);
    expect(await deleted.json()).toMatchObject({
      error: { code: 'hoop_blocked', message: 'blocked by policy crm-rules/no-deletes: Nothing is deleted here.' },
    });
    const told = await call('/echo', { method: 'POST', body: 'the secret plan', as });
    expect(told.status).toBe(403);
    expect(upstream.seen).toHaveLength(before);
  });

  it('goes nowhere where the credential has no value: 502, and the log says which connection', async () => {
    const before = upstream.seen.length;
    const answer = await fetch(`${agent.agent.url}/c/keyless/person`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { code: 'hoop_upstream_auth' } });
    expect(upstream.seen).toHaveLength(before);
    expect(agent.logged.join('\n')).toContain('warn connection keyless can not be used yet');
  });

  it('looks behind a byte order mark', async () => {
    const as = await agent.token({ groups: ['engineering', 'masked'] });
    for (const path of ['/marked?json', '/marked?text']) {
      const bytes = Buffer.from(await (await call(path, { as })).arrayBuffer());
      expect(bytes.toString(), path).toBe('\uFEFF{"email":"[email]"}');
    }
  });

  it('masks the answer and the record', async () => {
    const as = await agent.token({ groups: ['engineering', 'masked'] });
    const answer = await call('/person', { as });
    expect(await answer.text()).toBe('{"name":"Ann",  "email":"[email]", "n": 1.0}');
    const session = answer.headers.get('x-hoop-session') ?? '';
    await expect
      .poll(async () => (await agent.call(`/v1/sessions/${session}`, { token })).body)
      .toMatchObject({ statements: 1, connectionType: 'http' });
  });
});
