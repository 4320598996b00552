// What recording takes of the throughput: two agents with the standard policies and masks, one of which writes no events
// (lib/without-recording.mjs). Rounds go through both in turn; the ratio of a round is on to off, the figure their median.
//
//   npx tsx scripts/bench/recording-cost.ts [--rounds 7] [--seconds 2] [--megabytes 40]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { guard } from '../../test/support/guarded-process.js';
import { startPostgres } from '../../test/support/postgres-server.js';
import { hoop } from './lib/hoop.js';
import { startIssuer } from './lib/issuer.js';
import { measures, seed } from './lib/measures.js';
import { LoadGenerator } from './lib/models/load-generator.js';
import { modelHoop } from './lib/models/model-connections.js';
import { POLICIES, REQUEST } from './lib/models/workload.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    megabytes: { type: 'string', default: '40' },
  },
});
const seconds = Number(values.seconds);
const WITHOUT = ['--import', new URL('lib/without-recording.mjs', import.meta.url).href];
const database = 'bench';

/** One figure by one way: what got done, and the agent's processor time in seconds. */
interface Figure {
  readonly amount: number;
  readonly cpu: number;
}

/** An agent that is measured: its process, and each thing that is done through it. */
interface Way {
  readonly pid: number;
  readonly run: ReadonlyMap<string, () => Promise<number>>;
  stop(): Promise<void>;
}

const CLOCK_TICKS = 100;

/** Processor time of all threads of a process, in seconds, as proc(5) has it. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

const server = await startPostgres();
const issuer = await startIssuer();
const options = { server, database, seconds, megabytes: Number(values.megabytes) };
await seed(options);
const upstream = guard([
  ...[process.execPath, '--import', import.meta.resolve('tsx')],
  fileURLToPath(new URL('lib/models/upstream-process.ts', import.meta.url)),
]);
await upstream.outputMatching(/\}\n/);
const urls = JSON.parse(/^\{.*$/m.exec(upstream.output())?.[0] ?? '{}') as { replaying: string; plain: string };
const load = new LoadGenerator();

async function postgresWay(node: readonly string[]): Promise<Way> {
  const policies = ['standard-sql.yaml', 'standard-masking.yaml'];
  const target = await hoop({ name: 'hoop', server, database, issuer, policies, node });
  const run = new Map(measures(options).map((measure) => [measure.name, () => measure.run(target)]));
  return { pid: target.agentPid, run, stop: () => target.stop() };
}

async function modelWay(node: readonly string[]): Promise<Way> {
  const resources = POLICIES;
  const way = await modelHoop({ url: urls.replaying, plainUrl: urls.plain }, { issuer, policies: [], resources, node });
  const { url, apiKey } = way.direct('openai');
  const { port, pathname } = new URL(`${url}/v1/chat/completions`);
  const headers = { authorization: `Bearer ${apiKey}` };
  const target = { name: 'hoop', port: Number(port), path: pathname, headers, stop: () => Promise.resolve() };
  const requests = (clients: number) => [
    `model JSON requests, ${String(clients)} clients`,
    async () => (await load.requests(target, REQUEST, { clients, seconds })).perSecond,
  ];
  const run = new Map([requests(1), requests(32)] as [string, () => Promise<number>][]);
  return { pid: way.processes.agentPid, run, stop: () => way.stop() };
}

async function compare(open: (node: readonly string[]) => Promise<Way>): Promise<void> {
  const [on, off] = [await open([]), await open(WITHOUT)];
  for (const [name, run] of on.run) {
    const figure = async (way: Way): Promise<Figure> => {
      const before = cpuOf(way.pid);
      const amount = await (way === on ? run : way.run.get(name))?.();
      return { amount: amount ?? NaN, cpu: cpuOf(way.pid) - before };
    };
    const ratios: number[] = [];
    const work: number[] = [];
    await figure(on);
    await figure(off);
    for (let round = 0; round < Number(values.rounds); round += 1) {
      // The order changes, so that neither always runs on a machine that the other has warmed.
      const first = round % 2 === 0 ? on : off;
      const one = await figure(first);
      const two = await figure(first === on ? off : on);
      const [with_, without] = first === on ? [one, two] : [two, one];
      ratios.push(with_.amount / without.amount);
      work.push(with_.cpu / with_.amount / (without.cpu / without.amount));
    }
    const percent = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)} %`;
    console.log(`| ${name} | ${percent(median(ratios))} | ${percent(median(work))} |`);
  }
  await on.stop();
  await off.stop();
}

try {
  console.log('| what | throughput, recording on against off | processor time of the agent for the same |');
  console.log('| --- | --- | --- |');
  await compare(postgresWay);
  await compare(modelWay);
} finally {
  load.stop();
  await upstream.stop();
  await issuer.stop();
  await server.stop();
}
