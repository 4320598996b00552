// Kills the agent with SIGKILL at random moments, again and again, and looks at what is left: nothing that a client was
// answered, and nothing that the server ran, may be missing from the record; a file left by a crash is never taken for
// tampered with; the next start seals everything. Then what stops a recording without a crash: a disk without room, a
// folder that is read-only, no descriptors left. There statements are refused and nothing runs.
//
//   node --import tsx scripts/stress/crash.ts [--rounds 200] [--durability flush|sync|both] [--only rounds,disk,…]
//
// The last line is `N passed, N failed`. Mounting a file system needs root; without, those cases say that they were left out.
import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { makeAgentFolder } from '../../test/support/agent.js';
import { startPostgres } from '../../test/support/postgres-server.js';
import { startAgentProcess, type AgentProcess } from '../../test/support/agent-process.js';
import { CrashWorld } from './lib/crash-world.js';
import { REFUSALS, type Durability } from './lib/refusal-cases.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    durability: { type: 'string', default: 'both' },
    only: { type: 'string', default: '' },
  },
});
const only = values.only.split(',').filter((name) => name !== '');
const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One life of the agent, ended at a moment that chance picks. */
async function oneRound(world: CrashWorld, kinds: Map<string, number>): Promise<number> {
  const dice = randomInt(10);
  const count = (kind: string): void => void kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  if (dice === 0) {
    count('while starting');
    await startAgentProcess(world.folder, { killAfterMs: randomInt(1200) }).then(
      (agent) => agent.kill(),
      () => undefined,
    );
    return 0;
  }
  const agent = await startAgentProcess(world.folder);
  const keys = await world.keys(agent);
  const { started, ended } = await world.work(agent);
  await started;
  await pause(randomInt(600));
  if (dice === 1) {
    count('while stopping');
    await Promise.race([agent.stop(), pause(randomInt(60))]);
    if (agent.running()) await agent.kill();
  } else {
    count('while working');
    await agent.kill();
  }
  await ended;
  return world.afterCrash(keys);
}

async function rounds(durability: Durability, count: number): Promise<string> {
  const folder = await makeAgentFolder({ postgres, recordingsSpec: `durability: ${durability}` });
  const world = new CrashWorld(folder);
  const kinds = new Map<string, number>();
  let unsealed = 0;
  try {
    await world.prepare();
    for (let round = 1; round <= count; round += 1) {
      unsealed += await oneRound(world, kinds);
      if (round % 20 === 0 || round === count) {
        const agent: AgentProcess = await startAgentProcess(folder);
        const keys = await world.keys(agent);
        await agent.stop();
        const { recordings, crashed } = await world.check(keys);
        const lives = `${String(round)} rounds, ${String(world.acknowledged.length)} statements answered`;
        console.error(
          `${lives}, ${String(recordings)} recordings hold, ${String(crashed)} of them sealed after a crash`,
        );
      }
    }
    const how = [...kinds].map(([kind, times]) => `${String(times)} ${kind}`).join(', ');
    const { acknowledged, sessions } = world;
    return `${String(count)} kills (${how}); ${String(acknowledged.length)} statements answered in ${String(sessions)} sessions, none missing; ${String(unsealed)} files left open, all sealed at the next start`;
  } finally {
    await folder.issuer.close();
    await rm(folder.dir, { recursive: true, force: true });
  }
}

const postgres = await startPostgres();
let [passed, failed] = [0, 0];
async function run(title: string, work: () => Promise<string>): Promise<void> {
  try {
    console.log(`ok     ${title}: ${await work()}`);
    passed += 1;
  } catch (error) {
    console.log(`FAILED ${title}: ${(error as Error).stack ?? String(error)}`);
    failed += 1;
  }
}

const durabilities: readonly string[] = values.durability === 'both' ? ['flush', 'sync'] : [values.durability];
for (const durability of durabilities) {
  if (durability !== 'flush' && durability !== 'sync') throw new TypeError('--durability takes flush, sync or both');
  if (wanted('rounds'))
    await run(`killed at random, durability ${durability}`, () => rounds(durability, Number(values.rounds)));
  for (const [name, refusal] of Object.entries(REFUSALS))
    if (wanted(name)) await run(`${refusal.title}, durability ${durability}`, () => refusal.run(postgres, durability));
}
console.log(`${String(passed)} passed, ${String(failed)} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
await postgres.stop();
