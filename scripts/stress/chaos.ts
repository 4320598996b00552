// Clients run statements, wait for approvals, use grants and call a model while, at random, the agent is killed and
// started again, stopped, cut off from its clients or its database, and finds the disk full. At the end the database's
// own log of statements is compared with the recordings: what reached it was allowed and recorded before, nothing that
// was blocked or waited is among it, nothing that was approved for one run ran twice, every recording verifies, and the
// counters of limits are not below what ran.
//
//   node --import tsx scripts/stress/chaos.ts [--minutes 15] [--clients 4] [--seed 1]
//
// The last line is `N events, N statements, N calls, N faults`. `prlimit` (util-linux) stands for the full disk.
import { parseArgs } from 'node:util';
import { runChaos } from './lib/chaos.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    clients: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
  },
});
const totals = await runChaos({
  durationMs: Number(values.minutes) * 60_000,
  clients: Number(values.clients),
  seed: Number(values.seed),
  tell: (line) => {
    console.error(`${new Date().toISOString()} ${line}`);
  },
});
const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => `${name} ${String(count)}`)
    .join(', ');
const sum = (of: Readonly<Record<string, number>>): number => Object.values(of).reduce((total, one) => total + one, 0);
console.log(`events     ${counts(totals.events)}`);
console.log(`statements ${counts(totals.reached)}`);
for (const fault of totals.faults) console.log(`FAILED     ${fault}`);
console.log(
  `${String(sum(totals.events))} events, ${String(sum(totals.reached))} statements, ${String(totals.calls)} calls, ${String(totals.faults.length)} faults`,
);
process.exitCode = totals.faults.length === 0 && sum(totals.reached) > 0 ? 0 : 1;
