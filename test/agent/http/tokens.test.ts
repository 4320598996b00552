import { describe, expect, it } from 'vitest';
import { tokenOf } from '../../../src/agent/http/token.js';
import { getLines, startAgent, statusOf } from './agent.js';

const anId = '019abcde-0000-7000-8000-0000000000ff';

describe('the route table', () => {
  it('answers 401 with WWW-Authenticate: Bearer on every user route without a token and with garbage', async () => {
    const { server, url } = await startAgent();
    const guarded = server.routes.filter((route) => route.auth === 'user');
    expect(guarded.length).toBeGreaterThanOrEqual(9);
    const garbage: readonly Record<string, string>[] = [
      {},
      { authorization: 'Bearer garbage' },
      { authorization: 'Basic YWxpY2U6eA==' },
      { authorization: '' },
      { 'x-api-key': 'garbage' },
      { 'api-key': 'garbage' },
      { cookie: 'token=alice' },
    ];
    for (const route of guarded) {
      for (const headers of garbage) {
        const response = await fetch(url + route.path.replace(':id', anId), { method: route.method, headers });
        expect(response.status, `${route.method} ${route.path} ${JSON.stringify(headers)}`).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
        await response.body?.cancel();
      }
    }
  });

  it('holds only these public routes', async () => {
    const { server } = await startAgent();
    const open = server.routes
      .filter((route) => route.auth === 'public')
      .map((route) => `${route.method} ${route.path}`);
    expect(open).toEqual([
      'GET /healthz',
      'GET /readyz',
      'GET /metrics',
      'GET /.well-known/hoop',
      'GET /v1/openapi.json',
      // Slack has no token: it signs. See test/agent/slack.test.ts.
      'POST /v1/slack',
    ]);
  });
});

describe('a token', () => {
  it.each([
    ['in Authorization', ['Authorization: Bearer alice'], 200],
    ['in x-api-key', ['X-Api-Key: alice'], 200],
    ['in api-key', ['api-key: alice'], 200],
    [
      'in Authorization beside a worse x-api-key, which is not read',
      ['x-api-key: garbage', 'Authorization: Bearer alice'],
      200,
    ],
    ['in x-api-key beside a bad Authorization, which wins', ['x-api-key: alice', 'Authorization: Bearer garbage'], 401],
    ['in x-api-key beside an empty Authorization', ['x-api-key: alice', 'Authorization:'], 401],
    ['sent twice in Authorization', ['Authorization: Bearer alice', 'Authorization: Bearer alice'], 401],
    [
      'sent twice in x-api-key, beside a good Authorization',
      ['x-api-key: a', 'X-API-KEY: b', 'Authorization: Bearer alice'],
      401,
    ],
    ['sent twice in api-key', ['api-key: alice', 'api-key: alice'], 401],
    ['joined by a comma', ['Authorization: Bearer alice, Bearer alice'], 401],
  ])('%s', async (_where, headers, status) => {
    const { raw } = await startAgent();
    expect(statusOf(await raw(getLines('/v1/whoami', headers)))).toBe(status);
  });

  it('in the address is refused, on public routes too', async () => {
    const { get } = await startAgent();
    expect((await get('/v1/whoami?access_token=alice')).status).toBe(400);
    expect((await get('/healthz?ACCESS%5Ftoken=alice')).status).toBe(400);
  });

  it('is taken from the raw list, where nothing was merged', () => {
    expect(tokenOf(['Host', 'x', 'AUTHORIZATION', 'bearer abc.def-_~+/=='])).toBe('abc.def-_~+/==');
    expect(() => tokenOf(['Host', 'x'])).toThrow('no token was sent');
  });
});
