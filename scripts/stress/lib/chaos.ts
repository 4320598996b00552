import { ChaosLedger, dice, modelClient, reviewer, sqlClient } from './chaos-clients.js';
import { chaosFaults } from './chaos-checks.js';
import { ChaosWorld } from './chaos-world.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What may happen to a running agent. */
const EVENTS = {
  kill: async (world: ChaosWorld): Promise<void> => {
    await world.killAgent();
    await world.startAgent();
  },
  stop: async (world: ChaosWorld): Promise<void> => {
    await world.stopAgent();
    await world.startAgent();
  },
  'cut the tunnels': async (world: ChaosWorld): Promise<void> => {
    world.front.cut();
    await Promise.resolve();
  },
  'lose the database': async (world: ChaosWorld, ms: number): Promise<void> => {
    world.places.back.refuse(true);
    world.places.back.cut();
    await pause(ms);
    world.places.back.refuse(false);
  },
  'fill the disk': async (world: ChaosWorld, ms: number): Promise<void> => {
    world.starveAgent(true);
    await pause(ms);
    world.starveAgent(false);
  },
} as const;

export type ChaosEvent = keyof typeof EVENTS;

export interface ChaosOptions {
  readonly durationMs: number;
  readonly seed: number;
  /** Clients that run statements. */
  readonly clients: number;
  /** What happens, in this order, again and again; left out: by chance. */
  readonly events?: readonly ChaosEvent[];
  /** How long nothing happens before each of them: at least, and by chance so much more. Left out: 1 s and up to 5 s. */
  readonly restMs?: readonly [least: number, more: number];
  /** Told of what happens, as it happens. */
  readonly tell?: (line: string) => void;
}

export interface ChaosTotals {
  readonly events: Readonly<Record<string, number>>;
  /** Statements that reached the database, by the letter of their marker. */
  readonly reached: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly faults: readonly string[];
}

/** Runs a workload while things go wrong, then compares what reached the servers with what was decided and recorded. */
export async function runChaos(options: ChaosOptions): Promise<ChaosTotals> {
  const world = await ChaosWorld.open();
  const ledger = new ChaosLedger();
  const happened: Record<string, number> = {};
  try {
    const lanes = Array.from({ length: options.clients }, (_, index) => sqlClient(world, ledger, options.seed + index));
    lanes.push(modelClient(world, ledger), reviewer(world, ledger, options.seed + 1_000));
    await misfortunes(world, options, happened);
    ledger.over = true;
    // Holds end within their wait, so that every lane sees that it is over.
    await Promise.all(lanes);
    await world.stopAgent();
    const faults = await chaosFaults(world, ledger);
    const reached: Record<string, number> = {};
    for (const [marker, times] of world.places.reached.statements) {
      const letter = marker.charAt('chaos-'.length);
      reached[letter] = (reached[letter] ?? 0) + times;
    }
    return { events: happened, reached, calls: ledger.calls, faults };
  } finally {
    ledger.over = true;
    await world.close();
  }
}

async function misfortunes(
  world: ChaosWorld,
  { durationMs, seed, events = [], restMs: [least, more] = [1_000, 5_000], tell = () => undefined }: ChaosOptions,
  happened: Record<string, number>,
): Promise<void> {
  const roll = dice(seed + 2_000);
  const names = Object.keys(EVENTS) as ChaosEvent[];
  const endMs = performance.now() + durationMs;
  for (let turn = 0; performance.now() < endMs || turn < events.length; turn += 1) {
    await pause(least + roll(more));
    const name = events[turn % Math.max(1, events.length)] ?? names[roll(names.length)] ?? 'kill';
    tell(name);
    await EVENTS[name](world, 200 + roll(800));
    happened[name] = (happened[name] ?? 0) + 1;
  }
  await pause(1_000);
}
