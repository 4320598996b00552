import { percentile } from './load.js';
import type { LoadGenerator } from './load-generator.js';
import type { ModelTarget } from './peers.js';
import { REQUEST, STREAM } from './workload.js';

/** One round of everything on one way: figures by their names. */
export type Round = Readonly<Record<string, number>>;

export interface RoundOptions {
  /** Of one run of requests. */
  readonly seconds: number;
  /** Streams one after another. */
  readonly streams: number;
}

export const CLIENTS = [1, 32, 128] as const;
export const AT_ONCE = 32;

export async function measureRound(load: LoadGenerator, target: ModelTarget, options: RoundOptions): Promise<Round> {
  const round: Record<string, number> = {};
  for (const clients of CLIENTS) {
    const { perSecond, p50, p99 } = await load.requests(target, REQUEST, { clients, seconds: options.seconds });
    round[`perSecond ${String(clients)}`] = perSecond;
    if (clients === 1) Object.assign(round, { p50, p99 });
  }
  const firsts: number[] = [];
  const gaps: number[] = [];
  for (let each = 0; each < options.streams; each += 1) {
    const [streamed] = await load.streams(target, STREAM, 1);
    firsts.push(streamed?.firstMs ?? NaN);
    gaps.push(...(streamed?.gapsMs ?? []));
  }
  const many = (await load.streams(target, STREAM, AT_ONCE)).map(({ firstMs }) => firstMs);
  return {
    ...round,
    first: percentile(firsts, 50),
    gap50: percentile(gaps, 50),
    gap99: percentile(gaps, 99),
    many50: percentile(many, 50),
    manyLast: Math.max(...many),
  };
}
