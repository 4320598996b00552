import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';

const missing = missingPostgres();

const guard = (rule: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules: [${rule}]
`;
const TEXT_ONLY = guard('{ name: where, when: sql.unqualifiedWrite, action: block }');
const MASKS_CARDS = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: cards }
spec:
  mask: [{ name: cards, entities: [credit-card], strategy: redact }]
`;
const READS_PARAMS = guard(
  '{ name: no-seven, when: "size(sql.params) == 1 && sql.params[0] == \'7\'", action: block, message: Not seven. }',
);

describe.skipIf(missing !== undefined)(
  `large bound values${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const big = Buffer.alloc(20 << 20, 0xa5);

    async function query(agent: TestAgent, text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
      const { port } = await agent.port();
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'ann', database: agent.database });
      await client.connect();
      try {
        return await client.query(text, [...values]);
      } finally {
        await client.end();
      }
    }

    const recorded = (agent: TestAgent): string =>
      readdirSync(agent.recordings, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ndjson'))
        .map((name) => readFileSync(join(agent.recordings, name), 'utf8'))
        .join('');

    describe('where rules read statements, but not what is bound to them', () => {
      let agent: TestAgent;
      beforeAll(async () => (agent = await startTestAgent({ policies: TEXT_ONLY })));
      afterAll(() => agent.close());

      it('a bytea of 20 MiB passes, though statements are limited to 8 MiB', async () => {
        const { rows } = await query(agent, 'select md5($1::bytea) as sum, length($1::bytea) as bytes', [big]);
        expect(rows).toEqual([{ sum: 'ed8c1eabdcab2c674f5fb36496b6a728', bytes: big.length }]);
      });

      it('the rules hold for its statement all the same', async () => {
        await expect(query(agent, 'update customers set notes = to_jsonb(length($1::bytea))', [big])).rejects.toThrow(
          'blocked by policy guard/where',
        );
      });
    });

    describe('where card numbers are masked', () => {
      let agent: TestAgent;
      beforeAll(async () => (agent = await startTestAgent({ policies: MASKS_CARDS })));
      afterAll(() => agent.close());

      it('the record keeps no half of one that stands across its cut at 1,024 characters', async () => {
        await query(agent, 'select length($1::text)', [`${'x'.repeat(1013)} 4111 1111 1111 1111`]);
        await expect.poll(() => recorded(agent)).toContain('"type":"seal"');
        expect(recorded(agent)).toContain('xxx [credit-ca"');
        expect(recorded(agent)).not.toContain('4111 1');
      });
    });

    describe('where a rule reads what is bound', () => {
      let agent: TestAgent;
      beforeAll(async () => (agent = await startTestAgent({ policies: READS_PARAMS })));
      afterAll(() => agent.close());

      it('20 MiB are refused with 54000 and the limit, and the rule decides what is smaller', async () => {
        await expect(query(agent, 'select length($1::bytea)', [big])).rejects.toMatchObject({
          code: '54000',
          message: expect.stringMatching(/^hoop: message of \d+ B, limit is 8388608 B$/) as string,
        });
        await expect(query(agent, 'select $1::text', ['7'])).rejects.toThrow('Not seven.');
        expect((await query(agent, 'select $1::text as t', ['8'])).rows).toEqual([{ t: '8' }]);
      });
    });
  },
);
