import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPort, startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';

const POLICIES = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec: { mask: [{ name: pii, entities: [us-ssn, nl-bsn, email], strategy: redact }] }
`;

describe.skipIf(missingPostgres() !== undefined)('bare numbers in a column', () => {
  let agent: TestAgent;
  let client: pg.Client;
  const open: { close(): void }[] = [];
  beforeAll(async () => {
    agent = await startTestAgent({ policies: POLICIES });
    const port = await openPort(agent.agent.url, 'postgres', await agent.token());
    open.push(port);
    client = new pg.Client({ host: '127.0.0.1', port: port.port, user: 'ann', database: agent.database });
    await client.connect();
  }, 60_000);
  afterAll(async () => {
    await client.end();
    for (const one of open) one.close();
    await agent.close();
  });

  it('are masked where its name tells what they are, and nowhere else', async () => {
    const { rows } = await client.query(
      `SELECT '123456789' AS ssn, 123456789 AS "customerSsn", 123456782 AS customer_bsn, 123456789 AS id,
              '123456782' AS reference, 'of ann@example.com' AS bsn, '{"mail":"ann@example.com"}'::jsonb AS ssn_note`,
    );
    expect(rows).toEqual([
      {
        // Text is as it is written, whatever its column is called.
        ssn: '123456789',
        customerSsn: null,
        customer_bsn: null,
        id: 123456789,
        reference: '123456782',
        bsn: 'of [email]',
        ssn_note: { mail: '[email]' },
      },
    ]);
  });

  it('are masked in binary form too, as NULL where the type is a number', async () => {
    const { rows } = await client.query({
      text: `SELECT 123456789 AS ssn, 123456789::int8 AS "SSN", 123456789::numeric AS social_security, 123456789 AS id`,
      // Of a Bind message; pg reads integers of it by itself.
      binary: true,
    } as pg.QueryConfig);
    expect(rows).toEqual([{ ssn: null, SSN: null, social_security: null, id: 123456789 }]);
  });

  it('are masked in every one of many rows, and with values bound', async () => {
    const { rows } = await client.query(
      'SELECT 123450000 + n AS ssn, n FROM generate_series(1, $1::int) AS n',
      [3_000],
    );
    expect(new Set(rows.map(({ ssn }: { ssn: number | null }) => ssn))).toEqual(new Set([null]));
    expect(rows).toHaveLength(3_000);
  });
});
