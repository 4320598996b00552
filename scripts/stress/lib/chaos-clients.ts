import { Client } from 'pg';
import type { RequestView } from '../../../src/core/approval.js';
import { openPort } from '../../../test/support/agent.js';
import { type ChaosWorld, MARKER } from './chaos-world.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A number below `below`, the same sequence for the same seed (mulberry32). */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What the clients and the reviewer of the workload saw. */
export class ChaosLedger {
  /** Held statements that a reviewer approved, once each. */
  readonly approved = new Set<string>();
  /** Statements that were answered with success. */
  readonly answered = new Map<string, number>();
  /** Requests to the model that were answered. */
  calls = 0;
  over = false;
  #next = 0;

  marker(letter: string): string {
    return `chaos-${letter}-${String((this.#next += 1))}`;
  }
}

const TABLES: Readonly<Record<string, string>> = { a: 'ran', b: 'forbidden', h: 'held', g: 'granted' };

/** Statements of one user, one after another, through whatever is left of the way to the database. */
export async function sqlClient(world: ChaosWorld, ledger: ChaosLedger, seed: number): Promise<void> {
  const roll = dice(seed);
  const granted = ledger.marker('g');
  while (!ledger.over) {
    try {
      const token = await world.token(`user${String(seed)}`, 'engineering');
      const opened = await openPort(world.url, 'postgres', token);
      try {
        await statements(world, ledger, { port: opened.port, granted, roll });
      } finally {
        opened.close();
      }
    } catch {
      await pause(100);
    }
  }
}

interface Work {
  readonly port: number;
  readonly granted: string;
  readonly roll: (below: number) => number;
}

async function statements(world: ChaosWorld, ledger: ChaosLedger, { port, granted, roll }: Work): Promise<void> {
  const { database } = world.places.folder;
  const db = new Client({ host: '127.0.0.1', port, user: 'x', database, ssl: false });
  const lost = new Promise<never>((_, reject) => {
    db.on('error', reject);
    db.on('end', () => {
      reject(new Error('ended'));
    });
  });
  lost.catch(() => undefined);
  await Promise.race([db.connect(), lost, pause(5_000).then(() => Promise.reject(new Error('no session')))]);
  while (!ledger.over) {
    const letter = 'aaabhhgg'.charAt(roll(8));
    const marker = letter === 'g' ? granted : ledger.marker(letter);
    const text = `insert into ${TABLES[letter] ?? ''} values ('${marker}')`;
    // What was approved once is tried once more at once.
    for (let run = 0; run < (letter === 'h' ? 2 : 1); run += 1) {
      const extended = roll(2) === 0 ? { text, values: [] } : text;
      if (await Promise.race([succeeds(db.query(extended)), lost]))
        ledger.answered.set(marker, (ledger.answered.get(marker) ?? 0) + 1);
    }
    if (roll(20) === 0) break;
  }
  await Promise.race([db.end(), pause(1_000)]);
}

/** False where the server, or the agent, refused it. Rejects where nobody answered. */
async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === 'string') return false;
    throw error;
  }
}

/** Calls of a connection whose requests are counted. */
export async function modelClient(world: ChaosWorld, ledger: ChaosLedger): Promise<void> {
  while (!ledger.over) {
    try {
      const token = await world.token('caller', 'engineering');
      const answer = await fetch(`${world.url}/c/model/${ledger.marker('m')}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(5_000),
      });
      if (answer.ok) ledger.calls += 1;
      await answer.arrayBuffer();
    } catch {
      await pause(50);
    }
    await pause(20);
  }
}

/** Approves a statement once and never again, approves another for a time, denies and overlooks some. */
export async function reviewer(world: ChaosWorld, ledger: ChaosLedger, seed: number): Promise<void> {
  const roll = dice(seed);
  const overlooked = new Set<string>();
  while (!ledger.over) {
    try {
      const token = await world.token('dana', 'dba');
      for (const request of await call<RequestView[]>(world, token, '/v1/requests')) {
        const marker = MARKER.exec(request.text)?.[0] ?? '';
        if (request.state !== 'pending' || overlooked.has(request.id)) continue;
        const lasting = marker.includes('-g-');
        if (roll(4) === 0) overlooked.add(request.id);
        else if (lasting) await call(world, token, `/v1/requests/${request.id}/approve`, { duration: '5m' });
        else if (ledger.approved.has(marker) || roll(5) === 0)
          await call(world, token, `/v1/requests/${request.id}/deny`, {});
        else {
          // Noted before it is sent: whether it arrived is not always told.
          ledger.approved.add(marker);
          await call(world, token, `/v1/requests/${request.id}/approve`, {});
        }
      }
    } catch {
      // The agent is away.
    }
    await pause(100);
  }
}

async function call<Answer>(world: ChaosWorld, token: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${world.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  return (await response.json()) as Answer;
}
