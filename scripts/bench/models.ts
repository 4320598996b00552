// Measures model calls through hoop beside its peers: direct, nginx, Portkey's gateway, and a proxy of hoop's own parts. Rounds go through all ways in
// turn, so that a busy machine is busy for all of them; each figure is the median of its rounds.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { guard } from '../../test/support/guarded-process.js';
import { startIssuer } from './lib/issuer.js';
import type { Missing } from './lib/target.js';
import { measureRound, type Round } from './lib/models/figures.js';
import { LoadGenerator } from './lib/models/load-generator.js';
import { bodyGrowth, streamMemory } from './lib/models/memory.js';
import { modelHoop, type ModelHoop } from './lib/models/model-connections.js';
import { bareProxy, direct, nginx, portkey, type ModelTarget } from './lib/models/peers.js';
import { memoryRows, speedRows, table } from './lib/models/report.js';
import { checkAnswer, POLICIES } from './lib/models/workload.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    streams: { type: 'string', default: '10' },
    held: { type: 'string', default: '500' },
    cache: { type: 'string', default: join(tmpdir(), 'hoop-bench-cache') },
    quick: { type: 'boolean', default: false },
  },
});
const quick = values.quick;
const rounds = quick ? 1 : Number(values.rounds);
const options = quick
  ? { seconds: 0.5, streams: 2 }
  : { seconds: Number(values.seconds), streams: Number(values.streams) };
const held = quick ? 50 : Number(values.held);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function startUpstream(): Promise<{ replaying: string; plain: string; stop(): Promise<void> }> {
  const program = fileURLToPath(new URL('lib/models/upstream-process.ts', import.meta.url));
  const loader = import.meta.resolve('tsx');
  const child = guard([process.execPath, '--import', loader, program]);
  await child.outputMatching(/\}\n/);
  const line =
    child
      .output()
      .split('\n')
      .find((each) => each.startsWith('{')) ?? '';
  return { ...(JSON.parse(line) as { replaying: string; plain: string }), stop: () => child.stop() };
}

function hoopTargets(hoop: ModelHoop): readonly ModelTarget[] {
  return [
    ['hoop at the agent', hoop.direct('openai')] as const,
    ['hoop through the port', hoop.port('openai')] as const,
  ].map(([name, { url, apiKey }]) => {
    const { port, pathname } = new URL(`${url}/v1/chat/completions`);
    return {
      name,
      port: Number(port),
      path: pathname,
      headers: { authorization: `Bearer ${apiKey}` },
      stop: async () => undefined,
    };
  });
}

const upstream = await startUpstream();
const issuer = await startIssuer();
const hoop = await modelHoop(
  { url: upstream.replaying, plainUrl: upstream.plain },
  { issuer, policies: [], resources: POLICIES, limits: 'sessions: 2000' },
);
const load = new LoadGenerator();
const peers: (ModelTarget | Missing)[] = [direct(upstream.replaying), await nginx(upstream.replaying)];
for (const records of [false, true]) peers.push(await bareProxy(upstream.replaying, { records }));
peers.push(await portkey(upstream.replaying, values.cache));
const targets: ModelTarget[] = [];
for (const peer of [...peers, ...hoopTargets(hoop)]) {
  if ('missing' in peer) say(`left out: ${peer.name}: ${peer.missing}`);
  else targets.push(peer);
}
try {
  for (const target of targets) await checkAnswer(target.name, target, target.name.startsWith('hoop'));
  const results = new Map<string, Round[]>(targets.map(({ name }) => [name, []]));
  // The first round warms everything up, and is not counted.
  for (let round = 0; round <= rounds; round += 1)
    for (const target of targets) {
      const figures = await measureRound(load, target, round === 0 ? { seconds: 0.5, streams: 2 } : options);
      if (round > 0) results.get(target.name)?.push(figures);
      say(
        `round ${String(round)}: ${target.name}: ${JSON.stringify(figures, (_key, each: unknown) => (typeof each === 'number' ? Number(each.toPrecision(4)) : each))}`,
      );
    }
  const pid = hoop.processes.agentPid;
  const [at] = hoopTargets(hoop);
  if (at === undefined) throw new Error('no way through hoop');
  const streams = await streamMemory(load, at, { pid, streams: held, seconds: quick ? 2 : 15 });
  const web = hoop.direct('http');
  const body = { pid, megabytes: 100 };
  await bodyGrowth(web, { ...body, way: 'up' });
  const up = await bodyGrowth(web, { ...body, way: 'up' });
  const down = await bodyGrowth(web, { ...body, way: 'down' });
  console.log(
    `Medians of ${String(rounds)} interleaved rounds; Node ${process.version}; rules, masks and recording on\n`,
  );
  console.log(
    table(
      targets.map(({ name }) => name),
      speedRows(results),
    ),
  );
  console.log(`\n${memoryRows({ held, ...streams, up, down })}`);
} finally {
  load.stop();
  for (const target of targets) await target.stop();
  await hoop.stop();
  await issuer.stop();
  await upstream.stop();
}
