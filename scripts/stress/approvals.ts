// Races for approvals: two reviewers at once, approve against deny, hang-up and expiry, grants that are revoked while
// they are used. A real agent; at the end the store, the recordings, the upstream and everyone's answers must agree.
//
//   node --import tsx scripts/stress/approvals.ts [--requests 1000] [--at-once 20] [--seed 1]
import { parseArgs } from 'node:util';
import { raceApprovals } from './lib/approval-races.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000' },
    'at-once': { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const startedMs = performance.now();
const totals = await raceApprovals({
  requests: Number(values.requests),
  atOnce: Number(values['at-once']),
  seed: Number(values.seed),
});
const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => `${name} ${String(count)}`)
    .join(', ');
console.log(`races   ${counts(totals.byRace)}`);
console.log(`states  ${counts(totals.states)}`);
for (const fault of totals.faults) console.log(`FAILED  ${fault}`);
const seconds = Math.round((performance.now() - startedMs) / 1_000);
console.log(`${String(totals.requests)} requests in ${String(seconds)} s, ${String(totals.faults.length)} faults`);
process.exitCode = totals.faults.length === 0 && totals.requests > 0 ? 0 : 1;
