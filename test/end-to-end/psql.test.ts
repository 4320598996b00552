import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { isInstalled } from '../support/installed.js';
import { missingPostgres } from '../support/postgres-server.js';
import { Terminal } from '../support/terminal.js';

const missing = missingPostgres() ?? (isInstalled('tmux') ? undefined : 'tmux is not installed');

const POLICIES = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: where-required, when: sql.unqualifiedWrite, action: block, message: Say which rows. }
  mask:
    - { name: pii, entities: [email, credit-card], strategy: partial }
`;

describe.skipIf(missing !== undefined)(
  `psql in a terminal${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let agent: TestAgent;
    let psql: Terminal;

    beforeAll(async () => {
      agent = await startTestAgent({ policies: POLICIES });
      const { port } = await agent.port();
      const env = `PSQL_PAGER=cat PGSSLMODE=prefer PSQL_HISTORY=/dev/null`;
      psql = new Terminal(`env ${env} psql -X -h 127.0.0.1 -p ${String(port)} -U whoever -d ${agent.database}`);
      await psql.shows(/=> ?$/m);
    });

    afterAll(async () => {
      psql.close();
      await agent.close();
    });

    it('lists tables and describes one with \\d', async () => {
      psql.line('\\d');
      expect(await psql.shows(/\(\d rows\)/)).toMatch(/public \| customers/);
      psql.clear();
      psql.line('\\d customers');
      expect(await psql.shows(/Referenced by:[\s\S]*=> ?$/m)).toMatch(/email +\| text/);
      psql.clear();
    });

    it('shows masked rows, refuses inside a transaction and rolls back', async () => {
      psql.line('begin;');
      psql.line('select id, email from customers order by id;');
      expect(await psql.shows(/\(2 rows\)/)).not.toContain('ann.lee@');
      psql.line('delete from payments;');
      await psql.shows(/ERROR: {2}blocked by policy guard\/where-required: Say which rows\./);
      psql.line('select 1;');
      await psql.shows(/current transaction is aborted/);
      psql.line('rollback;');
      await psql.shows(/ROLLBACK/);
      psql.clear();
    });

    it('copies in and out with \\copy', async () => {
      const [into, out] = [join(agent.dir, 'in.tsv'), join(agent.dir, 'out.csv')];
      writeFileSync(
        into,
        Array.from({ length: 500 }, (_, row) => `${String(1000 + row)}\tp${String(row)}@example.org\t\\N\t\\N\n`).join(
          '',
        ),
      );
      psql.line(`\\copy contacts from '${into}'`);
      await psql.shows(/COPY 500/);
      psql.clear();
      psql.line(`\\copy contacts to '${out}' csv header`);
      await psql.shows(/COPY 502/);
      const lines = readFileSync(out, 'utf8').trim().split('\n');
      expect(lines).toHaveLength(503);
      expect(lines.join('\n')).not.toMatch(/p\d+@example\.org|ann\.lee@|5555555555554444/);
      psql.clear();
    });

    it('repeats a statement with \\watch until Ctrl-C, and goes on', async () => {
      psql.line("select 'tick' || count(*) as t from payments \\watch 0.2");
      await psql.shows(/tick2[\s\S]*tick2[\s\S]*tick2/);
      psql.type('C-c');
      psql.line("select 'after' || '-watch';");
      await psql.shows(/^ after-watch/m);
      psql.clear();
    });

    it('ends pg_sleep(30) within 2 s of Ctrl-C, with the cancel message, and goes on', async () => {
      psql.line('select pg_sleep(30);');
      for (;;)
        if (
          (
            await agent.postgres.sql(
              "select 1 from pg_stat_activity where query = 'select pg_sleep(30);' and state = 'active'",
            )
          ).length > 0
        )
          break;
      const pressed = performance.now();
      psql.type('C-c');
      await psql.shows(/ERROR: {2}canceling statement due to user request/);
      // It would have slept for 30 s.
      expect(performance.now() - pressed).toBeLessThan(10_000);
      psql.line("select 'after' || '-cancel';");
      await psql.shows(/^ after-cancel/m);
      psql.clear();
    });

    it('passes 1,000,000 rows with the memory of the agent flat', async () => {
      const peak = { rss: 0 };
      const before = process.memoryUsage().rss;
      const watch = setInterval(() => (peak.rss = Math.max(peak.rss, process.memoryUsage().rss)), 20);
      psql.line('\\set FETCH_COUNT 0');
      psql.line(`\\o /dev/null`);
      psql.line("select generate_series(1,1000000), md5('x');");
      psql.line('\\o');
      psql.line("select 'after' || '-rows';");
      await psql.shows(/^ after-rows/m);
      clearInterval(watch);
      const grownMiB = (peak.rss - before) / 2 ** 20;
      console.log(
        `agent and test process: ${(before / 2 ** 20).toFixed(0)} MiB before, ${grownMiB.toFixed(0)} MiB more at the peak of 1,000,000 rows`,
      );
      expect(peak.rss).toBeGreaterThan(0);
      expect(grownMiB).toBeLessThan(150);
    });
  },
);
