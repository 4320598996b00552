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
