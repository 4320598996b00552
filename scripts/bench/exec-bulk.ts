// 100 MB through `hoop exec`: a COPY in and out, by the driver built in and by psql as its child, and results of 100 MB in
// each format. Says throughput, and the peak of resident memory beside that of a small result: it must not grow with
// what is carried. What came out is compared with what went in.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../test/support/postgres-server.js';
import { cliEnv, hoopProcesses, memoryOf } from './lib/hoop-processes.js';
import { startIssuer } from './lib/issuer.js';

const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '100' } } });
/** Resident memory may grow by this much over that of a small result: buffers of pipes, sockets and the collector. */
const ALLOWED_MB = 60;
const BYTES = Number(values.megabytes) * 1_000_000;
const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'hoop-bulk-'));
const server = await startPostgres({ settings: { shared_buffers: '128MB', max_wal_size: '2GB' } });
await server.createDatabase('bulk', 'CREATE UNLOGGED TABLE rows (id int, text text)');
await server.sql('GRANT ALL ON rows TO PUBLIC', 'bulk');
const issuer = await startIssuer();
const processes = await hoopProcesses({
  issuer,
  resources: `apiVersion: hoop/v1
kind: Connection
metadata: { name: postgres }
spec:
  type: postgres
  address: 127.0.0.1:${String(server.port)}
  database: bulk
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: ${server.app.username}, password: { env: BENCH_PASSWORD } }]
  access: { groups: ['*'] }
`,
  policies: ['standard-sql.yaml'],
  connections: ['postgres'],
  env: { BENCH_PASSWORD: server.app.password },
});
const { agentUrl } = processes;
const env = { PATH: process.env['PATH'], ...(await cliEnv({ agentUrl, issuer, home: folder })) };

interface Run {
  readonly seconds: number;
  readonly peakMb: number;
}

/** Runs `hoop exec postgres …` between two files. */
async function exec(args: readonly string[], from: string, to: string): Promise<Run> {
  const [input, output] = [openSync(from, 'r'), openSync(to, 'w')];
  const started = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'exec', 'postgres', ...args], {
    env,
    stdio: [input, output, 'inherit'],
  });
  let peak = 0;
  const watch = setInterval(() => {
    // One that has just ended tells no figure any more.
    peak = Math.max(peak, memoryOf(child.pid)?.peak || 0);
  }, 20);
  const status = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(watch);
  closeSync(input);
  closeSync(output);
  if (status !== 0) throw new Error(`hoop exec ${args.join(' ')} ended with ${String(status)}`);
  return { seconds: (performance.now() - started) / 1000, peakMb: peak / 1e6 };
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** Rows as COPY writes them, of 100 bytes each. */
function writeRows(path: string): void {
  const file = openSync(path, 'w');
  let row = 0;
  for (let written = 0; written < BYTES;) {
    let lines = '';
    for (let count = 0; count < 10_000; count += 1, row += 1) {
      const id = String(row);
      lines += `${id}\t${'the quick brown fox jumps over the lazy dog '.repeat(3).slice(0, 98 - id.length)}\n`;
    }
    written += writeSync(file, lines);
  }
  closeSync(file);
}

const path = (name: string): string => join(folder, name);
try {
  writeRows(path('rows'));
  const wanted = await digest(path('rows'));
  const small = await exec(['-i', 'SELECT 1'], '/dev/null', path('small'));
  const psqlSmall = await exec(['--', 'psql', '-c', 'SELECT 1'], '/dev/null', path('small'));
  console.log('| what | out | seconds | MB/s | peak of exec | of a small one |\n| --- | --- | --- | --- | --- | --- |');
  const missed: string[] = [];
  const report = (what: string, run: Run, moved: number, base: Run): void => {
    const rate = moved / 1e6 / run.seconds;
    console.log(
      `| ${what} | ${(moved / 1e6).toFixed(0)} MB | ${run.seconds.toFixed(1)} | ${rate.toFixed(0)} | ${run.peakMb.toFixed(0)} MB | ${base.peakMb.toFixed(0)} MB |`,
    );
    if (run.peakMb > base.peakMb + ALLOWED_MB) missed.push(what);
  };
  const same = async (what: string): Promise<void> => {
    if ((await digest(path('out'))) !== wanted) throw new Error(`${what}: what came out is not what went in`);
  };
  for (const [what, command, base] of [
    ['-i COPY', (sql: string) => ['-i', sql], small],
    ['-- psql', (sql: string) => ['--', 'psql', '-q', '-c', sql], psqlSmall],
  ] as const) {
    await server.sql('TRUNCATE rows', 'bulk');
    const moved = statSync(path('rows')).size;
    report(`${what}, in`, await exec(command('COPY rows FROM STDIN'), path('rows'), path('none')), moved, base);
    report(`${what}, out`, await exec(command('COPY rows TO STDOUT'), '/dev/null', path('out')), moved, base);
    await same(what);
  }
  for (const format of ['table', 'csv', 'ndjson', 'json']) {
    const run = await exec(['-i', 'SELECT * FROM rows', '-o', format], '/dev/null', path('out'));
    report(`SELECT, -o ${format}`, run, statSync(path('out')).size, small);
  }
  const agent = memoryOf(processes.agentPid);
  console.log(`\nAgent: ${((agent?.peak ?? 0) / 1e6).toFixed(0)} MB at its peak.`);
  if (missed.length > 0) throw new Error(`memory grew with what was carried: ${missed.join('; ')}`);
} finally {
  await processes.stop();
  await issuer.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
