import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { missingPostgres, startPostgres, type PostgresServer } from '../../../support/postgres-server.js';
import { errorsIn, type WireMessage } from '../../../support/raw-postgres.js';
import { evasionGroups, pendingEvasions, type Evasion } from './evasion.js';
import { EvasionRun } from './run.js';
import { comparable } from './send.js';

const GUARD = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: payments-reads, when: 'sql.reads.exists(t, t.name == "payments")', action: block, message: Payments are closed. }
    - { name: payments-writes, when: 'sql.writes.exists(t, t.name == "payments")', action: block, message: Payments are closed. }
    - name: password-hashes
      when: 'sql.reads.exists(t, t.name in ["pg_authid", "pg_shadow"])'
      action: block
      message: Password hashes are closed.
    - name: backends
      when: 'sql.functions.exists(f, f.matches("(^|[.])pg_(terminate|cancel)_backend$"))'
      action: block
      message: Other sessions are left alone.
`;

const connectionTo = (port: number): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: evaded }
spec:
  type: postgres
  address: 127.0.0.1:${String(port)}
  database: postgres
  databases: ['evade_*']
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: postgres }]
  access: { groups: [engineering] }
`;

const groups = evasionGroups();
const pending = pendingEvasions();
/** With HOOP_EVASIONS=pending what is known to be wrong is run too. */
const runsPending = process.env['HOOP_EVASIONS'] === 'pending';

/** What the server refused besides what the entry says. */
function unexpectedErrors(entry: Evasion, answers: readonly WireMessage[]): string {
  return errorsIn(answers)
    .filter(({ code }) => !entry.fails.includes(code))
    .map(({ code, message }) => `${code} ${message}`)
    .join('; ');
}

/** The names of the rules that refused something, in order. */
function refusingRules(answers: readonly WireMessage[]): string[] {
  return errorsIn(answers).flatMap(({ message }) => /^blocked by policy [a-z-]+\/([a-z-]+):/.exec(message)?.[1] ?? []);
}

const CASES = groups.flatMap(({ name, entries }) => entries.map((entry) => ({ group: name, id: entry.id, entry })));
const harmful = CASES.filter(({ entry }) => entry.rules.length > 0);
const harmless = CASES.filter(({ entry }) => entry.rules.length === 0);
const throughHoop = (cases: typeof CASES): typeof CASES =>
  cases.filter(({ id }) => (runsPending ? id in pending : !(id in pending)));

describe.skipIf(missingPostgres() !== undefined)('evasions of the SQL policy, on a real server', () => {
  let server: PostgresServer | undefined;
  let agent: TestAgent | undefined;
  let past: EvasionRun;
  let through: EvasionRun;
  let pastPort: number;
  let throughPort: number;

  beforeAll(async () => {
    server = await startPostgres({ auth: 'trust', settings: { max_prepared_transactions: '4', wal_level: 'logical' } });
    const [folder] = await server.sql(`select setting as data from pg_settings where name = 'data_directory'`);
    const data = String(folder?.['data']);
    await server.sql(`COPY (SELECT 'HOOP-SERVER-FILE') TO '${data}/marker.txt'`);
    past = new EvasionRun(server, data, 'd');
    through = new EvasionRun(server, data, 'h');
    // All of it before the agent looks at a catalogue.
    for (const group of groups) await Promise.all([past.setUp(group), through.setUp(group)]);
    const standard = readFileSync(new URL('../../../../examples/policies/standard-sql.yaml', import.meta.url), 'utf8');
    agent = await startTestAgent({
      postgres: server,
      database: 'postgres',
      policies: [standard, GUARD, connectionTo(server.port)].join('\n---\n'),
    });
    pastPort = server.port;
    throughPort = (await agent.port({ connection: 'evaded' })).port;
  });

  afterAll(async () => {
    for (const run of [past, through]) run.end();
    await agent?.close();
    await server?.stop();
  });

  it('counts at least 200 entries, 60 of them harmless, no id twice, and knows every id that waits', () => {
    expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length);
    expect(CASES.length).toBeGreaterThanOrEqual(200);
    expect(harmless.length).toBeGreaterThanOrEqual(60);
    expect(Object.keys(pending).filter((id) => !CASES.some((one) => one.id === id))).toEqual([]);
  });

  it.each(harmful)('past hoop $id does the harm', async ({ group, entry }) => {
    const { answers, harm } = await past.carryOut(pastPort, group, entry);
    expect(unexpectedErrors(entry, answers)).toBe('');
    expect(harm).toBe(true);
  });

  it.each(throughHoop(harmful))('through hoop $id is refused and does nothing', async ({ group, entry }) => {
    const { answers, harm } = await through.carryOut(throughPort, group, entry);
    const rule = refusingRules(answers)[0] ?? `none, ${JSON.stringify(errorsIn(answers))}`;
    expect(harm, `harm; refused by ${rule}`).toBe(false);
    expect(entry.rules).toContain(rule);
  });

  it.each(throughHoop(harmless))('$id does no harm and passes with the same answer', async ({ group, entry }) => {
    const direct = await past.carryOut(pastPort, group, entry);
    expect(unexpectedErrors(entry, direct.answers)).toBe('');
    expect(direct.harm).toBe(false);
    const guarded = await through.carryOut(throughPort, group, entry);
    expect(comparable(guarded.answers)).toEqual(comparable(direct.answers));
  });
});
