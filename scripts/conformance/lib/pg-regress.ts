import { withoutPort } from './verdict.js';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Way } from './ways.js';

/** What pg_regress gives a server of its own, as far as results depend on it. */
export const REGRESS_SETTINGS = { max_prepared_transactions: '2', shared_buffers: '128MB' };

/**
 * Runs PostgreSQL's regression suite; database `regression` is there afterwards.
 *
 * @param folder what `scripts/conformance/fetch` made
 * @param output a new folder for what comes out
 * @param which arguments that choose tests; all where left out
 * @returns the output of each test by name, ports and folders left out
 * @throws when pg_regress itself could not run
 */
export async function runRegress(
  folder: string,
  way: Way,
  output: string,
  which: { readonly tests?: readonly string[]; readonly maxConnections?: string } = {},
): Promise<ReadonlyMap<string, string>> {
  const source = join(folder, 'postgresql-src/src/test/regress');
  mkdirSync(output, { recursive: true });
  // The server writes into it as its own user.
  chmodSync(output, 0o777);
  const program = join(way.server.binDir, '../lib/pgxs/src/test/regress/pg_regress');
  const { tests = [], maxConnections = '10' } = which;
  const args = [
    `--inputdir=${source}`,
    `--outputdir=${output}`,
    `--dlpath=${join(folder, 'lib')}`,
    `--bindir=${way.server.binDir}`,
    `--max-connections=${maxConnections}`,
    '--host=127.0.0.1',
    `--port=${String(way.port)}`,
    `--user=${way.server.superuser.username}`,
    ...(tests.length > 0 ? ['test_setup', ...tests] : [`--schedule=${join(source, 'parallel_schedule')}`]),
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
      withoutPort(readFileSync(join(results, name), 'latin1'), way.port).replaceAll(output, 'OUTPUT'),
    ]),
  );
}
