import { setTimeout as delay } from 'node:timers/promises';
import type { RequestView } from '../../../src/core/approval.js';
import { checkRaces } from './race-checks.js';
import { RACES, type RaceReport, type RaceTotals } from './race-report.js';
import { type RaceAgent, SHORT_WAIT_MS, startRaceAgent } from './race-agent.js';

/**
 * Runs requests with random races between reviewers, requester, clock and revoking against a real agent, then
 * compares what everyone was told with the store, the recordings and what the upstream saw.
 *
 * @param seed makes the races the same again; their timing is the machine's
 */
export async function raceApprovals(options: {
  readonly requests: number;
  readonly atOnce: number;
  readonly seed: number;
}): Promise<RaceTotals> {
  const agent = await startRaceAgent();
  const random = randomOf(options.seed);
  const desk = new PendingDesk(agent);
  const reports: RaceReport[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < options.requests) {
      const race = RACES[Math.floor(random() * RACES.length)] ?? 'deny';
      const path = `/${race === 'approve-expiry' ? 'short' : 'slow'}/${String(begun)}`;
      begun += 1;
      const report = { path, race, id: '', answer: '', decided: [], again: '', runsAtRevoke: 0 };
      reports.push(report);
      await runRace(agent, desk, report, random);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.atOnce }, worker));
  } finally {
    // First the desk: a look under way as the agent ends would be cut off.
    await desk.close().finally(() => agent.stop());
  }
  try {
    return await checkRaces(agent, reports);
  } finally {
    agent.remove();
  }
}

async function runRace(agent: RaceAgent, desk: PendingDesk, report: RaceReport, random: () => number): Promise<void> {
  const { path, race } = report;
  const left = new AbortController();
  const sent = post(agent, path, left.signal);
  const request = await desk.find(path);
  report.id = request.id;
  const decide = async (who: 'dana' | 'dora', verdict: 'approve' | 'deny', body: object = {}): Promise<void> => {
    // A little apart, either way round: the races are in what overlaps.
    await delay(random() * 5);
    if ((await call(agent, `/v1/requests/${request.id}/${verdict}`, agent.tokens[who], body)).status === 200)
      report.decided.push(verdict === 'approve' ? 'approved' : 'denied');
  };
  switch (race) {
    case 'two-approve':
      await Promise.all([decide('dana', 'approve'), decide('dora', 'approve')]);
      break;
    case 'approve-deny':
      await Promise.all([decide('dana', 'approve'), decide('dora', 'deny')]);
      break;
    case 'approve-cancel':
      await Promise.all([decide('dana', 'approve'), delay(random() * 25).then(() => left.abort())]);
      break;
    case 'approve-expiry':
      await delay(Math.max(0, Date.parse(request.createdAt) + SHORT_WAIT_MS - Date.now() - 150 + random() * 170));
      await decide('dana', 'approve');
      break;
    case 'deny':
      await Promise.all([decide('dana', 'deny'), decide('dora', 'deny')]);
      break;
    case 'revoke':
      await decide('dana', 'approve', { duration: '30m' });
      break;
  }
  report.answer = await sent;
  if (race === 'revoke') await revoke(agent, desk, report);
}

/** While the same request is sent again and again, its grant is ended: what is sent afterwards waits, and is denied. */
async function revoke(agent: RaceAgent, desk: PendingDesk, report: RaceReport): Promise<void> {
  const before = Promise.all([post(agent, report.path), post(agent, report.path)]);
  await call(agent, `/v1/grants/${report.id}/revoke`, agent.tokens.ann, {});
  const after = post(agent, report.path);
  // Those that came too late wait as well.
  const answers = Promise.all([before, after]);
  let over = false;
  const ended = answers.finally(() => (over = true));
  // Its failure is told where it is awaited, below.
  ended.catch(() => undefined);
  report.runsAtRevoke = agent.runs.get(report.path) ?? 0;
  while (!over) {
    for (const { id } of desk.all(report.path)) {
      report.runsAtRevoke = Math.max(report.runsAtRevoke, agent.runs.get(report.path) ?? 0);
      await call(agent, `/v1/requests/${id}/deny`, agent.tokens.dora, {});
    }
    await delay(10);
  }
  [, report.again] = await ended;
}

/** @returns `200`, `403 hoop_denied`, or `left` */
async function post(agent: RaceAgent, path: string, signal?: AbortSignal): Promise<string> {
  try {
    const { status, text } = await call(agent, `/c/web${path}`, agent.tokens.ann, { path }, signal);
    return status === 200 ? '200' : `${String(status)} ${/hoop_[a-z_]+/.exec(text)?.[0] ?? ''}`;
  } catch (error) {
    if (signal?.aborted === true) return 'left';
    throw error;
  }
}

async function call(
  agent: RaceAgent,
  path: string,
  token: string,
  body?: object,
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${agent.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.status, text: await response.text() };
}

/** What waits, looked at by one reviewer for everyone. */
class PendingDesk {
  #pending: readonly RequestView[] = [];
  #closed = false;
  readonly #looking: Promise<void>;

  constructor(private readonly agent: RaceAgent) {
    this.#looking = this.#look();
    // Told by `close`.
    this.#looking.catch(() => undefined);
  }

  all(path: string): readonly RequestView[] {
    return this.#pending.filter(({ text }) => text.startsWith(`POST ${path}\n`));
  }

  async find(path: string): Promise<RequestView> {
    for (const end = Date.now() + 60_000; Date.now() < end; await delay(5)) {
      const [found] = this.all(path);
      if (found !== undefined) return found;
    }
    throw new Error(`no request for ${path} within a minute`);
  }

  /** @throws what ended its looking early */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#closed) {
      const { text } = await call(this.agent, '/v1/requests', this.agent.tokens.dana);
      this.#pending = JSON.parse(text) as RequestView[];
      await delay(10);
    }
  }
}

/** Mulberry32: the same numbers for the same seed, in [0, 1). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
