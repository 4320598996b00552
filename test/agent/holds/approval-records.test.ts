import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { ApprovalRecords } from '../../../src/agent/holds/approval-records.js';
import type { RequestView } from '../../../src/core/approval.js';
import { HoopError } from '../../../src/core/errors.js';
import type { SessionSummary } from '../../../src/core/session-summary.js';
import { desk, heldStatement, person } from '../../approvals/desk.js';
import { openPort, startTestAgent, type TestAgent } from '../../support/agent.js';
import { missingPostgres, sharedPostgres } from '../../support/postgres-server.js';
import { recordedEvents } from '../../support/recorded-events.js';
import { until } from '../../support/until.js';

const SECRET = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';

const RESOURCES = (port: number, username: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: two }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: two }
spec: { reviewers: [{ groups: [dba], count: 2 }], wait: 60s, breakGlass: { groups: [oncall] } }
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: guarded, labels: { env: prod } }
spec:
  type: postgres
  address: 127.0.0.1:${String(port)}
  database: postgres
  tls: { mode: disable }
  credentials: [{ username: ${username}, password: { env: APP_PASSWORD } }]
  access: { groups: [engineering], approval: two, maxDuration: 45m }
`;

describe.skipIf(missingPostgres() !== undefined)('the record of approvals that no session records', () => {
  let agent: TestAgent;
  let [dana, bob, gil, audrey] = ['', '', '', ''];

  beforeAll(async () => {
    const postgres = await sharedPostgres();
    agent = await startTestAgent({ policies: RESOURCES(postgres.port, postgres.app.username) });
    [dana, bob, gil, audrey] = await Promise.all([
      agent.token({ subject: 'dana', groups: ['dba'] }),
      agent.token({ subject: 'bob', groups: ['dba'] }),
      agent.token({ subject: 'gil' }),
      agent.token({ subject: 'audrey', groups: ['auditors'] }),
    ]);
  });
  afterAll(() => agent.close());

  const sessionsOf = async (request: string, token: string): Promise<readonly SessionSummary[]> => {
    const { body } = await agent.call(`/v1/sessions?approval=${request}`, { token });
    return (body as { readonly items: readonly SessionSummary[] }).items;
  };
  const decide = (id: string, verdict: string, token: string, reason: string) =>
    agent.call(`/v1/requests/${id}/${verdict}`, { token, body: { reason } });
  /** What is recorded of a request, in order, without what the chain adds. */
  const stepsOf = (request: string) =>
    [...recordedEvents(agent.recordings)]
      .filter((event) => event['request'] === request)
      .sort((one, other) => (String(one['at']) < String(other['at']) ? -1 : 1))
      .map(
        ({ seq: _seq, at: _at, prev: _prev, hash: _hash, statement: _statement, request: _request, ...rest }) => rest,
      );

  it('has each step of a request for access, sealed at once, as the requester’s own', async () => {
    const body = { connection: 'guarded', duration: '30m', reason: `INC-9, token=${SECRET}` };
    const { id } = (await agent.call('/v1/requests', { token: gil, body })).body as RequestView;
    await decide(id, 'approve', dana, '');
    await decide(id, 'approve', bob, 'go');
    await agent.call(`/v1/grants/${id}/revoke`, { token: dana, body: { reason: 'done' } });
    const listed = await until('all four', async () => {
      const found = await sessionsOf(id, gil);
      return found.length === 4 && found.every(({ head }) => head !== '') && found;
    });
    expect(listed.map(({ title, connection, correlationId }) => [title, connection, correlationId]).reverse()).toEqual([
      ['access to guarded for 30m', 'guarded', id],
      ['approval of access to guarded for 30m', 'guarded', id],
      ['approved: access to guarded for 30m', 'guarded', id],
      ['grant revoked: access to guarded for 30m', 'guarded', id],
    ]);
    expect((await sessionsOf(id, audrey)).length, 'an auditor reads them too').toBe(4);
    expect(await sessionsOf(id, await agent.token({ subject: 'hal' }))).toEqual([]);
    const grant = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
    expect(stepsOf(id)).toEqual([
      { type: 'approval.requested', flow: 'two', durationMs: 1_800_000, reason: 'INC-9, token=[redacted]' },
      { type: 'approval.voted', by: 'dana@example.test' },
      { type: 'approval.resolved', outcome: 'approved', by: 'bob@example.test', reason: 'go' },
      { type: 'grant.given', grant, scope: 'connection', expiresAt: expect.stringMatching(/Z$/) as string },
      { type: 'grant.ended', grant, state: 'revoked', by: 'dana@example.test', reason: 'done' },
    ]);
  });

  it('has the votes of a held statement in its session, and the look at break-glass afterwards with that session', async () => {
    const { port } = await agent.port({ subject: 'gil' });
    const db = new Client({ host: '127.0.0.1', port, user: 'x', database: agent.database, ssl: false });
    await db.connect();
    const sent = db.query('UPDATE payments SET amount = 5 WHERE id = 1');
    const held = await until('the request', async () => {
      const { body } = await agent.call('/v1/requests', { token: dana });
      return (body as RequestView[]).find(({ state }) => state === 'pending');
    });
    await decide(held.id, 'approve', dana, '');
    await decide(held.id, 'approve', bob, '');
    await sent;
    await db.end();
    await until('its steps', () => stepsOf(held.id).length === 3);
    expect(stepsOf(held.id).map(({ type, by }) => [type, by])).toEqual([
      ['approval.requested', undefined],
      ['approval.voted', 'dana@example.test'],
      ['approval.resolved', 'bob@example.test'],
    ]);

    const olga = await agent.token({ subject: 'olga', groups: ['engineering', 'oncall'] });
    const opened = await openPort(agent.agent.url, 'postgres', olga, { reason: `site is down, token=${SECRET}` });
    const quick = new Client({ host: '127.0.0.1', port: opened.port, user: 'x', database: agent.database, ssl: false });
    await quick.connect();
    await quick.query('UPDATE payments SET amount = 6 WHERE id = 1');
    await quick.end();
    opened.close();
    const { body } = await agent.call('/v1/requests', { token: dana });
    const due = (body as RequestView[]).find(({ breakGlass }) => breakGlass === true);
    const id = due?.id ?? '';
    await decide(id, 'deny', dana, 'no incident');
    await until('the look', () => stepsOf(id).length === 3);
    expect(stepsOf(id)).toEqual([
      { type: 'approval.requested', flow: 'two', reason: 'site is down, token=[redacted]', breakGlass: true },
      {
        type: 'approval.resolved',
        outcome: 'approved',
        by: 'break-glass',
        reason: 'site is down, token=[redacted]',
      },
      {
        type: 'approval.reviewed',
        session: due?.session,
        verdict: 'objected',
        by: 'dana@example.test',
        reason: 'no incident',
      },
    ]);
  });
});

describe('a request for access that can not be recorded', () => {
  it('is withdrawn, at once or when its recording can not be sealed', async () => {
    for (const how of ['opened', 'sealed']) {
      const logged: string[] = [];
      const all = desk(undefined, (event) => records.notice({ kind: 'approval', ...event }));
      const records: ApprovalRecords = new ApprovalRecords({
        open: () => {
          if (how === 'opened') throw new HoopError('recording_failed', 'the disk is full');
          return {
            record: () => undefined,
            flush: () => undefined,
            seal: () => Promise.reject(new HoopError('recording_failed', 'the disk is full')),
          };
        },
        newId: () => '019abcde-0000-7000-8000-000000000001',
        labelsOf: () => ({}),
        grantsOf: () => [],
        withdraw: (id, why) => all.approvals.withdraw(id, why),
        withoutSecrets: (text) => text,
        log: (message) => logged.push(message),
      });
      const gil = person('gil', ['engineering']);
      const { outcome } = all.approvals.open(heldStatement(gil, { kind: 'access', durationMs: 60_000 }));
      expect(await outcome).toMatchObject({ state: 'cancelled', reason: 'the request can not be recorded' });
      await records.settled();
      expect(logged[0]).toContain('the disk is full');
    }
  });
});
