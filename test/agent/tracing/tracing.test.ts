import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTraceparent } from '../../../src/core/trace-context.js';
import { openPort, startTestAgent, type TestAgent } from '../../support/agent.js';
import { startHttpUpstream, type HttpUpstream } from '../../support/http-upstream.js';
import { missingPostgres } from '../../support/postgres-server.js';
import { startReceiver } from '../../sinks/events.js';
import { until } from '../../support/until.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const PORT_KEY = 'sk-hoop-only-for-this-port';

const POLICIES = (url: string): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: api }
spec: { type: http, url: "${url}", access: { groups: [engineering] } }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: no-drop, when: '"drop" in sql.effects', action: block }
    - { name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: dba }
    - { name: no-delete, when: 'http.method == "DELETE"', action: block }
  mask:
    - { name: pii, entities: [email], strategy: redact }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 60s }
`;

interface Seen {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status?: { readonly code: number };
}

const said = (span: Seen | undefined, key: string): unknown =>
  Object.values(span?.attributes.find((one) => one.key === key)?.value ?? {})[0];

describe.skipIf(missingPostgres() !== undefined)('an agent that traces', () => {
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let upstream: HttpUpstream;
  let test: TestAgent;
  const open: { close(): void }[] = [];

  beforeAll(async () => {
    receiver = await startReceiver();
    upstream = await startHttpUpstream((_seen, response) => {
      response.setHeader('content-type', 'application/json').end('{"mail":"ann.lee@example.com"}');
    });
    test = await startTestAgent({
      policies: POLICIES(upstream.url),
      // Of what comes without a trace, nothing.
      agentSpec: `tracing: { url: "${receiver.url}", ratio: 0, headers: { x-key: { env: OTLP_KEY } } }`,
      env: { OTLP_KEY: 'collector-key' },
    });
  }, 60_000);
  afterAll(async () => {
    for (const one of open) one.close();
    await test.close();
    upstream.close();
    await receiver.close();
  });

  const spans = (): Seen[] =>
    receiver.received.flatMap(
      ({ body }) =>
        (JSON.parse(body) as { resourceSpans: [{ scopeSpans: [{ spans: Seen[] }] }] }).resourceSpans[0].scopeSpans[0]
          .spans,
    );
  const parts = (root: Seen): Seen[] => spans().filter(({ parentSpanId }) => parentSpanId === root.spanId);
  /** Waits for the span of one statement or request, which is told when it is over. */
  const root = (name: string, key: string, value: unknown): Promise<Seen> =>
    until(`${name} with ${key} ${String(value)}`, () =>
      spans().find((span) => span.name === name && said(span, key) === value),
    );

  async function connected(trace?: string): Promise<Client> {
    const context = parseTraceparent(trace);
    const more = context === undefined ? {} : { trace: context };
    const opened = await openPort(test.agent.url, 'postgres', await test.token(), more);
    open.push(opened);
    const client = new Client({ host: '127.0.0.1', port: opened.port, user: 'x', database: test.database, ssl: false });
    await client.connect();
    return client;
  }

  it('tells of a statement how it was let in, decided, answered and masked, within the trace of TRACEPARENT', async () => {
    const client = await connected(PARENT);
    await client.query("SELECT email FROM customers WHERE name <> 'planted-name'");
    await client.query('SELECT 1 / 0').catch(() => undefined);
    await client.query('DROP TABLE customers').catch(() => undefined);
    await client.end();
    const refused = await root('hoop.statement', 'hoop.action', 'block');
    expect(said(refused, 'hoop.rules')).toEqual({ values: [{ stringValue: 'guard/no-drop' }] });
    expect(parts(refused).map(({ name }) => name)).toEqual(['hoop.decide']);

    const statement = (nth: number): Seen | undefined =>
      spans().find((span) => span.name === 'hoop.statement' && Number(said(span, 'hoop.statement')) === nth);
    const failed = spans().find((span) => span.name === 'hoop.upstream' && said(span, 'error.type') === '22012');
    expect(failed?.status?.code).toBe(2);
    const nth = Number(said(refused, 'hoop.statement'));
    const asked = statement(nth - 2);
    expect(asked?.parentSpanId).toBe('b7ad6b7169203331');
    expect(asked && parts(asked).map(({ name }) => name)).toEqual(['hoop.decide', 'hoop.upstream', 'hoop.mask']);
    const [, answered, masked] = asked ? parts(asked) : [];
    expect(said(answered, 'hoop.rows')).toBe('2');
    expect(said(masked, 'hoop.masked.email')).toBe('2');
    for (const { startTimeUnixNano, endTimeUnixNano } of spans())
      expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true);

    expect(new Set(spans().map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect(spans().filter(({ name }) => name === 'hoop.tunnel' || name === 'hoop.accept')).toHaveLength(2);
    const all = receiver.received.map(({ body }) => body).join('');
    for (const secret of ['planted-name', 'ann.lee', 'SELECT', 'ann@example.test', 'collector-key'])
      expect(all).not.toContain(secret);
    expect(receiver.received.every(({ headers }) => headers['x-key'] === 'collector-key')).toBe(true);
  });

  it('tells how long a statement was held, and who is not told', async () => {
    const client = await connected(PARENT);
    const held = client.query('UPDATE payments SET amount = 1 WHERE id = 1');
    held.catch(() => undefined);
    const reviewer = await test.token({ subject: 'dba-1', groups: ['dba'] });
    const id = await until('the request', async () => {
      const { body } = await test.call('/v1/requests?state=pending', { token: reviewer });
      return (body as { id: string }[])[0]?.id;
    });
    await test.call(`/v1/requests/${id}/approve`, { token: reviewer, body: { reason: 'planted-reason' } });
    await held;
    await client.end();
    const update = await root('hoop.statement', 'hoop.action', 'approve');
    expect(parts(update).map(({ name }) => name)).toEqual(['hoop.decide', 'hoop.hold', 'hoop.upstream', 'hoop.mask']);
    const hold = parts(update)[1];
    expect([said(hold, 'hoop.outcome'), said(hold, 'hoop.request')]).toEqual(['approved', id]);
    const all = receiver.received.map(({ body }) => body).join('');
    expect(all).not.toMatch(/planted-reason|dba-1/);
  });

  it('carries the context on to the upstream of a request, below the span that waits for it', async () => {
    const bearer = await test.token();
    const ask = (headers: Record<string, string>, method = 'GET'): Promise<Response> =>
      fetch(`${test.agent.url}/c/api/customers/planted-path`, {
        method,
        headers: { authorization: `Bearer ${bearer}`, ...headers },
      });
    const trace = 'b'.repeat(32);
    const answer = await ask({ traceparent: `00-${trace}-${'c'.repeat(16)}-01`, tracestate: 'vendor=1' });
    expect(await answer.text()).toBe('{"mail":"[email]"}');
    const request = await until('the request', () =>
      spans().find((span) => span.name === 'hoop.request' && span.traceId === trace),
    );
    const below = parts(request);
    expect(below.map(({ name }) => name)).toEqual(['hoop.accept', 'hoop.decide', 'hoop.upstream', 'hoop.mask']);
    expect([request.parentSpanId, said(request, 'http.response.status_code')]).toEqual(['c'.repeat(16), '200']);
    const { traceparent, tracestate } = upstream.seen.at(-1)?.headers ?? {};
    expect([traceparent, tracestate]).toEqual([`00-${trace}-${below[2]?.spanId ?? ''}-01`, 'vendor=1']);

    await ask({ traceparent: `00-${'d'.repeat(32)}-${'c'.repeat(16)}-01` }, 'DELETE');
    const blocked = await until('the block', () =>
      spans().find((span) => span.traceId === 'd'.repeat(32) && span.name === 'hoop.request'),
    );
    expect(parts(blocked).map(({ name }) => name)).toEqual(['hoop.accept', 'hoop.decide']);
    expect(receiver.received.map(({ body }) => body).join('')).not.toContain('planted-path');

    const unsampled = `00-${'e'.repeat(32)}-${'c'.repeat(16)}-00`;
    await ask({ traceparent: unsampled });
    expect(upstream.seen.at(-1)?.headers['traceparent']).toBe(unsampled);
    await ask({});
    expect(upstream.seen.at(-1)?.headers['traceparent']).toBeUndefined();
  });

  it('takes the context of the tunnel for requests that bring none', async () => {
    const trace = parseTraceparent(`00-${'f'.repeat(32)}-${'c'.repeat(16)}-01`);
    const portKeyHash = createHash('sha256').update(PORT_KEY).digest('hex');
    const more = { portKeyHash, ...(trace === undefined ? {} : { trace }) };
    const opened = await openPort(test.agent.url, 'api', await test.token(), more);
    open.push(opened);
    const { port } = opened;
    const answer = await fetch(`http://127.0.0.1:${String(port)}/x`, {
      headers: { authorization: `Bearer ${PORT_KEY}` },
    });
    expect(answer.status).toBe(200);
    expect(upstream.seen.at(-1)?.headers['traceparent']).toMatch(new RegExp(`^00-${'f'.repeat(32)}-[0-9a-f]{16}-01$`));
  });

  it('traces nothing of what comes without a trace where the ratio is 0, and counts what it exported', async () => {
    const client = await connected();
    await client.query('SELECT 7');
    await client.end();
    await test.call('/v1/whoami', { token: await test.token() });
    const names = new Set(spans().map(({ traceId }) => traceId));
    expect([...names].every((id) => id === TRACE || /^(.)\1{31}$/.test(id))).toBe(true);
    const { body } = await test.call('/metrics', { token: await test.token() });
    expect(String(body)).toMatch(/hoop_trace_spans_total\{outcome="exported"\} [1-9]/);
    expect(String(body)).toMatch(/hoop_trace_spans_total\{outcome="dropped"\} 0/);
  });
});
