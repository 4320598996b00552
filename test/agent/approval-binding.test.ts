import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '../../src/core/approval.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { recordedEvents } from '../support/recorded-events.js';
import { until } from '../support/until.js';
import { openClient, refusal } from '../support/pg-client.js';

const RESOURCES = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: payments, when: '"update" in sql.effects && sql.writes.exists(t, t.name == "payments")', action: approve, approval: dba-review }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba-review }
spec: { reviewers: [{ groups: [dba] }], wait: 60s, maxDuration: 1h }
`;

const FREEZE = `
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: freeze }
spec:
  rules:
    - { name: incident, when: 'sql.writes.exists(t, t.name == "payments")', action: block, message: frozen }
`;

describe.skipIf(missingPostgres() !== undefined)('what an approval covers', () => {
  let agent: TestAgent;
  let dana: string;
  const opened: Client[] = [];

  beforeAll(async () => {
    agent = await startTestAgent({ policies: RESOURCES });
    dana = await agent.token({ subject: 'dana', groups: ['dba'] });
    await sql(`grant create on schema public to hoop_app; create schema evil; grant all on schema evil to hoop_app;
      create table evil.payments (id int, amount numeric); grant all on evil.payments to hoop_app;
      create table toggle (v int); insert into toggle values (1)`);
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.end().catch(() => undefined);
  });

  afterAll(() => agent.close());

  const sql = (text: string) => agent.postgres.sql(text, agent.database);

  const client = async (): Promise<Client> => {
    const { port } = await agent.port();
    const one = await openClient({ port, database: agent.database });
    opened.push(one);
    return one;
  };

  const pending = (marker: string): Promise<RequestView> =>
    until(marker, async () => {
      const { body } = await agent.call('/v1/requests', { token: dana });
      return (body as RequestView[]).find(({ state, text }) => state === 'pending' && text.includes(marker));
    });

  const decide = (id: string, verdict: string, body: object = {}) =>
    agent.call(`/v1/requests/${id}/${verdict}`, { token: dana, body });

  /** Approves it for a time, as a reviewer would who saw that it hits a table of no interest. */
  const approved = async (db: Client, text: string, marker: string): Promise<void> => {
    const held = db.query(text);
    await decide((await pending(marker)).id, 'approve', { duration: '30m' });
    await held;
  };

  /** Asked anew: nothing covers it. */
  const asksAgain = async (db: Client, text: string, marker: string): Promise<void> => {
    const again = refusal(db.query(text));
    const request = await Promise.race([pending(marker), again.then((error) => Promise.reject(error))]);
    await decide(request.id, 'deny');
    expect((await again).code).toBe('42501');
  };

  it('does not hold after the end of a transaction that took back what its names stood for', async () => {
    const db = await client();
    await db.query('begin');
    await db.query('set local search_path = evil, public');
    await approved(db, 'update payments set amount = 31', 'amount = 31');
    await db.query('commit');
    await asksAgain(db, 'update payments set amount = 31', 'amount = 31');
  });

  it('does not hold in a session in which the same change of state failed', async () => {
    const change = 'create temp table payments as select 1 as id, 1 / v as amount from toggle';
    const one = await client();
    await one.query(change);
    await approved(one, 'update payments set amount = 32', 'amount = 32');
    await sql('update toggle set v = 0');
    const two = await client();
    await refusal(two.query(change));
    await asksAgain(two, 'update payments set amount = 32', 'amount = 32');
    await sql('update toggle set v = 1');
  });

  it('does not hold while it is not known whether the change of state before it failed', async () => {
    const change = 'create temp table payments as select 1 as id, 1 / v as amount from toggle';
    const one = await client();
    await one.query(change);
    await approved(one, 'update payments set amount = 33', 'amount = 33');
    await sql('update toggle set v = 0');
    const two = await client();
    // The library sends one after another; what goes through a stream of its own need not wait.
    const wire = (two as unknown as { connection: { query(text: string): void } }).connection;
    const first = refusal(two.query(change));
    wire.query('update payments set amount = 33');
    const request = await Promise.race([
      pending('amount = 33'),
      until('the update', async () => (await sql('select 1 from payments where amount = 33')).length > 0),
    ]);
    expect(request).toMatchObject({ state: 'pending' });
    await decide((request as RequestView).id, 'deny');
    await first;
    await sql('update toggle set v = 1');
  });

  it('does not hold after further changes of a session with very many of them', async () => {
    const db = await client();
    for (let count = 0; count < 70; count += 1) await db.query(`set application_name = 'a${String(count)}'`);
    await db.query('set search_path = evil, public');
    await approved(db, 'update payments set amount = 34', 'amount = 34');
    await db.query('set search_path = public');
    await asksAgain(db, 'update payments set amount = 34', 'amount = 34');
  });

  it('does not hold once a function that it calls has another body', async () => {
    await sql(`create function pay() returns void language sql as 'update payments set amount = 35 where id = 1';
      alter function pay() owner to hoop_app`);
    const [db, other] = [await client(), await client()];
    await other.query('create table paid (id int)');
    await approved(db, 'select pay()', 'select pay()');
    await db.query('select pay()');
    await sql(
      `create or replace function pay() returns void language sql as 'update payments set amount = 36 where id < 9'`,
    );
    // As any DDL, it tells the agent to read the catalogue anew.
    await other.query('create table pay_log (id int)');
    await asksAgain(db, 'select pay()', 'select pay()');
  });

  it('is of no use where what the statement does has changed while it waited', async () => {
    await sql(`create function pay2() returns void language sql as 'update payments set amount = 37 where id = 1';
      alter function pay2() owner to hoop_app`);
    const [db, other] = [await client(), await client()];
    await other.query('create table paid2 (id int)');
    const held = refusal(db.query('select pay2()'));
    const request = await pending('select pay2()');
    await sql(
      `create or replace function pay2() returns void language sql as 'update payments set amount = 38 where id < 9'`,
    );
    await other.query('create table pay_log2 (id int)');
    expect((await decide(request.id, 'approve')).status).toBe(200);
    expect((await held).message).toContain('changed while it waited');
    expect(await sql('select count(*)::int as n from payments where amount = 38')).toEqual([{ n: 0 }]);
  });

  it('is masked by the policy that holds when the rows come', async () => {
    const file = join(agent.dir, 'conf', 'policies.yaml');
    const before = await readFile(file, 'utf8');
    const db = await client();
    const text =
      'with paid as (update payments set amount = 40 where id = 1 returning id) select name as n from customers, paid where paid.id = customers.id';
    const held = db.query(text);
    const request = await pending('amount = 40');
    await writeFile(
      file,
      `${before}---
apiVersion: hoop/v1
kind: Policy
metadata: { name: names }
spec: { mask: [{ name: names, columns: ['customers.name'], strategy: redact }] }
`,
    );
    expect(await agent.agent.reload()).toBe(true);
    await decide(request.id, 'approve');
    expect((await held).rows).toEqual([{ n: '[n]' }]);
    await writeFile(file, before);
    expect(await agent.agent.reload()).toBe(true);
  });

  it('is of no use where policy has come to block the statement while it waited', async () => {
    const db = await client();
    const held = refusal(db.query('update payments set amount = 39'));
    const request = await pending('amount = 39');
    const file = join(agent.dir, 'conf', 'policies.yaml');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before + FREEZE);
    expect(await agent.agent.reload()).toBe(true);
    await decide(request.id, 'approve');
    expect((await held).message).toBe('blocked by policy freeze/incident: frozen');
    await writeFile(file, before);
    expect(await agent.agent.reload()).toBe(true);
    expect(await sql('select count(*)::int as n from payments where amount = 39')).toEqual([{ n: 0 }]);
    const told = recordedEvents(agent.recordings).filter(
      (event) =>
        event['type'] === 'decision' && event['action'] === 'block' && String(event['rules']).includes('freeze'),
    );
    expect(told).toHaveLength(1);
  });
});
