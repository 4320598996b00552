import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { rawSession } from '../support/raw-session.js';
import { bind, errorFields, execute, parse, query, sync } from '../protocols/postgres/wire.js';

const POLICIES = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: where-required, when: sql.unqualifiedWrite, action: block, message: Say which rows. }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  inference: block
  mask:
    - { name: secrets, columns: ['*.ssn'], strategy: redact }
`;

/** Over 64 KiB: read in another thread. */
const PADDING = `/* ${'x'.repeat(100_000)} */`;

const types = (messages: readonly { type: string }[]): string => messages.map((message) => message.type).join('');

describe.skipIf(missingPostgres() !== undefined)('statements over 64 KiB through the agent', () => {
  let agent: TestAgent;
  let port: number;

  beforeAll(async () => {
    agent = await startTestAgent({ policies: POLICIES });
    ({ port } = await agent.port());
  });

  afterAll(() => agent.close());

  const client = async (): Promise<Client> => {
    const opened = new Client({ host: '127.0.0.1', port, user: 'x', database: agent.database, ssl: false });
    await opened.connect();
    return opened;
  };

  it('run, return what they return, and the next one runs after them', async () => {
    const db = await client();
    const values = Array.from({ length: 20_000 }, (_, at) => `(${String(at)})`).join(',');
    expect((await db.query(`select count(*)::int as n from (values ${values}) as v`)).rows).toEqual([{ n: 20_000 }]);
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await db.end();
  });

  it('are blocked by what stands at their end, and the session goes on', async () => {
    const db = await client();
    await expect(db.query(`${PADDING} delete from customers`)).rejects.toMatchObject({ code: '42501' });
    await expect(db.query({ text: `${PADDING} delete from customers`, name: 'p' })).rejects.toMatchObject({
      code: '42501',
    });
    expect((await db.query('select count(*)::int > 0 as kept from customers')).rows).toEqual([{ kept: true }]);
    await db.end();
  });

  it('are followed as small ones are: masked columns stay masked, and may not be compared', async () => {
    const db = await client();
    const ids = Array.from({ length: 300_000 }, (_, at) => String(at)).join(',');
    const { rows } = await db.query(`select ssn || '' as s, name from customers where id in (${ids}) order by id`);
    expect(rows).toEqual([
      { s: expect.not.stringContaining('123-45'), name: 'Ann Lee' },
      { s: expect.not.stringContaining('321-54'), name: 'Bo Diaz' },
    ]);
    const guess = `select id from customers where ssn like '1%' and id in (${ids})`;
    await expect(db.query(guess)).rejects.toMatchObject({ message: expect.stringContaining('pii/secrets') });
    await expect(db.query({ text: guess, name: 'guess' })).rejects.toMatchObject({ code: '42501' });
    const values = Array.from({ length: 60_000 }, (_, at) => `(${String(at + 10)}, 'n${String(at)}')`).join(',');
    const inserted = await db.query(`insert into contacts (id, email) values ${values} returning id, ssn`);
    expect([inserted.rows.length, inserted.rows[0]]).toEqual([60_000, { id: 10, ssn: null }]);
    await db.end();
  });

  it('that repeat nothing, and so are too large to be followed, are refused where columns are masked', async () => {
    const db = await client();
    const columns = Array.from(
      { length: 1_600 },
      (_, at) => `id + ${Array.from({ length: 20 }, () => at).join(' + ')}`,
    );
    const unions = Array.from({ length: 3 }, () => `select ${columns.join(',')} from customers`);
    await expect(db.query(unions.join(' union all '))).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining('too large to follow'),
    });
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await db.end();
  });

  it('keep the order of a pipeline in which the second of three is refused: nothing after it runs before Sync', async () => {
    const session = await rawSession(port);
    const ask = (text: string): Buffer[] => [parse('', text), bind('', ''), execute('')];
    session.send(
      Buffer.concat([
        ...ask(`${PADDING} select 1`),
        ...ask(`${PADDING} update customers set name = 'x'`),
        ...ask('select 3'),
        sync(),
        query(`select 4 ${PADDING}`),
      ]),
    );
    const messages = await session.until('Z', 2);
    expect(types(messages)).toBe('12DCEZTDCZ');
    expect(errorFields(messages.find(({ type }) => type === 'E')!.body)['C']).toBe('42501');
    session.end();
  });
});
