import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyFolder } from '../../../src/recording/proof/verify-folder.js';
import { openStore } from '../../../src/store/store.js';
import type { ChaosLedger } from './chaos-clients.js';
import { type ChaosWorld, MARKER } from './chaos-world.js';

/** What was counted so shortly before a kill may be forgotten, in ms (`store/usage-table`), and the way there. */
const FORGOTTEN_MS = 600;

/** What the recordings say of one marker. */
interface Told {
  /** Statements with a decision that lets them run. */
  allowed: number;
  /** Approvals that were given for it. */
  approvals: number;
}

/**
 * After the agent has been stopped in good order: the servers' own logs against recordings and store.
 *
 * @returns what does not hold, a line each
 */
export async function chaosFaults(world: ChaosWorld, ledger: ChaosLedger): Promise<readonly string[]> {
  const { folder, reached } = world.places;
  const recordings = join(folder.dir, 'recordings');
  const told = readRecordings(recordings);
  const faults: string[] = [];
  for (const [marker, times] of reached.statements) {
    const { allowed, approvals } = told.get(marker) ?? { allowed: 0, approvals: 0 };
    if (times > allowed) faults.push(`${marker} reached the server ${String(times)} times, allowed ${String(allowed)}`);
    if (marker.includes('-b-')) faults.push(`${marker} is blocked and reached the server`);
    if (marker.includes('-h-') && times > 1) faults.push(`${marker} was approved once and ran ${String(times)} times`);
    if (marker.includes('-h-') && approvals === 0) faults.push(`${marker} ran without an approval in the record`);
    if (marker.includes('-h-') && !ledger.approved.has(marker)) faults.push(`${marker} ran and nobody approved it`);
  }
  for (const [marker, times] of ledger.answered)
    if ((reached.statements.get(marker) ?? 0) < times)
      faults.push(`${marker} was answered and did not reach the server`);
  const { ok, breaks } = await verifyFolder(recordings, { keys: world.keys });
  if (!ok) faults.push(`recordings do not hold: ${JSON.stringify(breaks.slice(0, 3))}`);
  return [...faults, ...countFaults(world)];
}

function countFaults(world: ChaosWorld): string[] {
  const { folder, reached } = world.places;
  const forgotten = reached.requests.filter((at) => world.kills.some((kill) => at <= kill && kill - at < FORGOTTEN_MS));
  const store = openStore({ path: join(folder.dir, 'state', 'hoop.db') });
  try {
    const counted = store.usage.total();
    const faults: string[] = [];
    if (counted < reached.requests.length - forgotten.length)
      faults.push(
        `${String(reached.requests.length)} requests reached the upstream, ${String(forgotten.length)} of them right before a kill, and ${String(counted)} are counted`,
      );
    const pending = store.requests.list({ state: 'pending' });
    if (pending.length > 0) faults.push(`${String(pending.length)} requests are still pending`);
    const active = store.grants.list({ state: 'active' });
    if (active.length > 0) faults.push(`${String(active.length)} grants outlived the agent`);
    return faults;
  } finally {
    store.close();
  }
}

function readRecordings(dir: string): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ndjson')) continue;
    for (const [marker, one] of readOne(join(dir, file))) {
      const sum = told.get(marker) ?? { allowed: 0, approvals: 0 };
      told.set(marker, { allowed: sum.allowed + one.allowed, approvals: sum.approvals + one.approvals });
    }
  }
  return told;
}

interface Line {
  readonly type: string;
  readonly statement?: number;
  readonly text?: string;
  readonly action?: string;
  readonly outcome?: string;
}

function readOne(path: string): ReadonlyMap<string, Told> {
  const markers = new Map<number, string>();
  const allowed = new Map<number, boolean>();
  const told = new Map<string, Told>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    if (text === '') continue;
    const { type, statement = 0, text: sql = '', action, outcome } = JSON.parse(text) as Line;
    if (type === 'statement') markers.set(statement, MARKER.exec(sql)?.[0] ?? '');
    // Of several decisions of one statement the last counts; an approval lets it go on until then.
    if (type === 'decision') allowed.set(statement, action === 'allow' || action === 'warn');
    if (type === 'approval.resolved' && outcome === 'approved') {
      allowed.set(statement, true);
      const marker = markers.get(statement) ?? '';
      const sum = told.get(marker) ?? { allowed: 0, approvals: 0 };
      told.set(marker, { ...sum, approvals: sum.approvals + 1 });
    }
  }
  for (const [statement, marker] of markers) {
    if (allowed.get(statement) !== true) continue;
    const sum = told.get(marker) ?? { allowed: 0, approvals: 0 };
    told.set(marker, { ...sum, allowed: sum.allowed + 1 });
  }
  return told;
}
