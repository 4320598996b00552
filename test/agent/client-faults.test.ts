import { connect, type Socket } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cstring, errorFields, i32, message, messagesIn, query } from '../protocols/postgres/wire.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { openClient, refusal } from '../support/pg-client.js';
import { guardPolicy } from '../support/guard-policy.js';

const POLICIES = guardPolicy(
  '1m',
  '{ name: where-required, when: sql.unqualifiedWrite, action: block, message: Say which rows. }',
);
const MIB = 1 << 20;

describe.skipIf(missingPostgres() !== undefined)('a client that fails, before the agent', () => {
  let agent: TestAgent;
  let port: number;
  let events: Record<string, unknown>[];
  let bystander: Client;

  beforeAll(async () => {
    agent = await startTestAgent({ policies: POLICIES });
    ({ port, events } = await agent.port());
    bystander = await client();
  });

  afterAll(async () => {
    // Whatever the clients did, the session beside them goes on.
    expect((await bystander.query('select count(*)::int as n from customers')).rows).toEqual([{ n: 2 }]);
    await bystander.end();
    await agent.close();
  });

  async function client(): Promise<Client> {
    return openClient({ port, database: agent.database });
  }

  const startup = (): Buffer => {
    const body = Buffer.concat([
      i32(196608),
      cstring('user'),
      cstring('x'),
      cstring('database'),
      cstring(agent.database),
      Buffer.from([0]),
    ]);
    return Buffer.concat([i32(body.length + 4), body]);
  };
  /** Backends of the test's database, but for the bystander's and the one asking. */
  const backends = async (): Promise<number> =>
    Number(
      (
        await agent.postgres.sql(`select count(*)::int as n from pg_stat_activity where datname = '${agent.database}'`)
      )[0]?.['n'],
    ) - 1;

  function raw(): { socket: Socket; ended: Promise<Buffer> } {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
    return {
      socket,
      ended: new Promise((resolve) =>
        socket.on('close', () => {
          resolve(Buffer.concat(chunks));
        }),
      ),
    };
  }

  const lastError = (bytes: Buffer): Record<string, string> =>
    errorFields(messagesIn(bytes).find(({ type }) => type === 'E')?.body ?? Buffer.alloc(0));

  it.each<[string, Buffer]>([
    ['a web browser', Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')],
    ['a TLS hello without asking for TLS', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0])],
    ['a start-up packet of 4 B', Buffer.concat([i32(4), i32(196608)])],
    ['a start-up packet of 2 GiB', Buffer.concat([i32(0x7fffffff), i32(196608)])],
    ['protocol 2', Buffer.concat([i32(9), i32(131072), Buffer.from([0])])],
    ['a start-up packet that is no list', Buffer.concat([i32(12), i32(196608), Buffer.from('user')])],
  ])('that opens with %s gets one FATAL error and the end', async (_what, bytes) => {
    const { socket, ended } = raw();
    socket.write(bytes);
    const answer = await ended;
    expect(messagesIn(answer).map(({ type }) => type)).toEqual(['E']);
    expect(lastError(answer)).toMatchObject({ S: 'FATAL', C: '08P01' });
  });

  it.each<[string, Buffer]>([
    ['random bytes', Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 7919 + 200) % 256))],
    ['a length of 0', Buffer.from([0x51, 0, 0, 0, 0])],
    ['a message of no known type', message('~', 'what')],
    ['a length of 4 GiB', Buffer.from([0x53, 0xff, 0xff, 0xff, 0xff])],
    ['a query without an end', message('Q', 'select 1')],
    ['a bind of nothing', message('B', '')],
    ['a bind of 65535 formats', message('B', Buffer.concat([cstring(''), cstring(''), Buffer.from([0xff, 0xff])]))],
    ['a parse without an end', message('P', 'name only')],
  ])('that says %s in an open session gets one FATAL error, and its backend is freed', async (_what, bytes) => {
    const { socket, ended } = raw();
    socket.write(startup());
    socket.write(bytes);
    const found = lastError(await ended);
    expect(found['S']).toBe('FATAL');
    expect(found['C']).toMatch(/^(08P01|54000)$/);
    await expect.poll(backends).toBe(0);
  });

  it('that sends a statement over 8 MiB is refused with 54000, in both protocols, runs nothing, and goes on', async () => {
    const db = await client();
    const comment = `/*${'x'.repeat(9 * MIB)}*/`;
    for (const values of [[], [1]]) {
      const error = await refusal(
        db.query(`${comment} delete from contacts where ${values.length === 0 ? 'true' : '$1 = 1'}`, values),
      );
      expect([error.severity, error.code, error.message]).toEqual([
        'ERROR',
        '54000',
        expect.stringMatching(/^hoop: message of 943\d+ B, limit is 8388608 B$/),
      ]);
      expect((await db.query('select count(*)::int as n from contacts')).rows).toEqual([{ n: 2 }]);
    }
    await db.query('begin');
    await refusal(db.query(`${comment} select 1`));
    expect((await refusal(db.query('select 1'))).code).toBe('25P02');
    await db.query('rollback');
    // Just below the limit it is read, and judged for what it is.
    expect((await refusal(db.query(`/*${'x'.repeat(7 * MIB)}*/ delete from contacts`))).message).toMatch(
      /^blocked by policy guard\/where-required/,
    );
    await db.end();
  });

  it('that binds a value over the limit is refused with 54000 and goes on', async () => {
    const db = await client();
    expect((await refusal(db.query('select length($1::text)', ['x'.repeat(9 * MIB)]))).code).toBe('54000');
    expect((await db.query('select length($1::text) as n', ['x'.repeat(MIB)])).rows).toEqual([{ n: MIB }]);
    await db.end();
  });

  it('that hangs up while its statement is held has the request cancelled, and nothing runs', async () => {
    const { socket, ended } = raw();
    socket.write(startup());
    socket.write(query('update payments set amount = 0'));
    const waiting = (): Record<string, unknown> | undefined =>
      events.find((event) => event['event'] === 'approval.waiting');
    // An unqualified write is blocked before anybody is asked; this one is held.
    socket.write(query('update payments set amount = 0 where id = 1'));
    await expect.poll(waiting).toBeDefined();
    socket.destroy();
    await ended;
    const id = String(waiting()?.['request']);
    await expect
      .poll(() =>
        events.some(
          (event) =>
            event['event'] === 'approval.resolved' && event['request'] === id && event['outcome'] === 'cancelled',
        ),
      )
      .toBe(true);
    const bearer = await agent.token({ subject: 'dana', groups: ['dba'] });
    expect((await agent.call(`/v1/requests/${id}/approve`, { token: bearer, body: { reason: 'late' } })).status).toBe(
      409,
    );
    await expect.poll(backends).toBe(0);
    expect(await agent.postgres.sql('select amount::text from payments where id = 1', agent.database)).toEqual([
      { amount: '10.50' },
    ]);
  });

  it('that hangs up in mid-result frees its backend', async () => {
    const { socket } = raw();
    socket.write(startup());
    socket.write(query(`select repeat('x', 1000) from generate_series(1, 2000000)`));
    await expect.poll(() => socket.bytesRead, { timeout: 10_000 }).toBeGreaterThan(MIB);
    socket.destroy();
    await expect.poll(backends, { timeout: 12_000, interval: 100 }).toBe(0);
  });

  const recordings = (): string[] =>
    readdirSync(agent.recordings, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ndjson'))
      .sort()
      .map((name) => readFileSync(join(agent.recordings, name), 'utf8'));

  it("leaves every session but the bystander's sealed", async () => {
    const open = (): number => recordings().filter((text) => !text.includes('"type":"seal"')).length;
    await expect.poll(open).toBe(1);
  });
});
