// PostgreSQL's own regression suite, direct and through hoop, its output compared file by file.
//
//   node --import tsx scripts/conformance/regress.ts FOLDER [--max-connections N] [--test NAME …] [--keep DIR]
//
// FOLDER is what `scripts/conformance/fetch` made. --test runs the named ones alone, after test_setup.
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { report } from './lib/verdict.js';
import { openWay, type Way } from './lib/ways.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'max-connections': { type: 'string', default: '0' },
    test: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
  },
});

/** What pg_regress gives a server of its own, as far as results depend on it. */
const SETTINGS = { max_prepared_transactions: '2', shared_buffers: '128MB' };

async function suite(folder: string, way: Way, output: string): Promise<ReadonlyMap<string, string>> {
  const source = join(folder, 'postgresql-src/src/test/regress');
  mkdirSync(output, { recursive: true });
  // The server writes into it as its own user.
  chmodSync(output, 0o777);
  const program = join(way.server.binDir, '../lib/pgxs/src/test/regress/pg_regress');
  const which =
    values.test.length > 0 ? ['test_setup', ...values.test] : [`--schedule=${join(source, 'parallel_schedule')}`];
  const args = [
    `--inputdir=${source}`,
    `--outputdir=${output}`,
    `--dlpath=${join(folder, 'lib')}`,
    `--bindir=${way.server.binDir}`,
    `--max-connections=${values['max-connections']}`,
    '--host=127.0.0.1',
    `--port=${String(way.port)}`,
    `--user=${way.server.superuser.username}`,
    ...which,
  ];
  const child = spawn('/bin/sh', ['-c', 'umask 0; exec "$@"', 'sh', program, ...args], {
    cwd: output,
    env: { ...way.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const status = await new Promise((done) => child.on('close', done));
  process.stderr.write(`${way.name}: ${/^\s*(All \d+|\d+ of \d+) tests.*$/m.exec(log)?.[0].trim() ?? log}\n`);
  if (status === 2) throw new Error(`pg_regress could not run:\n${log}`);
  const results = join(output, 'results');
  const files = readdirSync(results).filter((name) => name.endsWith('.out'));
  return new Map(
    files.map((name) => [
      name.slice(0, -'.out'.length),
      readFileSync(join(results, name), 'latin1').replaceAll(String(way.port), 'PORT').replaceAll(output, 'OUTPUT'),
    ]),
  );
}

async function run(): Promise<number> {
  const [given] = positionals;
  if (given === undefined || !existsSync(join(resolve(given), 'lib/regress.so'))) {
    console.error('expected the folder that scripts/conformance/fetch made');
    return 2;
  }
  const folder = resolve(given);
  const scratch = mkdtempSync(join(tmpdir(), 'hoop-regress-'));
  chmodSync(scratch, 0o755);
  const found: ReadonlyMap<string, string>[] = [];
  try {
    for (const name of ['direct', 'hoop'] as const) {
      const way = await openWay(name, { settings: SETTINGS });
      try {
        found.push(await suite(folder, way, join(scratch, name)));
      } finally {
        await way.stop();
      }
    }
    if (values.keep !== undefined) cpSync(scratch, values.keep, { recursive: true });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const [direct, hoop] = found;
  const names = [...new Set([...(direct?.keys() ?? []), ...(hoop?.keys() ?? [])])].sort();
  return report(names.map((name) => ({ name, direct: direct?.get(name), hoop: hoop?.get(name) })));
}

process.exitCode = await run();
