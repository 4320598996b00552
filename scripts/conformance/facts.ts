/**
 * Are the facts of statements what the server does with them? Takes a folder of SQL as PostgreSQL's regression
 * suite has it (`src/test/regress/sql`), runs each statement in a savepoint on a server of its own that is thrown
 * away, and compares the facts with what the server counted (rows written, tables scanned) and what event triggers
 * saw (objects made, changed, dropped).
 *
 *     npx tsx scripts/conformance/facts.ts src/test/regress/sql [--from join | --only join,update] [--list] [--text]
 *
 * The facts are those completed from the catalogue as it stands before each statement; with --text the text's own.
 * --from goes on with that file: those before it are run, for what they leave to later ones, and not compared.
 *
 * A miss is what the server did and the facts do not say, an excess what they claim and can't have happened. Where
 * they call a statement opaque, and a rule therefore blocks it, a miss counts apart.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ObjectName, SqlFacts } from '../../src/policy/types.js';
import { loadGrammar } from '../../src/protocols/postgres/facts/analyze.js';
import { completeFacts, needsCatalog } from '../../src/protocols/postgres/facts/complete.js';
import { withPrepared } from '../../src/protocols/postgres/facts/prepared.js';
import { readSql } from '../../src/protocols/postgres/facts/read-sql.js';
import { query } from '../../test/protocols/postgres/wire.js';
import { startPostgres, type PostgresServer } from '../../test/support/postgres-server.js';
import { openRawSession } from '../../test/support/raw-postgres.js';
import { excessesOf, missesOf, type Difference } from './facts/compare.js';
import { scriptStatements, type ScriptStatement } from './facts/psql-script.js';
import { identifier, ORACLE_SETUP, ServerOracle } from './facts/server-oracle.js';

const DATABASE = 'regression';
const APART =
  /^\s*(begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|vacuum|cluster\s*$|reindex\s+(\([^)]*\)\s*)?(database|system|schema)|(create|drop)\s+(database|tablespace|subscription)|alter\s+system|discard\s+all|(create|drop|reindex|refresh|alter)\b.*\bconcurrently\b|(create|alter|drop)\s+event\s+trigger|checkpoint)/is;

interface Tally {
  statements: number;
  apart: number;
  variables: number;
  failed: number;
  compared: number;
  opaque: number;
  missed: number;
  missedOpaque: number;
  excess: number;
  readonly kinds: Map<string, number>;
  /** Why statements are opaque. */
  readonly reasons: Map<string, number>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    from: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    text: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined || !existsSync(join(folder, 'test_setup.sql'))) {
  process.stderr.write(
    'usage: facts.ts FOLDER [--from NAME | --only NAME,…] [--list] [--text]; FOLDER holds test_setup.sql and the rest of the suite\n',
  );
  process.exit(2);
}

/** In the suite's own order, since later files use the tables of earlier ones. */
function filesOf(suite: string): string[] {
  const present = readdirSync(suite)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length));
  const schedule = join(dirname(suite), 'parallel_schedule');
  if (!existsSync(schedule)) return present.sort();
  const order = readFileSync(schedule, 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('test:') ? line.slice('test:'.length).trim().split(/\s+/) : []));
  return order.filter((name) => present.includes(name));
}

/** What psql would put for the suite's variables; undefined where a statement needs others. */
function substituted(text: string, suite: string, script: string): string | undefined {
  const filenames = [...script.matchAll(/^\\set filename :abs_srcdir '([^']*)'/gm)].map(([, path]) => path ?? '');
  const table = /copy\s+(\w+)/i.exec(text)?.[1] ?? '';
  const file = filenames.find((path) => path.includes(`/${table.replace(/_tbl$/, '')}.`)) ?? filenames[0];
  const filled = text.replaceAll(":'filename'", `'${dirname(suite)}${file ?? ''}'`);
  return /(?<![:\w]):['"]?[a-z_]\w*/i.test(filled.replaceAll(/'(?:[^']|'')*'|\$(\w*)\$[^]*?\$\1\$|::\s*\w+/g, ''))
    ? undefined
    : filled;
}

async function main(suite: string): Promise<void> {
  await loadGrammar();
  const server = await startPostgres({
    auth: 'trust',
    settings: { max_locks_per_transaction: '2048', autovacuum: 'off' },
  });
  try {
    await prepare(server, suite);
    const tally: Tally = {
      statements: 0,
      apart: 0,
      variables: 0,
      failed: 0,
      compared: 0,
      opaque: 0,
      missed: 0,
      missedOpaque: 0,
      excess: 0,
      kinds: new Map(),
      reasons: new Map(),
    };
    const only = values.only.split(',').filter((name) => name !== '');
    const files = filesOf(suite).filter((name) => name !== 'test_setup' && (only.length === 0 || only.includes(name)));
    const first = values.from === '' ? 0 : files.indexOf(values.from);
    if (first < 0) throw new Error(`no file ${values.from} among those to run`);
    for (const [at, name] of files.entries())
      await eachStatement(server, suite, name, async (oracle, filled) => {
        if (at >= first) await tallied(oracle, filled, name, tally);
        else if (filled.text !== undefined && !APART.test(filled.statement.text))
          await oracle.run({ ...filled.statement, text: filled.text });
      });
    report(tally);
  } finally {
    await server.stop();
  }
}

/** The tables that the whole suite builds on, and then the oracle. */
async function prepare(server: PostgresServer, suite: string): Promise<void> {
  await server.createDatabase(DATABASE);
  const session = await openRawSession(server.port, { user: 'postgres', database: DATABASE });
  const script = readFileSync(join(suite, 'test_setup.sql'), 'utf8');
  const statements = scriptStatements(script).map(({ text }) => substituted(text, suite, script) ?? '');
  for (const text of [...statements, ORACLE_SETUP]) await session.exchange(query(text), 1);
  session.end();
}

/** A statement, and its text with psql's variables put in: undefined where they can't be known. */
interface Filled {
  readonly statement: ScriptStatement;
  readonly text: string | undefined;
}

async function eachStatement(
  server: PostgresServer,
  suite: string,
  name: string,
  use: (oracle: ServerOracle, filled: Filled) => Promise<void>,
): Promise<void> {
  const script = readFileSync(join(suite, `${name}.sql`), 'utf8');
  const session = await openRawSession(server.port, {
    user: 'postgres',
    database: DATABASE,
    options: '-c statement_timeout=20s -c lock_timeout=2s -c datestyle=postgres -c timezone=PST8PDT',
  });
  const oracle = new ServerOracle(session);
  await oracle.begin();
  for (const statement of scriptStatements(script))
    await use(oracle, { statement, text: substituted(statement.text, suite, script) });
  await oracle.end();
  session.end();
}

async function tallied(oracle: ServerOracle, { statement, text }: Filled, file: string, tally: Tally): Promise<void> {
  tally.statements += 1;
  if (APART.test(statement.text)) tally.apart += 1;
  else if (text === undefined) tally.variables += 1;
  else await compareStatement(oracle, { ...statement, text }, file, tally);
}

async function completed(facts: SqlFacts, oracle: ServerOracle): Promise<SqlFacts> {
  const searchPath = await oracle.searchPath();
  return completeFacts(facts, await oracle.catalog(), { searchPath });
}

const spell = ({ schema, name }: ObjectName): string =>
  [schema, name]
    .filter((part) => part !== '')
    .map(identifier)
    .join('.');

async function compareStatement(
  oracle: ServerOracle,
  statement: ScriptStatement,
  file: string,
  tally: Tally,
): Promise<void> {
  const own = withPrepared(readSql(statement.text), () => undefined);
  const facts = values.text || !needsCatalog(own) ? own : await completed(own, oracle);
  const named = [...own.reads, ...own.writes];
  const unknownBefore = await oracle.missing(named);
  const seen = await oracle.run(statement);
  if (seen.error !== '') {
    tally.failed += 1;
    return;
  }
  tally.compared += 1;
  if (facts.opaque) {
    tally.opaque += 1;
    tally.reasons.set(facts.opaqueReason, (tally.reasons.get(facts.opaqueReason) ?? 0) + 1);
  }
  const stillUnknown = await oracle.missing(named.filter((name) => unknownBefore.has(spell(name))));
  const misses = missesOf(facts, seen);
  if (misses.length > 0) tally[facts.opaque ? 'missedOpaque' : 'missed'] += 1;
  const excesses = excessesOf(own, seen, stillUnknown, spell);
  if (excesses.length > 0) tally.excess += 1;
  for (const difference of [...(facts.opaque ? [] : misses), ...excesses])
    note(difference, facts, `${file}:${String(statement.line)}`, tally);
}

function note({ side, kind, detail }: Difference, facts: SqlFacts, place: string, tally: Tally): void {
  const key = `${side}, ${kind}`;
  tally.kinds.set(key, (tally.kinds.get(key) ?? 0) + 1);
  if (values.list)
    process.stdout.write(
      `${side}\t${kind}\t${detail}\t${place}\t${facts.text.replaceAll(/\s+/g, ' ').slice(0, 160)}\n`,
    );
}

function report(tally: Tally): void {
  const row = (what: string, count: number): string => `| ${what} | ${String(count)} |\n`;
  const counted = (what: string, counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .sort()
      .map(([name, count]) => row(`${what}: ${name}`, count))
      .join('');
  process.stdout.write(
    `| what | statements |\n| --- | --- |\n` +
      row('in the folder', tally.statements) +
      row('not run: transaction control and what no transaction may hold', tally.apart) +
      row('not run: variables of psql', tally.variables) +
      row('refused by the server', tally.failed) +
      row('compared', tally.compared) +
      row('of these opaque', tally.opaque) +
      row('with a miss', tally.missed) +
      row('with a miss, but opaque', tally.missedOpaque) +
      row('with an excess', tally.excess) +
      counted('differences', tally.kinds) +
      counted('opaque', tally.reasons),
  );
}

await main(folder);
