import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { makeAgentFolder, openPort, type AgentFolder } from '../../../test/support/agent.js';
import { startAgentProcess, type AgentProcess } from '../../../test/support/agent-process.js';
import type { PostgresServer } from '../../../test/support/postgres-server.js';
import { CrashWorld } from './crash-world.js';

/** How the server says that nothing is run because nothing can be recorded. */
const IO_ERROR = '58030';

interface RefusalCase {
  readonly title: string;
  /** @returns what was seen */
  readonly run: (postgres: PostgresServer, durability: Durability) => Promise<string>;
}

/** `recordings.durability` of the agent. */
export type Durability = 'flush' | 'sync';

interface Scene {
  readonly folder: AgentFolder;
  readonly world: CrashWorld;
  readonly agent: AgentProcess;
  readonly disk: string;
  connect(): Promise<Client>;
}

/** The ways in which recording becomes impossible while the agent runs. */
export const REFUSALS: Readonly<Record<string, RefusalCase>> = {
  disk: {
    title: 'a disk without room',
    run: (postgres, durability) =>
      onDisk(postgres, durability, async (scene) => {
        const early = await scene.connect();
        await insert(scene, early, 1);
        const filler = join(scene.disk, 'filler');
        fill(filler);
        const answered = await untilRefused(scene, early, 2);
        await refusedNewSession(scene);
        rmSync(filler);
        await insert(scene, await scene.connect(), 1);
        return `${String(answered)} more fitted into the last block, then refused; new sessions refused, and served again with room`;
      }),
  },
  readonly: {
    title: 'a folder that becomes read-only',
    run: (postgres, durability) =>
      onDisk(postgres, durability, async (scene) => {
        const early = await scene.connect();
        await insert(scene, early, 1);
        // The open recordings keep it from being mounted read-only: their sessions end first.
        await early.end();
        await remount(scene.disk, 'ro');
        await refusedNewSession(scene);
        const ready = (await fetch(`${scene.agent.url}/readyz`)).status;
        if (ready !== 503) throw new Error(`/readyz says ${String(ready)}`);
        await remount(scene.disk, 'rw');
        await insert(scene, await scene.connect(), 1);
        return 'new sessions refused, /readyz 503; served again once it is writable';
      }),
  },
  descriptors: {
    title: 'no descriptors left',
    run: (postgres, durability) =>
      withAgent(postgres, durability, async (scene) => {
        const early = await scene.connect();
        await insert(scene, early, 1);
        const { pid } = scene.agent;
        const open = readdirSync(`/proc/${String(pid)}/fd`).length;
        execFileSync('prlimit', ['--pid', String(pid), `--nofile=${String(open)}:`]);
        await refusedNewSession(scene);
        await insert(scene, early, 2);
        execFileSync('prlimit', ['--pid', String(pid), '--nofile=10000:']);
        await insert(scene, await scene.connect(), 1);
        return 'new sessions refused, the one under way went on; served again with descriptors';
      }),
  },
};

async function withAgent(
  postgres: PostgresServer,
  durability: Durability,
  run: (scene: Scene) => Promise<string>,
  prepare?: (disk: string) => void,
): Promise<string> {
  const folder = await makeAgentFolder({ postgres, recordingsSpec: `durability: ${durability}` });
  const disk = join(folder.dir, 'recordings');
  prepare?.(disk);
  const world = new CrashWorld(folder);
  await world.prepare();
  let agent = await startAgentProcess(folder);
  const token = await folder.issuer.token({ sub: 'ann', groups: ['engineering'] });
  const opened = await openPort(agent.url, 'postgres', token);
  const clients: Client[] = [];
  const connect = async (): Promise<Client> => {
    const client = new Client({
      host: '127.0.0.1',
      port: opened.port,
      user: 'x',
      database: folder.database,
      ssl: false,
    });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  try {
    const seen = await run({ folder, world, agent, disk, connect });
    for (const client of clients) await client.end();
    opened.close();
    await agent.kill();
    agent = await startAgentProcess(folder);
    const keys = await world.keys(agent);
    await agent.stop();
    const { recordings } = await world.check(keys);
    return `${seen}; all ${String(recordings)} recordings hold`;
  } finally {
    if (agent.running()) await agent.kill();
    await folder.issuer.close();
    if (prepare !== undefined) execFileSync('umount', [disk]);
    await rm(folder.dir, { recursive: true, force: true });
  }
}

/** The same with the recordings on a small file system of their own. */
function onDisk(
  postgres: PostgresServer,
  durability: Durability,
  run: (scene: Scene) => Promise<string>,
): Promise<string> {
  return withAgent(postgres, durability, run, (disk) => {
    mkdirSync(disk, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'hoop-crash', disk]);
  });
}

/** Files still being closed keep a file system from becoming read-only; waited for up to ten seconds. */
async function remount(disk: string, mode: 'ro' | 'rw'): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      execFileSync('mount', ['-o', `remount,${mode}`, disk], { stdio: 'ignore' });
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

let workers = 1_000_000;

async function insert({ world }: Scene, client: Client, n: number, note = ''): Promise<void> {
  const worker = (workers += 1);
  await client.query(`insert into acknowledged values (${String(worker)}, ${String(n)})${note}`);
  world.acknowledged.push(`${String(worker)}, ${String(n)}`);
}

async function untilRefused(scene: Scene, client: Client, from: number): Promise<number> {
  for (let n = from; n < from + 100; n += 1) {
    try {
      await insert(scene, client, n, ` /* ${'x'.repeat(500)} */`);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== IO_ERROR) throw error;
      return n - from;
    }
  }
  throw new Error('100 statements were recorded on a disk without room');
}

async function refusedNewSession(scene: Scene): Promise<void> {
  const opened = await scene.connect().then(
    async (client) => {
      await insert(scene, client, 1);
      return true;
    },
    () => false,
  );
  if (opened) throw new Error('a session was served that could not be recorded');
}
