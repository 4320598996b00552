// What idle sessions cost the agent in memory: a real agent, one `hoop connect`, a real server, standard rules and
// masks. Says resident memory after collected garbage, before, with and after the sessions.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { queryMessage, startupPacket } from '../../src/protocols/postgres/wire/messages.js';
import { startPostgres } from '../../test/support/postgres-server.js';
import { hoop } from './lib/hoop.js';
import { startIssuer } from './lib/issuer.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000' },
    /** Statements that each session runs before it idles. */
    statements: { type: 'string', default: '1' },
    /** Keeps heap snapshots beside the figures, for Chrome's viewer. */
    snapshots: { type: 'boolean', default: false },
    'no-policy': { type: 'boolean', default: false },
  },
});

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly asked: number;
}

const count = Number(values.sessions);
const server = await startPostgres({ settings: { max_connections: String(count + 50), shared_buffers: '128MB' } });
const issuer = await startIssuer();
const folder = mkdtempSync(join(tmpdir(), 'hoop-idle-'));
const file = join(folder, 'memory.json');
await server.createDatabase('idle', 'CREATE TABLE people (id int, email text)');
const target = await hoop({
  name: 'hoop',
  policies: values['no-policy'] ? [] : ['standard-sql.yaml', 'standard-masking.yaml'],
  issuer,
  server,
  database: 'idle',
  limits: ` sessions: ${String(count + 10)} `,
  node: ['--expose-gc', '--import', fileURLToPath(new URL('lib/memory-on-signal.mjs', import.meta.url))],
  env: { BENCH_MEMORY_FILE: file, BENCH_HEAP_SNAPSHOTS: values.snapshots ? 'yes' : 'no' },
});

/** Opens a session and runs its statements; resolves when the server is ready again. */
async function open(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: target.port, noDelay: true });
  await once(socket, 'connect');
  socket.write(
    startupPacket([
      ['user', 'bench'],
      ['database', 'idle'],
      ['application_name', 'idle-sessions'],
    ]),
  );
  await ready(socket);
  for (let statement = 0; statement < Number(values.statements); statement += 1) {
    socket.write(queryMessage(`SELECT id, email FROM people WHERE id = ${String(statement)}`));
    await ready(socket);
  }
  return socket;
}

/** ReadyForQuery is always the last message that comes. */
function ready(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let tail = Buffer.alloc(0);
    const take = (bytes: Buffer): void => {
      tail = Buffer.concat([tail, bytes]).subarray(-6);
      if (tail.length < 6 || tail.readUInt8(0) !== 0x5a || tail.readUInt32BE(1) !== 5) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
    socket.once('close', () => {
      reject(new Error(`a session was ended: ${tail.toString('latin1')}`));
    });
  });
}

let asked = 0;
async function memory(): Promise<Memory> {
  asked += 1;
  process.kill(target.agentPid ?? 0, 'SIGUSR2');
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!existsSync(file)) continue;
    const read = JSON.parse(readFileSync(file, 'utf8')) as Memory;
    if (read.asked === asked) return read;
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const line = (name: string, now: Memory, base?: Memory): string => {
  const kinds = ['rss', 'heapUsed', 'external'] as const;
  const cells = kinds.map((kind) =>
    base === undefined
      ? `${kind} ${mebibytes(now[kind])}`
      : `${kind} +${mebibytes(now[kind] - base[kind])} (${((now[kind] - base[kind]) / 1024 / count).toFixed(1)} KiB each)`,
  );
  return `${name}: ${cells.join(', ')}`;
};

try {
  // What is loaded or remembered once belongs to the base.
  for (let warm = 0; warm < 20; warm += 1) (await open()).destroy();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const base = await memory();
  console.log(line('base', base));
  const sockets: Socket[] = [];
  while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: 20 }, open))));
  const full = await memory();
  console.log(line(`${String(count)} idle sessions`, full, base));
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  console.log(line('after they ended', await memory(), base));
  if (values.snapshots) console.log(`snapshots: ${folder}`);
} finally {
  await target.stop();
  await issuer.stop();
  await server.stop();
  if (!values.snapshots) rmSync(folder, { recursive: true });
}
