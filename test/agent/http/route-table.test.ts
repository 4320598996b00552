import { describe, expect, it } from 'vitest';
import { startAgent } from './agent.js';

const AUDITORS = 'administrators and auditors';

/** Who may call, beyond a valid token. A route that is not here fails the test: someone has to say who may. */
const RULES: Readonly<Record<string, string>> = {
  'GET /healthz': 'anyone',
  'GET /readyz': 'anyone',
  'GET /metrics': 'anyone: the figures hold names of the configuration alone',
  'GET /.well-known/hoop': 'anyone',
  'GET /v1/openapi.json': 'anyone',
  'GET /v1/whoami': 'any caller',
  'GET /v1/connections': 'any caller; lists what they may use',
  'GET /v1/requests': 'any caller; lists their own and those they may review',
  'POST /v1/requests': 'callers who may use the connection',
  'GET /v1/requests/events': 'any caller; tells of their own and those they may review, until the token ends',
  'GET /v1/requests/:id': 'the requester and reviewers; for all others it is not there',
  'POST /v1/requests/:id/withdraw': 'the requester',
  'POST /v1/requests/:id/approve': 'reviewers of its flow; no machine, and oneself only where the flow says so',
  'POST /v1/requests/:id/preview': 'those who may decide the request',
  'POST /v1/requests/:id/deny': 'reviewers of its flow; no machine, and oneself only where the flow says so',
  'GET /v1/grants': 'any caller; lists their own and those of requests they may review; administrators, all',
  'POST /v1/grants/:id/revoke': 'its owner, reviewers of its flow, administrators; for all others it is not there',
  'GET /v1/sessions': 'any caller, their own; administrators and auditors, all',
  'GET /v1/sessions/:id': 'whose session it is, administrators and auditors; for all others it is not there',
  'GET /v1/sessions/:id/recording': 'whose session it is, administrators and auditors; for all others it is not there',
  'GET /v1/audit/readings': AUDITORS,
  'GET /v1/audit/export': AUDITORS,
  'POST /v1/slack':
    'Slack, by its signature; decides as the person whom the sink names for the Slack user, by the rules of the flow',
};

const id = '019abcde-0000-7000-8000-0000000000ff';

describe('the table of routes', () => {
  it('says of every route who may call, in docs/routes.md: vitest -u writes it', async () => {
    const { server } = await startAgent();
    const rows = server.routes.map(({ method, path, auth, summary }) => {
      const name = `${method} ${path}`;
      expect(RULES, name).toHaveProperty([name]);
      return `| \`${name}\` | ${auth === 'public' ? 'none' : 'required'} | ${RULES[name] ?? ''} | ${summary} |`;
    });
    expect(rows).toHaveLength(Object.keys(RULES).length);
    const page = [
      '# Routes of the agent',
      '',
      'Made by a test out of the table that the agent serves; the OpenAPI of the same table is at `/v1/openapi.json`. Besides',
      'these there are `/v1/tunnel/CONNECTION` (WebSocket) and `/c/CONNECTION/…`, for callers who may use that connection.',
      '',
      '| route | token | who may call | does |',
      '| --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n');
    await expect(page).toMatchFileSnapshot('../../../docs/routes.md');
  });

  it('holds: without a token, with garbage, or with what a local port takes, no route that needs one answers', async () => {
    const { server, url } = await startAgent();
    for (const { method, path, auth } of server.routes) {
      const address = `${url}${path.replace(':id', id)}`;
      const body = method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
      const statuses = await Promise.all(
        [undefined, 'Bearer garbage', 'Bearer hoop_port_0123456789', 'Basic YWxpY2U6YWxpY2U='].map(async (given) => {
          const headers = { ...body.headers, ...(given === undefined ? {} : { authorization: given }) };
          const response = await fetch(address, { method, ...body, headers });
          await response.body?.cancel();
          return response.status;
        }),
      );
      if (auth === 'user') expect(statuses, path).toEqual([401, 401, 401, 401]);
      else expect(statuses, path).not.toContain(401);
    }
  });

  it('holds: what is for auditors is refused to a caller and to a reviewer', async () => {
    const { server, url } = await startAgent();
    const auditing = server.routes.filter(({ method, path }) => RULES[`${method} ${path}`] === AUDITORS);
    expect(auditing.map(({ path }) => path)).toEqual(['/v1/audit/readings', '/v1/audit/export']);
    for (const { path } of auditing) {
      for (const who of ['alice', 'bob']) {
        const query = path.endsWith('export') ? '?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z' : '';
        const response = await fetch(`${url}${path}${query}`, { headers: { authorization: `Bearer ${who}` } });
        expect([path, who, response.status]).toEqual([path, who, 403]);
      }
    }
  });
});
