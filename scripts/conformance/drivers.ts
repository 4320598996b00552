// Programs of seven drivers, direct and through hoop: what they print, and every byte that they receive, compared.
//
//   node --import tsx scripts/conformance/drivers.ts [--only NAME,…] [--keep DIR]
//
// Needs for each driver what `scripts/conformance/fetch` lists; says what is missing, and counts that as different.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tap } from './lib/tap.js';
import { report, type Outcome, withoutPort } from './lib/verdict.js';
import { openWay, type Way } from './lib/ways.js';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, keep: { type: 'string' } } });
const folder = fileURLToPath(new URL('drivers', import.meta.url));
const expressions = join(folder, 'expressions.sql');
const JARS = '/usr/share/java/*';

interface Driver {
  readonly name: string;
  /** The command line, once what has to be built stands in `scratch`. */
  command(scratch: string): readonly string[];
}

const python = (name: string, file: string, module: string): Driver => ({
  name,
  command: () => {
    execFileSync('/usr/bin/python3', ['-c', `import ${module}`], { stdio: 'pipe' });
    return ['/usr/bin/python3', join(folder, file), expressions];
  },
});

const DRIVERS: readonly Driver[] = [
  { name: 'pg', command: () => [process.execPath, join(folder, 'node-pg.mjs'), expressions] },
  { name: 'postgres', command: () => [process.execPath, join(folder, 'postgres-js.mjs'), expressions] },
  python('psycopg2', 'psycopg2_transcript.py', 'psycopg2'),
  python('psycopg', 'psycopg3_transcript.py', 'psycopg'),
  python('psqlodbc', 'psqlodbc_transcript.py', 'pyodbc'),
  {
    name: 'libpq',
    command: (scratch) => {
      const program = join(scratch, 'libpq');
      const source = join(folder, 'libpq.c');
      execFileSync('gcc', ['-w', '-I/usr/include/postgresql', '-o', program, source, '-lpq', '-lpthread']);
      return [program, expressions];
    },
  },
  {
    name: 'jdbc',
    command: (scratch) => {
      if (!existsSync('/usr/share/java/postgresql.jar')) throw new Error('libpostgresql-jdbc-java is not installed');
      execFileSync('javac', ['-cp', JARS, '-d', scratch, join(folder, 'Transcript.java')], { stdio: 'pipe' });
      return ['java', '-Duser.timezone=UTC', '-cp', `${scratch}:${JARS}`, 'Transcript', expressions];
    },
  },
];

/** Ends a program that waits for what never comes. */
const TIME_LIMIT_MS = 60_000;

function run([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...env, PYTHONIOENCODING: 'utf8' }, timeout: TIME_LIMIT_MS });
    let [printed, complained] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text));
    child.on('close', (code, signal) => {
      resolve(`${printed}\n== end\nstatus ${String(code ?? signal)}\n${complained}`);
    });
  });
}

/** What one driver's program printed by section, and what each of its connections got. */
async function parts(driver: Driver, way: Way, scratch: string): Promise<ReadonlyMap<string, string>> {
  const wire = await tap(way.port);
  try {
    const printed = await run(driver.command(scratch), { ...way.env, PGPORT: String(wire.port) });
    const [, ...sections] = `\n${printed}`.split('\n== ');
    const found = new Map<string, string>();
    for (const [index, received] of wire.received().entries())
      found.set(`${driver.name}: bytes of connection ${String(index + 1)}`, received);
    for (const text of sections) {
      const [name = '', ...lines] = withoutPort(text, wire.port).split('\n');
      found.set(`${driver.name}: ${name}`, lines.join('\n'));
    }
    if (values.keep !== undefined) {
      mkdirSync(values.keep, { recursive: true });
      const text = [...found].map(([name, content]) => `#### ${name}\n${content}\n`).join('');
      writeFileSync(join(values.keep, `${driver.name}.${way.name}.txt`), text);
    }
    return found;
  } finally {
    await wire.stop();
  }
}

async function compare(driver: Driver, scratch: string): Promise<Outcome[]> {
  const found: ReadonlyMap<string, string>[] = [];
  for (const name of ['direct', 'hoop'] as const) {
    // A server each, so that even object ids are the same.
    const way = await openWay(name, { settings: { fsync: 'off', autovacuum: 'off', lc_messages: 'C' } });
    try {
      found.push(await parts(driver, way, scratch));
    } finally {
      await way.stop();
    }
  }
  const [direct, hoop] = found;
  const end = direct?.get(`${driver.name}: end`) ?? '';
  if (!end.startsWith('status 0')) console.error(`${driver.name} did not reach its end even direct: ${end}`);
  const names = [...new Set([...(direct?.keys() ?? []), ...(hoop?.keys() ?? [])])];
  return names.map((name) => ({ name, direct: direct?.get(name), hoop: hoop?.get(name) }));
}

const only = values.only.split(',').filter((name) => name !== '');
const outcomes: Outcome[] = [];
for (const driver of DRIVERS) {
  if (only.length > 0 && !only.includes(driver.name)) continue;
  const scratch = mkdtempSync(join(tmpdir(), 'hoop-driver-'));
  try {
    const found = await compare(driver, scratch);
    const equal = found.filter((each) => each.direct === each.hoop).length;
    console.error(`${driver.name}: ${String(equal)} of ${String(found.length)} equal`);
    outcomes.push(...found);
  } catch (error) {
    const why = (error as Error).message.split('\n').slice(0, 6).join(' ');
    console.log(`${driver.name} can not run: ${why}`);
    outcomes.push({ name: driver.name, direct: undefined, hoop: undefined });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
process.exitCode = report(outcomes);
