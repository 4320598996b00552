import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import postgresJs from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { openRawSession } from '../support/raw-postgres.js';
import { rawSession } from '../support/raw-session.js';
import { bind, describePortal, errorFields, execute, i32, parse, query, sync } from '../protocols/postgres/wire.js';
import { openClient, refusal } from '../support/pg-client.js';

const run = promisify(execFile);

const POLICIES = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: where-required, when: sql.unqualifiedWrite, action: block, message: Say which rows. }
    - { name: no-drop, when: '"drop" in sql.effects', action: block, message: Nothing is dropped here. }
    - { name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: dba-review }
    - { name: notes, when: 'sql.reads.exists(t, t.name == "payments")', action: warn, message: Payments are sensitive. }
  mask:
    - { name: pii, entities: [email, credit-card, us-ssn, phone], strategy: partial }
    - { name: secret, columns: ['public.customers.password'], strategy: redact }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: readers }
spec:
  match: { groups: [readers] }
  default: block
  rules: [{ name: reads, when: sql.kind == "select", action: allow }]
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba-review }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 2s }
`;

const types = (messages: readonly { type: string }[]): string => messages.map((message) => message.type).join('');

describe.skipIf(missingPostgres() !== undefined)('a Postgres session through the agent', () => {
  let agent: TestAgent;
  let port: number;
  let events: Record<string, unknown>[];

  beforeAll(async () => {
    agent = await startTestAgent({ policies: POLICIES });
    ({ port, events } = await agent.port());
  });

  afterAll(() => agent.close());

  const client = async (at = port): Promise<Client> => {
    return openClient({ port: at, user: 'ignored', database: agent.database });
  };

  it('opens without a password, as the credential of the caller, whatever user the client names', async () => {
    const one = await client();
    expect((await one.query('select current_user')).rows).toEqual([{ current_user: 'hoop_app' }]);
    await one.end();
    const other = await client((await agent.port({ subject: 'dana', groups: ['dba'] })).port);
    expect((await other.query('select current_user')).rows).toEqual([{ current_user: 'hoop_admin' }]);
    await other.end();
  });

  it('masks e-mail, card, SSN and phone in text results, the password column whole, and leaves the rest', async () => {
    const db = await client();
    const { rows } = await db.query(
      'select id, name, email, card, ssn, phone, password as p from customers order by id',
    );
    const text = JSON.stringify(rows);
    for (const secret of ['ann.lee', '4111 1111', '123-45', '415 555', 'hunter2', '5555555555554444', 's3cret'])
      expect(text).not.toContain(secret);
    expect(rows[0]).toMatchObject({ id: 1, name: 'Ann Lee' });
    expect(rows[0].email).toMatch(/@example\.com$/);
    await db.end();
  });

  it('masks the same in the extended protocol, in COPY text and CSV, in JSON, errors and notices', async () => {
    const db = await client();
    const shown: string[] = [];
    db.on('notice', (notice) => shown.push(String(notice.message)));
    shown.push(JSON.stringify((await db.query('select email, card from customers where id = $1', [1])).rows));
    shown.push(JSON.stringify((await db.query('select notes, to_jsonb(c.email) from customers c')).rows));
    shown.push((await refusal(db.query(`select 'ann.lee@example.com'::int`))).message);
    await db.end();
    const { stdout } = await run('psql', [
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-X',
      '-d',
      agent.database,
      '-c',
      'copy (select id, email, card from contacts) to stdout',
      '-c',
      'copy contacts to stdout csv header',
    ]);
    shown.push(stdout);
    expect(stdout).toContain('id,email,card,ssn');
    expect(shown.join('\n')).not.toMatch(/ann\.lee|4111 1111|5555555555554444|123-45-6789/);
  });

  it('masks the column of a COPY by its place, as the very first statement too', async () => {
    const copies = {
      'copy customers to stdout': /\t\[password\]\n/,
      'copy public.customers (id, password) to stdout csv': /^1,"?\[password\]"?\n/,
      "copy (select upper(password) from customers where id = 1) to stdout with (null 'none')": /^none\n$/,
    };
    for (const [text, shown] of Object.entries(copies)) {
      const session = await rawSession(port);
      session.send(query(text));
      const rows = (await session.until('Z')).filter((message) => message.type === 'd');
      const copied = Buffer.concat(rows.map((message) => message.body)).toString();
      expect(copied).toMatch(shown);
      expect(copied).not.toMatch(/hunter2|s3cret/i);
      session.end();
    }
  });

  it('refuses a DELETE without WHERE with 42501 and the policy name, runs nothing, and goes on', async () => {
    const db = await client();
    for (const work of [db.query('delete from customers'), db.query('delete from customers where $1::int = 1', [1])]) {
      const error = await refusal(work);
      expect(error.code).toBe('42501');
      expect(error.message).toBe('blocked by policy guard/where-required: Say which rows.');
    }
    expect((await db.query('select count(*)::int as n from customers')).rows).toEqual([{ n: 2 }]);
    expect(events.some((event) => event['event'] === 'blocked' && event['rule'] === 'guard/where-required')).toBe(true);
    await db.end();
  });

  it('fails the transaction in which it refuses, as after any error', async () => {
    const db = await client();
    await db.query('begin');
    await refusal(db.query('drop table payments'));
    expect((await refusal(db.query('select 1'))).code).toBe('25P02');
    await db.query('rollback');
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await db.end();
  });

  it('answers text that the grammar refuses with its own syntax error and position', async () => {
    const db = await client();
    const error = await refusal(db.query('selec 1'));
    expect([error.code, error.position]).toEqual(['42601', '1']);
    await db.end();
  });

  it('in one pipeline of five with a Sync each, the third is refused and the other four answer in order', async () => {
    const session = await rawSession(port);
    const one = (text: string): Buffer =>
      Buffer.concat([parse('', text), bind('', ''), describePortal(''), execute(''), sync()]);
    session.send(
      Buffer.concat([one('select 1'), one('select 2'), one('delete from customers'), one('select 4'), one('select 5')]),
    );
    const got = await session.until('Z', 5);
    expect(types(got)).toBe('12TDCZ12TDCZEZ12TDCZ12TDCZ');
    expect(errorFields(got.find((message) => message.type === 'E')?.body as Buffer)['C']).toBe('42501');
    session.send(query('select 6'));
    expect(types(await session.until('Z'))).toBe('TDCZ');
    session.end();
  });

  it('in one pipeline of five under one Sync, the refusal of the third skips the rest and rolls back, as Postgres does', async () => {
    const session = await rawSession(port);
    const one = (text: string): Buffer =>
      Buffer.concat([parse('', text), bind('', ''), describePortal(''), execute('')]);
    session.send(
      Buffer.concat([
        one('select 1'),
        one(`insert into customers (id, name) values (50, 'x')`),
        one('delete from customers'),
        one('select 4'),
        one('select 5'),
        sync(),
      ]),
    );
    expect(types(await session.until('Z'))).toBe('12TDC12nCEZ');
    session.send(query('select count(*) from customers where id = 50'));
    expect((await session.until('Z')).find((message) => message.type === 'D')?.body.toString()).toContain('0');
    session.end();
  });

  it('a name prepared twice is judged by what the server holds, not by the text that came last', async () => {
    const session = await rawSession(port);
    // The first text is parsed but never asked to run; the second is refused by the server as a duplicate.
    session.send(
      Buffer.concat([
        parse('s', 'update customers set name = name where id = $1'),
        sync(),
        parse('s', 'select $1::int'),
        sync(),
        bind('', 's', ['1']),
        execute(''),
        sync(),
      ]),
    );
    const got = await session.until('Z', 3);
    expect(types(got)).toBe('1ZEZ2CZ');
    const recorded = readRecordings(agent.recordings);
    expect(recorded).toContain('update customers set name');
    session.end();
  });

  it('holds a write to payments, tells the client how to have it approved, and runs it once approved', async () => {
    const db = await client();
    const notices: string[] = [];
    db.on('notice', (notice) => notices.push(String(notice.message)));
    const update = db.query('update payments set amount = $1 where id = 1', ['11.00']);
    const id = await requestId(events);
    const bearer = await agent.token({ subject: 'dana', groups: ['dba'] });
    expect(
      (await agent.call(`/v1/requests/${id}/approve`, { token: await agent.token(), body: { reason: 'mine' } })).status,
    ).toBe(403);
    expect((await agent.call(`/v1/requests/${id}/approve`, { token: bearer, body: { reason: 'fine' } })).status).toBe(
      200,
    );
    expect((await update).rowCount).toBe(1);
    expect(notices.join('\n')).toContain(`hoop approve ${id}`);
    expect((await db.query('select amount from payments where id = 1')).rows).toEqual([{ amount: '11.00' }]);
    await db.end();
  });

  it('a denied, an unanswered and a cancelled request each end in their own error, and nothing runs', async () => {
    const db = await client();
    const bearer = await agent.token({ subject: 'dana', groups: ['dba'] });
    const denied = refusal(db.query('update payments set amount = 0 where id = 2'));
    await agent.call(`/v1/requests/${await requestId(events)}/deny`, { token: bearer, body: { reason: 'not today' } });
    expect((await denied).message).toMatch(/^approval denied by .*: not today$/);
    const late = await refusal(db.query('update payments set amount = 0 where id = 2'));
    expect([late.code, late.message]).toEqual(['42501', expect.stringMatching(/^approval not given in time/)]);
    const before = events.length;
    const cancelled = refusal(db.query('update payments set amount = 0 where id = 2'));
    await requestId(events, before);
    await cancelOf(db, port);
    expect((await cancelled).code).toBe('57014');
    expect((await db.query('select amount from payments where id = 2')).rows).toEqual([{ amount: '99.00' }]);
    await db.end();
  });

  it('cancels a running statement by its own key, and a wrong key cancels nothing', async () => {
    const db = await client();
    const sleeping = refusal(db.query('select pg_sleep(20)'));
    const active = "select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(20)'";
    await expect.poll(() => agent.postgres.sql(active)).toHaveLength(1);
    await sendCancel(port, 12345, Buffer.alloc(4));
    await cancelOf(db, port);
    expect((await sleeping).code).toBe('57014');
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await db.end();
  });

  it('serves postgres.js with prepared statements, transactions, cursors and COPY', async () => {
    const sql = postgresJs({ host: '127.0.0.1', port, database: agent.database, username: 'x', max: 2, ssl: false });
    expect(await sql`select ${1}::int as one, ${'x'} as text`).toEqual([{ one: 1, text: 'x' }]);
    const rows: number[] = [];
    for await (const batch of sql`select generate_series(1, 10) as n`.cursor(3))
      rows.push(...batch.map((row) => row['n'] as number));
    expect(rows).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await sql.begin((tx) => tx`insert into customers (id, name) values (70, 'tx')`);
    const writable = await sql`copy customers (id, name) from stdin`.writable();
    await new Promise<void>((resolve, reject) => {
      writable.on('error', reject);
      writable.on('finish', () => {
        resolve();
      });
      writable.end('71\tcopied\n72\tcopied\n');
    });
    expect(await sql`delete from customers where id >= 70 returning id`).toHaveLength(3);
    await sql.end();
  });

  it('names a database that is not allowed, with 3D000', async () => {
    const other = new Client({ host: '127.0.0.1', port, user: 'x', database: 'template1', ssl: false });
    expect((await refusal(other.connect())).code).toBe('3D000');
  });

  it('writes passwords of role statements nowhere, nor the credential, nor an unmasked value', async () => {
    const db = await client((await agent.port({ subject: 'dana', groups: ['dba'] })).port);
    await refusal(db.query(`alter role nobody_here password 'topsecret-1'`));
    await db.query(`select 'planted@example.com' as mail, $1::text`, ['other.planted@example.com']);
    await db.end();
    const all = readRecordings(agent.recordings) + agent.logged.join('\n');
    for (const secret of [
      'topsecret-1',
      'planted@example.com',
      'ann.lee@example.com',
      'hunter2',
      agent.postgres.app.password,
      agent.postgres.admin.password,
    ])
      expect(all).not.toContain(secret);
  });

  it('opens without settings under a policy that allows reading alone, which judges each setting and statement', async () => {
    const readers = await agent.port({ groups: ['engineering', 'readers'] });
    const plain = await openRawSession(readers.port, { user: 'x' });
    const answer = await plain.exchange(Buffer.concat([query('select 1'), query('begin')]), 2);
    plain.end();
    expect(types(answer)).toBe('TDCZEZ');
    const refused = await openRawSession(readers.port, { user: 'x', application_name: 'y' });
    refused.end();
    expect(errorFields(refused.opening.at(-1)?.body ?? Buffer.alloc(0))).toMatchObject({
      C: '42501',
      M: 'blocked by policy readers/default: no rule of this policy allows it',
    });
  });
});

function readRecordings(dir: string): string {
  return readdirSync(dir, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('');
}

async function requestId(events: readonly Record<string, unknown>[], from = 0): Promise<string> {
  for (let tries = 0; tries < 500; tries += 1) {
    const resolved = new Set(
      events.filter((event) => event['event'] === 'approval.resolved').map((event) => event['request']),
    );
    const waiting = events
      .slice(from)
      .find((event) => event['event'] === 'approval.waiting' && !resolved.has(event['request']));
    if (waiting !== undefined) return String(waiting['request']);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('no request came');
}

async function sendCancel(port: number, pid: number, secret: Buffer): Promise<void> {
  // Its end is all that a cancel is answered with; on a busy machine it comes as a reset.
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.end(Buffer.concat([i32(12 + secret.length), i32(80877102), i32(pid), secret]));
  await new Promise((resolve) => socket.on('close', resolve).resume());
}

function cancelOf(client: Client, port: number): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  return sendCancel(port, processID, i32(secretKey));
}
