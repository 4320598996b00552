// What `hoop replay` costs on a large recording: the first opening (index), the next ones (kept index), seeks by time,
// by event and to what was blocked, memory of the player and of each format. The recording is a real one, chained,
// sealed, and made in a process of its own, so that the figures are of reading alone. Needs Linux (VmHWM).
//
//   npx tsx scripts/bench/replay.ts --mib 1024 [--file PATH] [--keep]
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { nearest } from '../../src/client/replay/replay-moves.js';
import { windowRows } from '../../src/client/replay/replay-window.js';
import type { RecordedEvent } from '../../src/core/events.js';
import { uuidv7 } from '../../src/core/ids.js';
import { generateRecordingKey } from '../../src/recording/keys.js';
import { openRecordings } from '../../src/recording/recordings.js';
import { IndexCache } from '../../src/recording/replay/index-cache.js';
import { ReplayLog } from '../../src/recording/replay/log.js';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    file: { type: 'string' },
    keep: { type: 'boolean', default: false },
    seeks: { type: 'string', default: '200' },
    /** Of the child that writes the recording. */
    generate: { type: 'boolean', default: false },
  },
});
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function eventsOf(number: number): RecordedEvent[] {
  const blocked = number % 997 === 0;
  const text = `SELECT id, name, email, city FROM customers WHERE city = 'town ${String(number % 313)}' ORDER BY id LIMIT 20`;
  const row = (at: number): string[] => [String(number + at), `Customer ${String(at)}`, 'a***@example.com', 'Lisbon'];
  return [
    {
      type: 'statement',
      statement: number,
      text,
      via: 'query',
      facts: { kind: 'select', tables: ['public.customers'] },
    },
    {
      type: 'decision',
      statement: number,
      action: blocked ? 'block' : 'allow',
      rules: blocked ? ['production-sql/where-required'] : [],
      policyHash: 'ab'.repeat(32),
    },
    ...(blocked
      ? []
      : ([
          {
            type: 'output',
            statement: number,
            columns: ['id', 'name', 'email', 'city'],
            rows: Array.from({ length: 12 }, (_, at) => row(at)),
            totalRows: 12,
          },
          { type: 'result', statement: number, tag: 'SELECT 12', rows: 12, masked: { email: 12 }, durationMs: 1.25 },
        ] satisfies RecordedEvent[])),
  ];
}

async function generate(file: string, bytes: number): Promise<void> {
  const dir = mkdtempSync(join(dirname(file), 'generate-'));
  let nowMs = Date.parse('2026-11-21T04:30:44.123Z');
  const recordings = openRecordings({
    dir,
    durability: 'flush',
    key: generateRecordingKey(),
    clock: { nowMs: () => nowMs, timestamp: () => new Date((nowMs += 3)).toISOString().replace('Z', '456Z') },
    index: {
      sessionOpened: () => undefined,
      sessionSealed: () => undefined,
      statementsSeen: () => undefined,
      flush: () => undefined,
    },
    onFault: (fault) => console.error(fault),
  });
  const session = uuidv7(nowMs, new Uint8Array(10).fill(7));
  const recorder = recordings.open({
    type: 'session.start',
    session,
    user: {
      subject: 'u-1',
      email: 'ann@example.com',
      groups: [],
      issuer: 'https://id.example.com',
      machine: false,
      attributes: {},
    },
    connection: { name: 'postgres', type: 'postgres', labels: { env: 'prod' } },
    credential: 'hoop_app',
    client: { application: 'psql', address: '127.0.0.1' },
  });
  const path = (): string => {
    const day = readdirSync(dir).find((name) => /^\d{4}-/.test(name)) ?? '';
    return join(dir, day, `${session}.ndjson`);
  };
  let number = 0;
  do {
    for (let count = 0; count < 500; count += 1) for (const event of eventsOf((number += 1))) recorder.record(event);
    await recorder.flush();
  } while (statSync(path()).size < bytes);
  await recorder.seal({ type: 'session.end', reason: 'client', statements: number, blocked: Math.floor(number / 997) });
  await recordings.close();
  renameSync(path(), file);
  rmSync(dir, { recursive: true });
}

function percentile(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
}

async function timed(name: string, count: number, one: (at: number) => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const startMs = performance.now();
    await one(at);
    times.push(performance.now() - startMs);
  }
  times.sort((left, right) => left - right);
  console.log(
    `${name.padEnd(34)} p50 ${percentile(times, 0.5)} ms  p95 ${percentile(times, 0.95)} ms  most ${percentile(times, 1)} ms`,
  );
}

/** The most memory that a process ever held, MB. */
function peakMb(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** @param command run by `sh`; `keys` are typed once it has run for a while */
async function peakOf(name: string, command: string, args: readonly string[], keys = ''): Promise<void> {
  const startMs = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color', HOOP_CONFIG_DIR: join(folder, 'config'), CI: 'false' },
  });
  let most = 0;
  const look = (): void => {
    for (const pid of family(child.pid as number)) most = Math.max(most, peakMb(pid));
  };
  const timer = setInterval(look, 50);
  const ended = new Promise((resolve) => child.once('close', resolve));
  for (const key of keys) {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.stdin.write(key);
  }
  if (keys === '') child.stdin.end();
  await ended;
  clearInterval(timer);
  console.log(
    `${name.padEnd(34)} ${most.toFixed(0)} MB at most, ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
  );
}

/** A process and what it started. */
function family(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').trim();
    return [
      pid,
      ...children
        .split(' ')
        .filter((one) => one !== '')
        .flatMap((one) => family(Number(one))),
    ];
  } catch {
    return [];
  }
}

const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-replay-'));
const file = values.file ?? join(folder, 'recording.ndjson');
if (values.generate) {
  await generate(file, Number(values.mib) * 1024 * 1024);
  process.exit();
}
if (!existsSync(file)) {
  execFileSync('npx', ['tsx', fileURLToPath(import.meta.url), '--generate', '--mib', values.mib, '--file', file], {
    stdio: 'inherit',
  });
}
const bytes = statSync(file).size;
const handle = await open(file);
const log = new ReplayLog(handle);
const indexMs = performance.now();
await log.extend();
console.log(
  `${(bytes / 1e6).toFixed(0)} MB, ${String(log.length)} events, ${String(log.index.total('statement'))} statements`,
);
console.log(`${'first opening (index)'.padEnd(34)} ${((performance.now() - indexMs) / 1000).toFixed(1)} s`);
const cache = new IndexCache(join(folder, 'config', 'replay-index'));
const stats = await handle.stat({ bigint: true });
await cache.save(file, stats, log.index);
await timed('next opening (kept index)', 10, () => cache.load(file, stats));
const seeks = Number(values.seeks);
// Spread over the file so that no seek finds its block read already.
const part = (at: number): number => (at * 0.618034) % 1;
await timed('seek by time, drawn', seeks, async (at) => {
  await windowRows(log, await log.eventAt(log.startMs + part(at) * (log.endMs - log.startMs)));
});
await timed('seek by event, drawn', seeks, (at) => windowRows(log, Math.floor(part(at) * log.length)));
await timed('next blocked', seeks, (at) => nearest(log, Math.floor(part(at) * log.length), 1, 'blocked'));
await log.close();
console.log(`${'this process'.padEnd(34)} ${peakMb(process.pid).toFixed(0)} MB at most (with tsx)`);
const run = (...args: string[]): string[] => ['bin/run.js', 'replay', file, ...args];
const player = `stty cols 120 rows 40; exec ${[process.execPath, ...run()].join(' ')}`;
await peakOf('player', 'script', ['-qec', player, '/dev/null'], '5b937BGgq');
for (const format of ['text', 'json', 'html', 'asciicast']) {
  await peakOf(`--format ${format}`, process.execPath, run('--format', format));
}
if (!values.keep) rmSync(folder, { recursive: true });
