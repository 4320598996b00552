// Thousands of peers that connect to an agent, begin something and go no further, and a good client beside them: it must be
// served all the while, and every peer must be let go.
//
//   npx tsx scripts/stress/half-open.ts [--peers 1200]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { openPort, startTestAgent } from '../../test/support/agent.js';
import { startPostgres } from '../../test/support/postgres-server.js';
import { issueServerCertificate } from '../../test/support/server-certificate.js';
import { HALF_OPEN_KINDS, openHalfOpen, type HalfOpenPeer } from './lib/half-open.js';

const { values } = parseArgs({ options: { peers: { type: 'string', default: '1200' } } });
const folder = mkdtempSync(join(tmpdir(), 'hoop-half-open-'));
const caFile = await issueServerCertificate(folder, {});
const tls = `tls: { cert: ${join(folder, 'server.crt')}, key: ${join(folder, 'server.key')} }`;
const postgres = await startPostgres();
const agent = await startTestAgent({ listenSpec: tls, postgres });
const token = await agent.token();
const target = { agentUrl: agent.agent.url, ca: readFileSync(caFile), token };

/** One new tunnel, one session, one statement. @returns how long it took, in ms */
async function goodClient(): Promise<number> {
  const startedMs = performance.now();
  const port = await openPort(agent.agent.url, 'postgres', token, { caFile });
  const client = new pg.Client({ host: '127.0.0.1', port: port.port, user: 'ann', database: agent.database });
  await client.connect();
  await client.query('SELECT 1');
  await client.end();
  port.close();
  return performance.now() - startedMs;
}

const whole = Number(values.peers);
const peers: HalfOpenPeer[] = [];
const waits: number[] = [await goodClient()];
for (let nth = 0; nth < whole; nth += 1) {
  const kind = HALF_OPEN_KINDS[nth % HALF_OPEN_KINDS.length] ?? 'silent';
  peers.push(await openHalfOpen(kind, target));
  if (nth % 100 === 99) waits.push(await goodClient());
}
const openedMs = performance.now();
await Promise.all(peers.map(({ gone }) => gone));
const seconds = (performance.now() - openedMs) / 1_000;
waits.push(await goodClient());
const slowest = Math.max(...waits.slice(1));
console.log(`${String(whole)} peers, the last let go ${seconds.toFixed(1)} s after it came`);
console.log(
  `a good client: alone ${String(Math.round(waits[0] ?? 0))} ms, beside them at most ${String(Math.round(slowest))} ms`,
);
await agent.close();
await postgres.stop();
rmSync(folder, { recursive: true, force: true });
process.exitCode = slowest < 5_000 ? 0 : 1;
