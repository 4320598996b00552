import { createHmac } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SinkEvent } from '../../src/core/sink-event.js';
import { sinkEvent, startReceiver } from '../sinks/events.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';

const RESOURCES = (url: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: no-drop, when: 'sql.effects.exists(e, e == "drop")', action: block, message: Not here. }
    - { name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: dba-review }
  mask:
    - { name: pii, entities: [email], strategy: redact }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba-review }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 60s, notify: [hook] }
---
apiVersion: hoop/v1
kind: Sink
metadata: { name: hook }
spec: { type: webhook, url: "${url}", secret: { env: HOOK_KEY }, events: [decision.block, session.end] }
`;

describe.skipIf(missingPostgres() !== undefined)('sinks of a running agent', () => {
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let test: TestAgent;
  beforeAll(async () => {
    receiver = await startReceiver();
    test = await startTestAgent({ policies: RESOURCES(receiver.url), env: { HOOK_KEY: 'k' } });
  }, 60_000);
  afterAll(async () => {
    await test.close();
    await receiver.close();
  });

  const told = (type: string): SinkEvent[] =>
    receiver.received.map(({ body }) => JSON.parse(body) as SinkEvent).filter((event) => event.type === type);

  it('are told, signed and masked, of what was blocked, what waits and how it ended', async () => {
    const { port } = await test.port();
    const client = new Client({ host: '127.0.0.1', port, user: 'x', database: test.database, ssl: false });
    await client.connect();
    await expect(client.query("DROP TABLE customers -- for ann.lee@example.com, password='hunter2'")).rejects.toThrow();
    const [blocked] = await until('the block', () => told('decision.block').length > 0 && told('decision.block'));
    expect(blocked).toMatchObject({
      class_uid: 6005,
      type_uid: 600504,
      action: 'Denied',
      firewall_rule: { uid: 'guard/no-drop', desc: 'Not here.' },
      dst_endpoint: { name: 'postgres' },
    });
    expect(blocked?.query_info?.query_string).toMatch(/^DROP TABLE customers/);

    const held = client.query('DELETE FROM payments');
    held.catch(() => undefined);
    const [asked] = await until(
      'the request',
      () => told('approval.requested').length > 0 && told('approval.requested'),
    );
    const id = String(asked?.unmapped['request']);
    const reviewer = await test.token({ subject: 'dba-1', groups: ['dba'] });
    const reason = 'no; use token=ghp_0123456789abcdefghijABCDEFGHIJ012345';
    await test.call(`/v1/requests/${id}/deny`, { token: reviewer, body: { reason } });
    await expect(held).rejects.toThrow(/denied/);
    // Nor does the store keep what somebody typed for others to read.
    expect(JSON.stringify(await test.call(`/v1/requests/${id}`, { token: reviewer }))).not.toContain('ghp_0123');
    const [resolved] = await until('its end', () => told('approval.resolved').length > 0 && told('approval.resolved'));
    expect(resolved).toMatchObject({
      action: 'Denied',
      status: 'denied',
      unmapped: { request: id, outcome: 'denied' },
    });
    await client.end();
    await until('the end of the session', () => told('session.end').length > 0);

    const all = receiver.received.map(({ body }) => body).join('');
    expect(all).not.toMatch(/ann\.lee|hunter2|ghp_0123/);
    for (const { headers, body } of receiver.received) {
      const signed = `${String(headers['x-hoop-timestamp'])}.${body}`;
      expect(headers['x-hoop-signature']).toBe(`v1=${createHmac('sha256', 'k').update(signed).digest('hex')}`);
    }
    const figures = await (await fetch(`${test.agent.url}/metrics`)).text();
    expect(figures).toContain('hoop_statements_total{connection="postgres",action="block"} 1');
    expect(figures).toContain('hoop_rules_met_total{connection="postgres",rule="guard/no-drop",action="block"} 1');
    expect(figures).toContain('hoop_holds_total{outcome="denied"} 1');
    expect(figures).toMatch(/^hoop_holds_waiting 0$/m);
    expect(figures).toMatch(/hoop_sink_delivered_total\{sink="hook"\} [4-9]/);
    expect(figures).not.toMatch(/ann\.lee|hunter2|DROP TABLE/);
    expect(Object.keys(sinkEvent('x')).filter((key) => !(key in (blocked ?? {})))).toEqual([]);
  });
});
