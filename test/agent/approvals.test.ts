import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView, RequestView } from '../../src/core/approval.js';
import { openPort, startTestAgent, type TestAgent } from '../support/agent.js';
import { startHttpUpstream, type HttpUpstream } from '../support/http-upstream.js';
import { missingPostgres, type PostgresServer, sharedPostgres } from '../support/postgres-server.js';
import { recordedEvents } from '../support/recorded-events.js';
import { until } from '../support/until.js';
import { openClient, refusal } from '../support/pg-client.js';
import { httpConnection } from '../support/http-connection.js';

const open = { credentials: [{ groups: ['*'], headers: {} }] };
const RESOURCES = (upstream: string, postgres: PostgresServer): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: dba-review }
    - { name: contacts, when: 'sql.writes.exists(t, t.name == "contacts")', action: approve, approval: session-review }
    - { name: orders, when: 'http.path.startsWith("/orders")', action: approve, approval: dba-review }
    - { name: customers, when: 'sql.writes.exists(t, t.name == "customers")', action: approve, approval: with-ticket }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba-review }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 60s, maxDuration: 1h, breakGlass: { groups: [oncall] } }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: session-review }
spec: { reviewers: [{ groups: [dba] }], wait: 60s, grant: { scope: session, ttl: 1h } }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: with-ticket }
spec: { reviewers: [{ groups: [dba] }], ticket: 'OPS-[0-9]+' }
${httpConnection('web', upstream, { ...open, access: { groups: ['engineering'], approval: 'dba-review' } })}${httpConnection('shop', upstream, open)}---
apiVersion: hoop/v1
kind: Connection
metadata: { name: guarded }
spec:
  type: postgres
  address: 127.0.0.1:${String(postgres.port)}
  database: postgres
  tls: { mode: disable }
  credentials: [{ username: ${postgres.app.username}, password: { env: APP_PASSWORD } }]
  access: { groups: [engineering], approval: dba-review, maxDuration: 45m }
`;

describe.skipIf(missingPostgres() !== undefined)('approvals through the agent', () => {
  let upstream: HttpUpstream;
  let agent: TestAgent;
  let dana: string;

  beforeAll(async () => {
    upstream = await startHttpUpstream((_seen, response) => response.end('hello'));
    agent = await startTestAgent({ policies: RESOURCES(upstream.url, await sharedPostgres()) });
    dana = await agent.token({ subject: 'dana', groups: ['dba'] });
  });

  afterAll(async () => {
    await agent.close();
    upstream.close();
  });

  const client = async (port: number, database = agent.database): Promise<Client> => {
    return openClient({ port, database });
  };

  const pending = (marker: string): Promise<RequestView> =>
    until(marker, async () => {
      const { body } = await agent.call('/v1/requests', { token: dana });
      return (body as RequestView[]).find((request) => request.state === 'pending' && request.text.includes(marker));
    });

  const decide = (id: string, verdict: string, body: object = {}) =>
    agent.call(`/v1/requests/${id}/${verdict}`, { token: dana, body });

  it('shows reviewers who asks, from where, with which values, and what the statement does', async () => {
    const db = await client((await agent.port()).port);
    const updated = db.query('update payments set amount = $1 where id = $2', [12, 1]);
    const request = await pending('set amount = $1');
    expect(request).toMatchObject({
      kind: 'statement',
      client: { address: '127.0.0.1' },
      params: ['12', '1'],
      facts: { kind: 'update' },
      progress: [{ flow: 'dba-review', entries: [{ groups: ['dba'], count: 1, given: 0 }] }],
      maxDurationMs: 3_600_000,
      mayDecide: true,
    });
    await decide(request.id, 'approve', { reason: 'ok' });
    expect((await updated).rowCount).toBe(1);
    await db.end();
  });

  it('shows reviewers the headers that may change what a request means, and no value of a secret one', async () => {
    const headers = {
      authorization: `Bearer ${await agent.token()}`,
      'content-type': 'application/json',
      'x-on-behalf-of': 'everyone',
      'x-tenant-token': 'tenant-4711',
    };
    const url = `${agent.agent.url}/c/shop/orders/17`;
    const asked = fetch(url, { method: 'POST', headers, body: '{"note":"overridden"}' });
    const request = await pending('overridden');
    expect(request.text).toBe(
      'POST /orders/17\nx-on-behalf-of: everyone\nx-tenant-token: [not shown]\n\n{"note":"overridden"}',
    );
    await decide(request.id, 'deny');
    expect((await asked).status).toBe(403);
  });

  it('runs a statement again under a grant for a time, and stops it within a second when that is revoked', async () => {
    const db = await client((await agent.port()).port);
    const text = 'update payments set amount = 13 where id = 1';
    const first = db.query(text);
    const request = await pending('amount = 13');
    await decide(request.id, 'approve', { duration: '30m' });
    await first;
    await db.query(text);
    const { body } = await agent.call('/v1/grants', { token: dana });
    const grant = (body as GrantView[]).find((one) => one.request === request.id);
    expect(grant).toMatchObject({
      scope: 'statement',
      state: 'active',
      approvedBy: 'dana@example.test',
      mayRevoke: true,
    });
    const revoked = await agent.call(`/v1/grants/${grant?.id ?? ''}/revoke`, { token: dana, body: { reason: 'over' } });
    expect(revoked).toMatchObject({ status: 200, body: [{ state: 'revoked', endedBy: 'dana@example.test' }] });
    const again = refusal(db.query(text));
    const second = await pending('amount = 13');
    await decide(second.id, 'deny', { reason: 'no more' });
    expect(await again).toMatchObject({ code: '42501', message: 'approval denied by dana@example.test: no more' });
    await db.end();
    const events = await recorded((event) => event['type'] === 'approval.resolved' && event['grant'] === grant?.id);
    expect(events).toMatchObject([{ request: request.id, outcome: 'approved', by: 'dana@example.test' }]);
  });

  it('covers the same meaning in the same state of a session, and nothing that means something else', async () => {
    const { port } = await agent.port();
    const db = await client(port);
    const first = db.query('update payments set amount = 21 where id = 2');
    await decide((await pending('amount = 21')).id, 'approve', { duration: '30m' });
    await first;
    await db.query('/* again */ UPDATE payments\n SET amount = 21 WHERE id = 2;');
    // Names may stand for other tables now.
    await db.query('set search_path = public, pg_catalog');
    const elsewhere = refusal(db.query('update payments set amount = 21 where id = 2'));
    await decide((await pending('amount = 21')).id, 'deny');
    expect((await elsewhere).code).toBe('42501');
    await db.end();

    const other = await client(port);
    await other.query('update payments set amount = 21 where id = 2');
    const approved = async (text: string): Promise<void> => {
      const held = other.query(text);
      await decide((await pending(text)).id, 'approve', { duration: '30m' });
      await held;
    };
    await approved('prepare p as update payments set amount = 22 where id = 2');
    await approved('execute p');
    await other.query('deallocate p');
    await approved('prepare p as update payments set amount = 23 where id = 2');
    const changed = refusal(other.query('execute p'));
    await decide((await pending('execute p')).id, 'deny');
    expect((await changed).code).toBe('42501');
    await other.end();
  });

  it('keeps a grant of a session to that session', async () => {
    const { port } = await agent.port();
    const [one, two] = [await client(port), await client(port)];
    const text = (value: number) => `update contacts set card = '${String(value)}' where id = 1`;
    const first = one.query(text(1));
    await decide((await pending("card = '1'")).id, 'approve');
    await first;
    await one.query(text(2));
    const other = two.query(text(3));
    await decide((await pending("card = '3'")).id, 'approve');
    await other;
    await one.end();
    await two.end();
  });

  it('tells at once what a flow does not take, without asking anyone', async () => {
    const db = await client((await agent.port()).port);
    const refused = await refusal(db.query("update customers set name = 'x' where id = 1"));
    expect(refused.code).toBe('42501');
    expect(refused.message).toContain('approval denied: with-ticket asks for a reason that holds OPS-[0-9]+');
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await db.end();
  });

  it('lets on-call people go ahead with a reason, loudly, and has it reviewed afterwards', async () => {
    const token = await agent.token({ subject: 'olga', groups: ['engineering', 'oncall'] });
    const opened = await openPort(agent.agent.url, 'postgres', token, { reason: 'site is down' });
    const db = await client(opened.port);
    const notices: string[] = [];
    db.on('notice', (notice) => notices.push(notice.message ?? ''));
    expect((await db.query('update payments set amount = 99 where id = 2')).rowCount).toBe(1);
    expect(notices.join()).toContain('break-glass: goes ahead without approval');
    const { body } = await agent.call('/v1/requests', { token: dana });
    const due = (body as RequestView[]).find((request) => request.breakGlass === true);
    expect(due).toMatchObject({ state: 'approved', reason: 'site is down', mayDecide: true });
    expect((await decide(due?.id ?? '', 'approve', { reason: 'was needed' })).body).toMatchObject({
      review: { verdict: 'accepted', by: 'dana@example.test', reason: 'was needed' },
    });
    expect((await decide(due?.id ?? '', 'approve')).status).toBe(409);
    await db.end();
    opened.close();
    expect(await recorded((event) => event['breakGlass'] === true)).toHaveLength(1);
  });

  it('refuses a connection that needs approval with 403 and what to type, then gives it for the time approved', async () => {
    const token = await agent.token({ subject: 'gil' });
    const direct = () => fetch(`${agent.agent.url}/c/web/`, { headers: { authorization: `Bearer ${token}` } });
    const refused = await direct();
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('hoop request web --duration 1h --reason TEXT');
    const listed = async () =>
      (await agent.call('/v1/connections', { token })).body as { name: string; access: string }[];
    expect((await listed()).find(({ name }) => name === 'web')?.access).toBe('needs approval');
    const body = { connection: 'web', duration: '30m', reason: 'look' };
    const asked = (await agent.call('/v1/requests', { token, body })).body as RequestView;
    expect(asked).toMatchObject({ kind: 'access', state: 'pending', durationMs: 1_800_000 });
    // The same asked again is the same request, and the answer comes with the decision.
    expect((await agent.call('/v1/requests', { token, body })).body).toMatchObject({ id: asked.id });
    const waited = agent.call(`/v1/requests/${asked.id}?wait=60`, { token });
    await decide(asked.id, 'approve');
    expect((await waited).body).toMatchObject({ state: 'approved' });
    expect((await direct()).status).toBe(200);
    expect((await listed()).find(({ name }) => name === 'web')).toMatchObject({ access: 'granted until' });
    await agent.call(`/v1/grants/${asked.id}/revoke`, { token, body: {} });
    expect((await direct()).status).toBe(403);
  });

  it('ends live sessions within a second of the end of their access, in the words of their protocol', async () => {
    const token = await agent.token({ subject: 'hal' });
    await expect(openPort(agent.agent.url, 'guarded', token)).rejects.toMatchObject({
      code: 'access_needed',
      suggestion: 'ask with: hoop request guarded --duration 1h --reason TEXT',
    });
    const body = { connection: 'guarded', duration: '45m', reason: 'look' };
    const asked = (await agent.call('/v1/requests', { token, body })).body as RequestView;
    await decide(asked.id, 'approve');
    const { port, close } = await openPort(agent.agent.url, 'guarded', token);
    const [idle, busy] = [await client(port, 'postgres'), await client(port, 'postgres')];
    const lost = new Promise<Error>((resolve) => idle.once('error', resolve));
    const running = refusal(busy.query('select pg_sleep(60)'));
    await until('the running statement', async () => {
      const { rows } = await idle.query("select 1 from pg_stat_activity where query like 'select pg_sleep(60)%'");
      return rows[0];
    });
    const revokedAt = performance.now();
    await agent.call(`/v1/grants/${asked.id}/revoke`, { token: dana, body: { reason: 'enough' } });
    for (const error of [await running, await lost]) {
      expect(error).toMatchObject({
        code: '57P01',
        message:
          'access to guarded ended (revoked by dana@example.test: enough); ask with: hoop request guarded --duration 1h --reason TEXT',
      });
    }
    expect(performance.now() - revokedAt).toBeLessThan(5_000);
    // The tunnel stands; nothing new goes through it.
    const refused = await refusal(client(port, 'postgres'));
    expect(refused).toMatchObject({ code: '42501' });
    expect(refused.message).toContain('access to guarded needs an approved request');
    close();
    const [grant] = (await agent.call('/v1/grants?state=all', { token })).body as GrantView[];
    expect(await recorded((event) => event['type'] === 'session.end' && event['reason'] === 'revoked')).toHaveLength(2);
    const under = (event: Record<string, unknown>) => event['type'] === 'session.start' && event['grant'] === grant?.id;
    expect(await recorded(under)).toHaveLength(2);
  });

  it.each([
    ['a duration over what the flow gives', { connection: 'web', duration: '2h' }, 400],
    ['a duration that is none', { connection: 'web', duration: 'soon' }, 400],
    ['a connection that is not there', { connection: 'nothing' }, 403],
  ])('refuses to ask for %s', async (_what, body, status) => {
    expect((await agent.call('/v1/requests', { token: await agent.token(), body })).status).toBe(status);
  });

  it('answers that nothing has to be asked for where the connection is open', async () => {
    const answer = await agent.call('/v1/requests', { token: await agent.token(), body: { connection: 'postgres' } });
    expect(answer.body).toEqual({ connection: 'postgres', access: 'open' });
  });

  it('lets only the requester withdraw', async () => {
    const token = await agent.token({ subject: 'gil' });
    const asked = (await agent.call('/v1/requests', { token, body: { connection: 'web' } })).body as RequestView;
    expect((await decide(asked.id, 'withdraw')).status).toBe(404);
    const own = await agent.call(`/v1/requests/${asked.id}/withdraw`, { token, body: {} });
    expect(own).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  });

  const recorded = (wanted: (event: Record<string, unknown>) => boolean) =>
    until('the recording', () => {
      const found = recordedEvents(agent.recordings).filter(wanted);
      return found.length === 0 ? undefined : found;
    });
});
