// How long `hoop policy backtest` takes: makes recordings by the agent's own recorder, then judges them again.
// A third of the statements are texts of their own, the rest the same few over and over, as drivers send them.
// `--statements 1000000 --dir DIR`; half a gigabyte for a million. Times are of this process alone.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/agent/system-clock.js';
import { questionsInFolder } from '../../src/cli/policy/backtest-source.js';
import { loadPolicies } from '../../src/cli/policy/load-policies.js';
import { runBacktest } from '../../src/cli/policy/run-backtest.js';
import { uuidv7 } from '../../src/core/ids.js';
import { loadGrammar, readSql } from '../../src/protocols/postgres/facts/analyze.js';
import { recordedFacts } from '../../src/protocols/postgres/statements/statement-text.js';
import { generateRecordingKey } from '../../src/recording/keys.js';
import { openRecordings, type Recordings } from '../../src/recording/recordings.js';

const { values } = parseArgs({
  options: { statements: { type: 'string', default: '50000' }, dir: { type: 'string', default: tmpdir() } },
});

const STATEMENTS_OF_SESSION = 500;
const REPEATED = [
  'SELECT id, name, email FROM customers WHERE id = $1',
  'SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.placed > $1 ORDER BY o.placed',
  'INSERT INTO orders (customer_id, total) VALUES ($1, $2) RETURNING id',
  'UPDATE orders SET status = $1 WHERE id = $2',
  'BEGIN',
  'COMMIT',
  'DELETE FROM carts WHERE customer_id = $1',
  'TRUNCATE staging',
];

function textOf(number: number): string {
  if (number % 3 !== 0) return REPEATED[number % REPEATED.length] as string;
  return `SELECT c.id, c.name, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id IN (${String(number)}, ${String(number + 7)}) GROUP BY c.id, c.name`;
}

async function recordSession(recordings: Recordings, from: number, count: number): Promise<void> {
  const recorder = recordings.open({
    type: 'session.start',
    session: uuidv7(Date.now(), randomBytes(10)),
    user: {
      subject: `u-${String(from % 40)}`,
      email: `user${String((from / STATEMENTS_OF_SESSION) % 40)}@example.com`,
      groups: ['engineering'],
      issuer: 'https://id.example.com',
      machine: false,
      attributes: {},
    },
    connection: { name: 'postgres', type: 'postgres', labels: { env: 'prod' } },
    credential: 'app',
    client: { application: 'bench', address: '127.0.0.1' },
  });
  for (let index = 0; index < count; index += 1) {
    const text = textOf(from + index);
    const statement = index + 1;
    const facts = recordedFacts(readSql(text).facts);
    recorder.record({ type: 'statement', statement, text, via: 'query', facts });
    recorder.record({ type: 'decision', statement, action: 'allow', rules: [], policyHash: 'a'.repeat(64) });
    recorder.record({ type: 'result', statement, tag: 'SELECT 1', rows: 1, bytes: 90, durationMs: 0.7 });
    if (index % 50 === 49) await recorder.flush();
  }
  await recorder.seal({ type: 'session.end', reason: 'client', statements: count, blocked: 0 });
}

const total = Number(values.statements);
const dir = mkdtempSync(join(values.dir, 'hoop-backtest-'));
try {
  await loadGrammar();
  const nothing = (): void => undefined;
  const index = { sessionOpened: nothing, sessionSealed: nothing, statementsSeen: nothing, flush: nothing };
  const recordings = openRecordings({
    dir,
    durability: 'flush',
    key: generateRecordingKey(),
    clock: systemClock(),
    index,
    onFault: ({ message }) => {
      throw new Error(message);
    },
  });
  const madeMs = performance.now();
  for (let from = 0; from < total; from += STATEMENTS_OF_SESSION)
    await recordSession(recordings, from, Math.min(STATEMENTS_OF_SESSION, total - from));
  console.log(`recorded ${String(total)} statements in ${((performance.now() - madeMs) / 1000).toFixed(1)} s`);
  const policies = fileURLToPath(new URL('../../examples/policies/standard-sql.yaml', import.meta.url));
  const { resources } = await loadPolicies(policies, {});
  const span = { since: '2000-01-01T00:00:00Z', until: '2999-01-01T00:00:00Z' };
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  const result = await runBacktest(resources, questionsInFolder(dir, span), nothing);
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(before);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  if (result.judged !== total) throw new Error(`judged ${String(result.judged)} of ${String(total)}`);
  const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  console.log(
    `judged ${String(total)} again in ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of processor time (${((cpuSeconds / total) * 1e6).toFixed(1)} µs each), peak ${peakMiB.toFixed(0)} MiB; ${String(result.changed)} differ`,
  );
} finally {
  rmSync(dir, { recursive: true });
}
