import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { describe, expect, it, vi } from 'vitest';
import { TokenWatches } from '../../../src/agent/callers/token-watches.js';
import { HoopError } from '../../../src/core/errors.js';
import type { Identity } from '../../../src/core/identity.js';
import type { PostgresConnection } from '../../../src/core/resources.js';
import { heldStatement, person } from '../../approvals/desk.js';
import { aliceSession, people, recordingText, startAgent } from './agent.js';

const alice = people[0] as (typeof people)[number];
const unknownId = '019abcde-0000-7000-8000-0000000000ff';

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const body = (await response.json()) as { error: { code: string; message: string; suggestion: string } };
  expect(Object.keys(body.error)).toEqual(['code', 'message', 'suggestion']);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return { status: response.status, code: body.error.code, message: body.error.message };
}

describe('public routes', () => {
  it('say that the process lives, is ready, and how to log in', async () => {
    const { get } = await startAgent();
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
    expect(await (await get('/readyz')).json()).toEqual({ ready: true, checks: [{ name: 'store', ready: true }] });
    expect(await (await get('/.well-known/hoop')).json()).toMatchObject({
      issuer: 'https://id.example.com',
      clientId: 'hoop-cli',
    });
  });

  it('answer 503 at /readyz while one check fails', async () => {
    const { get } = await startAgent(
      {},
      {
        readiness: () => [
          { name: 'store', ready: true },
          { name: 'recordings', ready: false },
        ],
      },
    );
    const response = await get('/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ ready: false });
  });

  it('show real figures at /metrics, by route and never by path', async () => {
    const { get } = await startAgent();
    await get('/v1/whoami', 'alice');
    await get('/nothing/like/alice');
    const text = await (await get('/metrics')).text();
    expect(text).toContain('hoop_sessions_live 3');
    expect(text).toContain('hoop_approval_requests_pending 2');
    expect(text).toContain('hoop_http_requests_total{route="/v1/whoami",method="GET",status="200"} 1');
    expect(text).toContain('hoop_http_requests_total{route="none",method="GET",status="404"} 1');
    expect(text).not.toContain('alice');
  });

  it('refuse what comes later by its name, and what is none as none', async () => {
    const { get } = await startAgent();
    expect(await errorOf(await get('/mcp', 'alice'))).toEqual({
      status: 501,
      code: 'not_in_version',
      message: '`/mcp` is not in this version',
    });
    expect(await errorOf(await get('/mcpx', 'alice'))).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('describe every route at /v1/openapi.json', async () => {
    const { get, server } = await startAgent();
    const document = (await (await get('/v1/openapi.json')).json()) as {
      paths: Record<string, Record<string, { security: unknown[] }>>;
    };
    for (const route of server.routes) {
      const operation = document.paths[route.path.replace(':id', '{id}')]?.[route.method.toLowerCase()];
      expect(operation?.security.length, route.path).toBe(route.auth === 'user' ? 2 : 0);
    }
  });

  it('answer HEAD without a body', async () => {
    const { url } = await startAgent();
    const response = await fetch(`${url}/healthz`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('whoami and connections', () => {
  it('tell the caller who they are', async () => {
    const { get } = await startAgent();
    expect(await (await get('/v1/whoami', 'alice')).json()).toEqual({
      subject: 'alice',
      email: 'alice@example.com',
      groups: ['engineering'],
      issuer: 'https://id.example.com',
      machine: false,
      mayReview: true,
      expiresAt: 2_000_000_000,
    });
  });

  it('list what the caller may use, without addresses or credentials', async () => {
    const connection: PostgresConnection = {
      name: 'postgres',
      labels: { env: 'prod' },
      type: 'postgres',
      host: '10.9.8.7',
      port: 5432,
      database: 'shop',
      databases: [],
      tls: { mode: 'verify-full' },
      credentials: [{ groups: ['*'], username: 'hoop_app', password: { env: 'PW' } }],
      access: { groups: ['engineering'] },
      catalogTtlMs: 1000,
    };
    const { get } = await startAgent({}, { connections: () => [connection] });
    expect(await (await get('/v1/connections', 'alice')).json()).toEqual([
      { name: 'postgres', type: 'postgres', access: 'open', database: 'shop', labels: { env: 'prod' } },
    ]);
    expect(await (await get('/v1/connections', 'bob')).json()).toEqual([]);
  });
});

describe('requests', () => {
  it('are listed, read and approved by a reviewer, and the wait ends', async () => {
    const { approvals, get, post } = await startAgent();
    const { request, outcome } = approvals.open(heldStatement(alice));
    const [listed] = (await (await get('/v1/requests', 'bob')).json()) as Record<string, unknown>[];
    expect(listed).toMatchObject({ id: request.id, state: 'pending', mayDecide: true, text: request.text });
    expect(listed).not.toHaveProperty('bindHash');
    expect(await (await get(`/v1/requests/${request.id}`, 'alice')).json()).toMatchObject({ mayDecide: false });
    const decided = await post(`/v1/requests/${request.id}/approve`, 'bob', { reason: 'fine' });
    expect([decided.status, await decided.json()]).toMatchObject([
      200,
      { state: 'approved', decidedBy: 'bob@example.com', mayDecide: false },
    ]);
    expect(await outcome).toEqual({ state: 'approved', by: 'bob@example.com', reason: 'fine' });
    expect(await (await get('/v1/requests?state=pending', 'bob')).json()).toEqual([]);
    expect(await (await get('/v1/requests?state=all', 'bob')).json()).toHaveLength(1);
    expect(await (await get('/v1/requests?state=all&mine=true', 'bob')).json()).toEqual([]);
  });

  it('answer 409 when decided already, 403 to the requester and to others, 404 where there is none', async () => {
    const { approvals, post } = await startAgent();
    const { request } = approvals.open(heldStatement(alice));
    const path = `/v1/requests/${request.id}/deny`;
    expect(await errorOf(await post(path, 'alice', {}))).toMatchObject({ status: 403, code: 'not_allowed' });
    expect(await errorOf(await post(path, 'carol', {}))).toMatchObject({ status: 403, code: 'not_allowed' });
    expect((await post(path, 'bob', { reason: 'no' })).status).toBe(200);
    const again = await errorOf(await post(path, 'bob', {}));
    expect(again).toMatchObject({ status: 409, code: 'already_decided' });
    expect(again.message).toContain('bob@example.com');
    expect(await errorOf(await post(`/v1/requests/${unknownId}/approve`, 'bob', {}))).toMatchObject({
      status: 404,
      code: 'not_found',
    });
  });

  it('say the same of those not there and those not the viewer’s', async () => {
    const { approvals, get } = await startAgent();
    const { request } = approvals.open(heldStatement(alice));
    const [hidden, missing] = [
      await get(`/v1/requests/${request.id}`, 'carol'),
      await get(`/v1/requests/${unknownId}`, 'carol'),
    ];
    expect([hidden.status, await hidden.text()]).toEqual([missing.status, await missing.text()]);
    expect(hidden.status).toBe(404);
  });

  it('take an empty body, and refuse unknown fields, other types, other JSON and long reasons', async () => {
    const { approvals, url, post } = await startAgent();
    const { request } = approvals.open(heldStatement(alice));
    const path = `/v1/requests/${request.id}/approve`;
    const send = (contentType: string, body: string) =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: 'Bearer bob', 'content-type': contentType },
        body,
      });
    expect((await post(path, 'bob', { reasn: 'x' })).status).toBe(400);
    expect((await post(path, 'bob', { reason: 1 })).status).toBe(400);
    expect((await post(path, 'bob', [])).status).toBe(400);
    expect((await post(path, 'bob', { reason: 'x'.repeat(4_001) })).status).toBe(400);
    expect((await send('application/json', '{')).status).toBe(400);
    expect((await send('text/plain', '{}')).status).toBe(415);
    expect(approvals.get(alice, request.id).state).toBe('pending');
    expect((await fetch(url + path, { method: 'POST', headers: { 'x-api-key': 'bob' } })).status).toBe(200);
  });
});

describe('sessions', () => {
  it('are read by their owner and by auditors; to anyone else they are not there', async () => {
    const { get } = await startAgent();
    for (const path of [`/v1/sessions/${aliceSession.id}`, `/v1/sessions/${aliceSession.id}/recording`]) {
      expect((await get(path, 'alice')).status).toBe(200);
      expect((await get(path, 'audrey')).status).toBe(200);
      const [hidden, missing] = [await get(path, 'bob'), await get(path.replace(aliceSession.id, unknownId), 'bob')];
      expect([hidden.status, await hidden.text()]).toEqual([404, await missing.text()]);
    }
  });

  it('are not the same subject’s of another issuer', async () => {
    const other = { ...alice, issuer: 'https://other.example.com' };
    const { get } = await startAgent({}, { verify: () => Promise.resolve(other) });
    expect((await get(`/v1/sessions/${aliceSession.id}`, 'x')).status).toBe(404);
  });

  it('stream their recording byte for byte', async () => {
    const { get } = await startAgent();
    const response = await get(`/v1/sessions/${aliceSession.id}/recording`, 'alice');
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await response.text()).toBe(recordingText);
  });

  it('answer 404 where the recording is gone', async () => {
    const { get } = await startAgent({}, { openRecording: () => Promise.resolve(undefined) });
    expect((await get(`/v1/sessions/${aliceSession.id}/recording`, 'alice')).status).toBe(404);
  });

  it('are searched within what the caller may read', async () => {
    const { get, filters } = await startAgent();
    const query =
      'user=ann&connection=postgres&since=2026-11-21T10:00:00%2B02:00&until=2026-11-22T00:00:00Z&blocked=true&text=payments&correlationId=c1&limit=7';
    expect((await get(`/v1/sessions?${query}`, 'bob')).status).toBe(200);
    expect((await get('/v1/sessions', 'audrey')).status).toBe(200);
    expect(filters).toEqual([
      {
        owner: { subject: 'bob', issuer: 'https://id.example.com' },
        user: 'ann',
        connection: 'postgres',
        text: 'payments',
        correlationId: 'c1',
        since: '2026-11-21T08:00:00.000Z',
        until: '2026-11-22T00:00:00.000Z',
        blocked: true,
        limit: 7,
      },
      { limit: 100 },
    ]);
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'since=yesterday', 'blocked=1', 'usr=ann', 'user=a&user=b'])(
    'refuse the query %s',
    async (query) => {
      const { get } = await startAgent();
      expect(await errorOf(await get(`/v1/sessions?${query}`, 'audrey'))).toMatchObject({ status: 400, code: 'usage' });
    },
  );
});

describe('a failure inside', () => {
  it('is told as 500 without any of it, and handed to the log', async () => {
    const { get, failures } = await startAgent(
      {},
      {
        connections: () => {
          throw new Error('password=s3cret');
        },
      },
    );
    const response = await get('/v1/connections', 'alice');
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain('s3cret');
    expect(failures).toHaveLength(1);
    expect((await get('/healthz')).status).toBe(200);
  });
});

describe('the feed of requests', () => {
  it('pushes a request to a reviewer as it comes and ends, and stops with the agent', async () => {
    const { approvals, get, server } = await startAgent();
    const response = await get('/v1/requests/events', 'bob');
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const { request } = approvals.open(heldStatement(alice));
    const lines: string[] = [];
    for await (const line of createInterface({ input: Readable.fromWeb(response.body as NodeReadableStream) })) {
      const event = JSON.parse(line) as { event: string; request?: { state: string } };
      lines.push(event.request?.state ?? event.event);
      if (lines.length === 2) approvals.withdraw(request.id, 'client left');
      if (lines.length === 3) void server.close(5_000);
    }
    expect(lines).toEqual(['snapshot', 'pending', 'cancelled', 'end']);
  });

  it('lets go of what a reader held once they hang up: 25 after each other are served, though 20 may be open', async () => {
    const { url, approvals, failures } = await startAgent();
    const open = (signal: AbortSignal) =>
      fetch(`${url}/v1/requests/events`, { headers: { authorization: 'Bearer bob' }, signal });
    for (let count = 0; count < 25; count += 1) {
      const leaving = new AbortController();
      // The agent notices a hang-up a moment later.
      await vi.waitFor(async () => expect((await open(leaving.signal)).status).toBe(200), { timeout: 10_000 });
      leaving.abort();
    }
    approvals.open(heldStatement(alice));
    expect(failures).toEqual([]);
  });

  it.each([
    ['is refused', undefined],
    ['is of somebody in other groups', { groups: ['sales'] }],
  ])('and a recording that is followed end once the token %s', async (_what, then) => {
    const bob = person('bob', ['dba']);
    let changed = false;
    const verify = (): Promise<Identity> => {
      if (!changed) return Promise.resolve(bob);
      if (then === undefined) return Promise.reject(new HoopError('token_refused', 'revoked'));
      return Promise.resolve({ ...bob, ...then });
    };
    const endless = new PassThrough();
    endless.write('{}\n');
    const openRecording = (): Promise<Readable> => Promise.resolve(endless);
    const roles = { admin: [], auditor: ['dba'] };
    const watches = new TokenWatches({ trusts: () => true, everyMs: 20 });
    const { get } = await startAgent({ watches }, { verify, openRecording, roles: () => roles });
    const feed = await get('/v1/requests/events', 'bob');
    const followed = await get(`/v1/sessions/${aliceSession.id}/recording?follow=true`, 'bob');
    expect([feed.status, followed.status]).toEqual([200, 200]);
    changed = true;
    await expect(feed.text()).rejects.toThrow();
    await expect(followed.text()).rejects.toThrow();
    expect(endless.destroyed).toBe(true);
  });

  it('answers HEAD at once', async () => {
    const { url } = await startAgent();
    const head = await fetch(`${url}/v1/requests/events`, { method: 'HEAD', headers: { authorization: 'Bearer bob' } });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
