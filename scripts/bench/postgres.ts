// Measures hoop beside its peers. Rounds go through all targets in turn, so that a busy machine is busy for all of
// them; the medians are compared with direct.
import { parseArgs } from 'node:util';
import { startPostgres } from '../../test/support/postgres-server.js';
import { hoop } from './lib/hoop.js';
import { startIssuer } from './lib/issuer.js';
import { measures, seed, type Measure } from './lib/measures.js';
import { bareRelay, direct, pgbouncer, sshForward } from './lib/peers.js';
import type { Missing, Target } from './lib/target.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    megabytes: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
  },
});
const database = 'bench';
const only = values.only === '' ? [] : values.only.split(',');
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
};

function table(targets: readonly Target[], all: readonly Measure[], results: ReadonlyMap<string, number[]>): string {
  const of = (target: Target, measure: Measure): number => median(results.get(`${target.name}/${measure.name}`) ?? []);
  const base = targets[0];
  const cell = (target: Target, measure: Measure): string => {
    const figure = of(target, measure);
    const amount = `${figure.toFixed(figure < 100 ? 1 : 0)} ${measure.unit}`;
    return base === undefined || target === base ? amount : `${(figure / of(base, measure)).toFixed(2)} (${amount})`;
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = ['', ...targets.map((target) => target.name)];
  const rows = all.map((measure) => row([measure.name, ...targets.map((target) => cell(target, measure))]));
  return [row(head), row(head.map(() => '---')), ...rows].join('\n');
}

async function openTargets(
  server: Awaited<ReturnType<typeof startPostgres>>,
  issuer: Awaited<ReturnType<typeof startIssuer>>,
): Promise<Target[]> {
  const standard = ['standard-sql.yaml', 'standard-masking.yaml'];
  const ways: readonly (readonly [string, () => Promise<Target | Missing>])[] = [
    ['direct', async () => direct(server)],
    ['pgbouncer', () => pgbouncer(server, database)],
    ['ssh -L', () => sshForward(server)],
    ['bare relay', () => bareRelay(server)],
    ['hoop', () => hoop({ name: 'hoop', policies: [], issuer, server, database })],
    [
      'hoop with policy and masks',
      () => hoop({ name: 'hoop with policy and masks', policies: standard, issuer, server, database }),
    ],
  ];
  const targets: Target[] = [];
  for (const [name, open] of ways) {
    if (only.length > 0 && name !== 'direct' && !only.includes(name)) continue;
    const target = await open();
    if ('missing' in target) say(`left out: ${target.name}: ${target.missing}`);
    else targets.push(target);
  }
  return targets;
}

const server = await startPostgres({ settings: { shared_buffers: '256MB', jit: 'off' } });
const issuer = await startIssuer();
const options = { server, database, seconds: Number(values.seconds), megabytes: Number(values.megabytes) };
say(`filling the database with ${values.megabytes} MB`);
await seed(options);
const targets = await openTargets(server, issuer);
try {
  const all = measures(options);
  const results = new Map<string, number[]>();
  // The first round warms everything up, and is not counted.
  for (let round = 0; round <= Number(values.rounds); round += 1)
    for (const measure of all)
      for (const target of targets) {
        const figure = await measure.run(target);
        say(`round ${String(round)}: ${target.name}: ${measure.name}: ${figure.toFixed(1)} ${measure.unit}`);
        if (round === 0) continue;
        const key = `${target.name}/${measure.name}`;
        results.set(key, [...(results.get(key) ?? []), figure]);
      }
  console.log(`Ratios to direct, medians of ${values.rounds} interleaved rounds; Node ${process.version}\n`);
  console.log(table(targets, all, results));
  for (const target of targets) {
    const memory = target.memory?.();
    const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    if (memory !== undefined)
      console.log(`\n${target.name}: agent's memory ${megabytes(memory.now)}, at its peak ${megabytes(memory.peak)}`);
  }
} finally {
  for (const target of targets) await target.stop();
  await issuer.stop();
  await server.stop();
}
