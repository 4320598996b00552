import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApprovalRequest } from '../../../src/core/approval.js';
import { openStore } from '../../../src/store/store.js';
import type { RaceReport, RaceTotals } from './race-report.js';
import type { RaceAgent } from './race-agent.js';

const ANSWERS: Readonly<Record<string, string>> = {
  approved: '200',
  denied: '403 hoop_denied',
  expired: '403 hoop_approval_timeout',
  cancelled: 'left',
};

/** Compares the store of an agent that has ended, its recordings and its upstream with what everyone was told. */
export async function checkRaces(agent: RaceAgent, reports: readonly RaceReport[]): Promise<RaceTotals> {
  const outcomes = recordedOutcomes(join(agent.dir, 'recordings'));
  const store = openStore({ path: join(agent.dir, 'state', 'hoop.db') });
  try {
    const faults: string[] = [];
    const states: Record<string, number> = {};
    const byRace: Record<string, number> = {};
    for (const report of reports) {
      const kept = store.requests.get(report.id);
      states[kept?.state ?? 'missing'] = (states[kept?.state ?? 'missing'] ?? 0) + 1;
      byRace[report.race] = (byRace[report.race] ?? 0) + 1;
      const runs = agent.runs.get(report.path) ?? 0;
      const found = kept === undefined ? ['is not in the store'] : faultsOf(report, kept, runs, outcomes);
      faults.push(...found.map((fault) => `${report.path} (${report.race}): ${fault}`));
    }
    const left = store.requests.list({ state: 'pending' });
    if (left.length > 0) faults.push(`${String(left.length)} requests are still pending`);
    const active = store.grants.list({ state: 'active' });
    if (active.length > 0) faults.push(`${String(active.length)} grants outlived the agent`);
    return { requests: reports.length, byRace, states, faults };
  } finally {
    store.close();
    await Promise.resolve();
  }
}

function faultsOf(
  report: RaceReport,
  kept: ApprovalRequest,
  runs: number,
  outcomes: ReadonlyMap<string, readonly string[]>,
): string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  const { race, answer, decided } = report;
  expect(kept.state !== 'pending', 'has no final state');
  expect(decided.length <= 1, `was decided ${String(decided.length)} times`);
  expect(
    decided.every((one) => one === kept.state),
    `was ${decided.join()} for a reviewer, is ${kept.state}`,
  );
  // Whoever hangs up sees no answer, whatever it was.
  const answered = answer === ANSWERS[kept.state] || (race === 'approve-cancel' && answer === 'left');
  expect(answered, `is ${kept.state}, the requester got ${answer}`);
  if (race === 'revoke') {
    expect(report.again === ANSWERS['denied'], `was answered ${report.again} after its grant was revoked`);
    expect(runs <= 3, `ran ${String(runs)} times, of 3 that were allowed at most`);
    expect(runs === report.runsAtRevoke, `ran ${String(runs - report.runsAtRevoke)} times after the end of its grant`);
  } else if (kept.state === 'approved') {
    expect(runs === 1 || (runs === 0 && answer === 'left'), `is approved and ran ${String(runs)} times`);
  } else expect(runs === 0, `is ${kept.state} and ran ${String(runs)} times`);
  const recorded = outcomes.get(kept.id) ?? [];
  // Under its grant it is recorded again: those runs are not its own end.
  expect(recorded.length === 1, `has ${String(recorded.length)} ends in the recordings`);
  expect(recorded[0] === kept.state, `is ${kept.state} in the store, ${String(recorded[0])} in the recording`);
  return faults;
}

/** How each request ended, as the recordings say. */
function recordedOutcomes(dir: string): ReadonlyMap<string, readonly string[]> {
  const outcomes = new Map<string, string[]>();
  for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ndjson')) continue;
    for (const line of readFileSync(join(dir, file), 'utf8').split('\n')) {
      if (!line.includes('"approval.resolved"')) continue;
      const event = JSON.parse(line) as { request: string; outcome: string; grant?: string };
      if (event.grant !== undefined) continue;
      outcomes.set(event.request, [...(outcomes.get(event.request) ?? []), event.outcome]);
    }
  }
  return outcomes;
}
