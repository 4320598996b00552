import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { startReceiver } from '../sinks/events.js';
import { until } from '../support/until.js';

const POLICIES = (url: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: no-drop, when: '"drop" in sql.effects', action: block }
    - { name: told, when: 'sql.reads.exists(t, t.name == "customers")', action: warn }
    - { name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: dba }
  mask: [{ name: pii, entities: [email], strategy: redact }]
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 60s }
---
apiVersion: hoop/v1
kind: Sink
metadata: { name: hook }
spec: { type: webhook, url: "${url}", secret: { env: HOOK_KEY }, events: [session.end] }
`;

describe.skipIf(missingPostgres() !== undefined)('/metrics of an agent at work', () => {
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let test: TestAgent;
  beforeAll(async () => {
    receiver = await startReceiver();
    test = await startTestAgent({
      policies: POLICIES(receiver.url),
      agentSpec: `tracing: { url: "${receiver.url}", ratio: 0 }`,
      env: { HOOK_KEY: 'k' },
    });
  }, 60_000);
  afterAll(async () => {
    await test.close();
    await receiver.close();
  });

  const scrape = async (): Promise<string> => (await fetch(`${test.agent.url}/metrics`)).text();
  /** The value of a series, as it stands in the text; undefined where there is none. */
  const value = (text: string, series: string): number | undefined => {
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };

  it('tells of statements and rules by connection, of masks, holds, tunnels and the recorder', async () => {
    const { port, tunnel } = await test.port();
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'ann', database: test.database });
    await client.connect();
    await client.query('SELECT email FROM customers');
    await client.query('SELECT 1 / (id - 1) FROM customers').catch(() => undefined);
    await client.query('DROP TABLE customers').catch(() => undefined);
    const held = client.query('UPDATE payments SET amount = 2 WHERE id = 1');
    const waiting = await until('the hold', async () => {
      const text = await scrape();
      return value(text, 'hoop_holds_waiting') === 1 && text;
    });
    const seenMs = performance.now();
    expect(value(waiting, 'hoop_tunnel_streams_held')).toBe(0);
    expect(value(waiting, 'hoop_approval_requests_pending')).toBe(1);
    const reviewer = await test.token({ subject: 'dba-1', groups: ['dba'] });
    const { body } = await test.call('/v1/requests?state=pending', { token: reviewer });
    const waitedMs = performance.now() - seenMs;
    await test.call(`/v1/requests/${(body as { id: string }[])[0]?.id ?? ''}/approve`, { token: reviewer, body: {} });
    await held;

    const live = await until('all that is counted', async () => {
      const text = await scrape();
      return value(text, 'hoop_statement_seconds_count{connection="postgres"}') === 3 && text;
    });
    const counted: Readonly<Record<string, number>> = {
      'hoop_statements_total{connection="postgres",action="warn"}': 2,
      'hoop_statements_total{connection="postgres",action="block"}': 1,
      'hoop_statements_total{connection="postgres",action="approve"}': 1,
      'hoop_statement_errors_total{connection="postgres"}': 1,
      'hoop_rules_met_total{connection="postgres",rule="guard/told",action="warn"}': 2,
      'hoop_rules_met_total{connection="postgres",rule="guard/no-drop",action="block"}': 1,
      'hoop_rule_errors_total{connection="postgres",rule="guard/told"}': 1,
      'hoop_rule_seconds_count{connection="postgres",rule="guard/told"}': 2,
      'hoop_rule_seconds_count{connection="postgres",rule="guard/payments"}': 1,
      'hoop_masked_values_total{mask="email"}': 2,
      hoop_holds_waiting: 0,
      'hoop_holds_total{outcome="approved"}': 1,
      'hoop_hold_seconds_count{connection="postgres"}': 1,
      hoop_sessions_live: 1,
      hoop_tunnels_open: 1,
      hoop_tunnel_streams_open: 1,
      hoop_recorder_faults_total: 0,
    };
    for (const [series, wanted] of Object.entries(counted))
      expect([series, value(live, series)]).toEqual([series, wanted]);
    const [heldFor, ran] = [
      'hoop_hold_seconds_sum{connection="postgres"}',
      'hoop_rule_seconds_sum{connection="postgres",rule="guard/payments"}',
    ];
    // What people take is not what the server takes: it was held while the test looked for the request.
    expect(value(live, heldFor)).toBeGreaterThan(waitedMs / 1000);
    expect(value(live, ran)).toBeLessThan(value(live, heldFor) ?? 0);
    expect(value(live, 'hoop_tunnel_bytes_total{direction="in"}')).toBeGreaterThan(300);
    expect(value(live, 'hoop_tunnel_bytes_total{direction="out"}')).toBeGreaterThan(300);

    await client.end();
    tunnel.close();
    const ended = await until('the end', async () => {
      const text = await scrape();
      return value(text, 'hoop_tunnels_open') === 0 && value(text, 'hoop_recorder_events_unwritten') === 0 && text;
    });
    expect(value(ended, 'hoop_tunnel_streams_open')).toBe(0);
    expect(value(ended, 'hoop_tunnels_ended_total{how="closed"}')).toBe(1);
    expect(value(ended, 'hoop_recorder_lag_seconds')).toBe(0);
    for (const secret of ['ann', 'example.com', 'customers', 'dba-1'])
      expect(ended).not.toMatch(new RegExp(`"[^"]*${secret}`));
  });

  it('has exactly the figures that docs/operations.md lists', async () => {
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const listed = [
      ...new Set(
        [...page.matchAll(/^\| (`hoop_[^|]*) \|(?! with `recordings\.upload`)/gm)].flatMap(([, cell = '']) =>
          [...cell.matchAll(/`(hoop_\w+)`/g)].map(([, name = '']) => name),
        ),
      ),
    ];
    const told = [...(await scrape()).matchAll(/^# TYPE (hoop_\w+)/gm)].map(([, name = '']) => name);
    expect(told.sort()).toEqual(listed.sort());
  });
});
