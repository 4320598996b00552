// pg_dump, pg_dumpall and pg_restore direct and through hoop, compared byte by byte. The schema is the one that
// PostgreSQL's regression suite leaves behind: every kind of object that there is.
//
//   node --import tsx scripts/conformance/dump.ts FOLDER
//
// FOLDER is what `scripts/conformance/fetch` made.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startPostgres, type PostgresServer } from '../../test/support/postgres-server.js';
import { REGRESS_SETTINGS, runRegress } from './lib/pg-regress.js';
import { report, type Outcome, withoutPort } from './lib/verdict.js';
import { wayTo, type Way } from './lib/ways.js';

const DATABASE = 'regression';
/** Without it each dump has a random word of its own. */
const KEY = '--restrict-key=conformance';
const PLAIN = ['pg_dump', KEY, '-d', DATABASE];

/** What is printed is the dump. */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  'plain dump': PLAIN,
  'schema only': [...PLAIN, '--schema-only'],
  'data only': [...PLAIN, '--data-only'],
  'data only, triggers off': [...PLAIN, '--data-only', '--disable-triggers'],
  'as inserts': [...PLAIN, '--column-inserts', '--rows-per-insert=7', '--on-conflict-do-nothing'],
  'with create and clean': [...PLAIN, '--create', '--clean', '--if-exists'],
  'serializable and deferrable': [...PLAIN, '--serializable-deferrable'],
  'as LATIN1 with quotes': [...PLAIN, '-E', 'LATIN1', '--quote-all-identifiers', '-t', 'onek'],
  'large objects left out': [...PLAIN, '--no-blobs', '-n', 'public'],
  'globals only': ['pg_dumpall', KEY, '--globals-only'],
  'all databases': ['pg_dumpall', KEY],
};
/** Archives have the time in them: compared is what pg_restore makes of them. */
const ARCHIVES: Readonly<Record<string, readonly string[]>> = {
  'custom format': ['-Fc'],
  'tar format': ['-Ft'],
  'directory format': ['-Fd'],
  'directory format, 3 at once': ['-Fd', '-j', '3'],
};

interface Ran {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

function run(way: Way, [program = '', ...args]: readonly string[]): Promise<Ran> {
  const options = { env: { ...way.env }, maxBuffer: 1 << 30, encoding: 'latin1' } as const;
  return new Promise((done) => {
    execFile(join(way.server.binDir, program), args, options, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : (error.code ?? String(error.signal)), stdout, stderr });
    });
  });
}

function asText(ran: Ran, way: Way): string {
  const { length } = ran.stdout;
  const sum = createHash('sha256').update(ran.stdout, 'latin1').digest('hex');
  const said = withoutPort(ran.stderr, way.port);
  return `status ${String(ran.status)}, ${String(length)} B, ${sum}\n${said}\n${ran.stdout}`;
}

/** Dumps to an archive and turns it into text, which takes no server. */
async function archive(way: Way, args: readonly string[], file: string): Promise<string> {
  const dumped = await run(way, ['pg_dump', '-d', DATABASE, ...args, '-f', file]);
  const text = await run(way, ['pg_restore', KEY, '-f', '-', file]);
  return asText({ ...text, status: `${String(dumped.status)} ${String(text.status)}`, stderr: dumped.stderr }, way);
}

const RESTORES: Readonly<Record<string, readonly string[]>> = {
  'restored from the custom format': ['pg_restore'],
  'restored from the custom format in one transaction': ['pg_restore', '--single-transaction', '--section=pre-data'],
  'restored from the custom format, 3 at once': ['pg_restore', '-j', '3'],
  'restored by psql': ['psql', '-X', '-q'],
};

/** Restores over this way into a new database, then dumps that past it. */
async function restore(way: Way, straight: Way, command: readonly string[], file: string): Promise<string> {
  const database = 'restored';
  await way.server.sql(`DROP DATABASE IF EXISTS ${database}`);
  await way.server.sql(`CREATE DATABASE ${database} TEMPLATE template0`);
  const restored = await run(way, [...command, '-d', database, ...(command[0] === 'psql' ? ['-f', file] : [file])]);
  const dumped = await run(straight, ['pg_dump', KEY, '-d', database]);
  const said = [restored.stdout, restored.stderr].join('\n');
  return asText({ ...dumped, stderr: withoutPort(`${String(restored.status)}\n${said}`, way.port) }, way);
}

async function compareAll(server: PostgresServer, direct: Way, hoop: Way, scratch: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const both = async (name: string, make: (way: Way) => Promise<string>): Promise<void> => {
    const outcome = { name, direct: await make(direct), hoop: await make(hoop) };
    console.error(`${name}: ${outcome.direct.split('\n')[0] ?? ''}`);
    outcomes.push(outcome);
  };
  for (const [name, command] of Object.entries(PRINTED))
    await both(name, async (way) => asText(await run(way, command), way));
  for (const [name, args] of Object.entries(ARCHIVES))
    await both(name, (way) => archive(way, args, join(scratch, `${name}.${way.name}`)));
  const [custom, plain] = [join(scratch, 'custom'), join(scratch, 'plain')];
  await run(direct, ['pg_dump', '-d', DATABASE, '-Fc', '-f', custom]);
  await run(direct, [...PLAIN, '-f', plain]);
  for (const [name, command] of Object.entries(RESTORES))
    await both(name, (way) => restore(way, direct, command, command[0] === 'psql' ? plain : custom));
  await server.sql('DROP DATABASE restored');
  return outcomes;
}

async function main(): Promise<number> {
  const [given] = process.argv.slice(2);
  if (given === undefined || !existsSync(join(resolve(given), 'lib/regress.so'))) {
    console.error('expected the folder that scripts/conformance/fetch made');
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'hoop-dump-'));
  chmodSync(scratch, 0o755);
  const server = await startPostgres({ settings: REGRESS_SETTINGS });
  try {
    const [direct, hoop] = [await wayTo(server, 'direct'), await wayTo(server, 'hoop')];
    try {
      await runRegress(resolve(given), direct, join(scratch, 'regress'));
      return report(await compareAll(server, direct, hoop, scratch));
    } finally {
      await direct.stop();
      await hoop.stop();
    }
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

process.exitCode = await main();
