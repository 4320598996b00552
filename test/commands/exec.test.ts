import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TunnelEndpoint } from '../client/tunnel-pair.js';
import { buildCli, runHoop, startHoop } from '../support/built-cli.js';
import { missingPostgres, type PostgresServer, sharedPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const missing = missingPostgres();
const folder = makeFolder('exec');
let agent: TunnelEndpoint;
let env: Record<string, string>;
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  await buildCli();
  agent = await TunnelEndpoint.open();
  env = { HOOP_CONFIG_DIR: folder, HOOP_AGENT_URL: agent.url, HOOP_TOKEN: 'token' };
  if (missing !== undefined) return;
  postgres = await sharedPostgres({ auth: 'trust' });
  const { port, superuser } = postgres;
  agent.answers['/v1/whoami'] = { email: `${superuser.username}@example.com` };
  agent.carryTo(port);
});

afterAll(async () => {
  await agent.close();
});

describe.skipIf(missing !== undefined)(`hoop exec${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  it('prints a table on stdout and exits 0', async () => {
    const { status, stdout, stderr } = await runHoop(['exec', 'postgres', '-i', 'SELECT 1 AS one'], env);
    expect([status, stdout, stderr]).toEqual([0, ' one \n-----\n   1\n(1 row)\n\n', '']);
  });

  it('means the same by --json, -o json and --format json', async () => {
    for (const flags of [['--json'], ['-o', 'json'], ['--format', 'json']]) {
      expect((await runHoop(['exec', 'postgres', '-i', 'SELECT 1 AS one', ...flags], env)).stdout).toBe(
        '[{"one":1}]\n',
      );
    }
  });

  it('runs a file, and standard input when neither -i nor -f is given', async () => {
    const file = join(folder, 'script.sql');
    writeFileSync(file, 'SELECT 1 AS a;\nSELECT 2 AS b;\n');
    expect((await runHoop(['exec', 'postgres', '-f', file, '-o', 'csv'], env)).stdout).toBe('a\n1\n\nb\n2\n');
    expect((await runHoop(['exec', 'postgres', '-o', 'ndjson'], env, 'SELECT 3 AS c')).stdout).toBe('{"c":3}\n');
  });

  it('tells an SQL error in three lines and exits 1; as one object on stdout under --json', async () => {
    const plain = await runHoop(['exec', 'postgres', '-i', 'SELECT\n  missing'], env);
    expect([plain.status, plain.stdout]).toEqual([1, '']);
    expect(plain.stderr.split('\n').slice(0, 2)).toEqual([
      'error: column "missing" does not exist',
      'why:   SQLSTATE 42703, line 2, column 3',
    ]);
    const json = await runHoop(['exec', 'postgres', '-i', 'SELECT missing', '--json'], env);
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'sql' } });
  });

  it('exits 5 for a statement blocked by policy', async () => {
    const sql = `DO $$ BEGIN RAISE EXCEPTION 'blocked by policy p/r: no' USING ERRCODE = '42501'; END $$`;
    expect((await runHoop(['exec', 'postgres', '-i', sql], env)).status).toBe(5);
  });

  it('runs psql unchanged with the environment of a fresh port', async () => {
    const { status, stdout } = await runHoop(['exec', 'postgres', '--', 'psql', '-Atc', 'SELECT 40 + 2'], {
      ...env,
      PGHOSTADDR: '192.0.2.1',
      PGSERVICE: 'elsewhere',
    });
    expect([status, stdout]).toEqual([0, '42\n']);
  });

  it('returns the child’s own exit code, 127 for one that is not there, 126 for one that may not run', async () => {
    const file = join(folder, 'not-executable');
    writeFileSync(file, '');
    const statusOf = async (...command: string[]): Promise<number | null> =>
      (await runHoop(['exec', 'postgres', '--', ...command], env)).status;
    expect(await statusOf('psql', '-c', 'SELECT 1/0', '-v', 'ON_ERROR_STOP=1')).toBe(1);
    expect(await statusOf('sh', '-c', 'exit 99')).toBe(99);
    expect(await statusOf('no-such-program-here')).toBe(127);
    expect(await statusOf(file)).toBe(126);
  });

  it('passes SIGTERM on to the child and reports 128+15', async () => {
    const script = `process.on('SIGHUP', () => process.exit(3)); console.error('child is up'); setInterval(() => {}, 1000)`;
    const started = startHoop(['exec', 'postgres', '--', process.execPath, '-e', script], env);
    await started.said(/child is up/);
    started.child.kill('SIGTERM');
    expect((await started.finished).status).toBe(143);
    const second = startHoop(['exec', 'postgres', '--', process.execPath, '-e', script], env);
    await second.said(/child is up/);
    second.child.kill('SIGHUP');
    expect((await second.finished).status).toBe(3);
  });

  it('runs a script of 5,000 statements from a pipe, and names the place of the one that fails', async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `INSERT INTO script_rows VALUES (${index});`);
    const script = `CREATE TABLE script_rows (n int);\n${lines.join('\n')}\nSELECT count(*) FROM script_rows; SELECT 1/0;`;
    const { status, stdout, stderr } = await runHoop(['exec', 'postgres', '-o', 'csv'], env, script);
    expect([status, stdout]).toEqual([1, 'count\n5000\n']);
    expect(stderr).toContain('why:   SQLSTATE 22012, line 5002, column 35');
  });

  it('runs all or nothing with --single-transaction, also where the last statement is no SQL', async () => {
    const script = 'CREATE TABLE never (n int); INSERT INTO never VALUES (1); SELEKT;';
    const { status, stderr } = await runHoop(['exec', 'postgres', '--single-transaction', '-i', script], env);
    expect([status, stderr]).toEqual([1, expect.stringContaining('SQLSTATE 42601, line 1, column 59')]);
    const after = await runHoop(['exec', 'postgres', '-o', 'ndjson', '-i', `SELECT to_regclass('never') AS t`], env);
    expect(after.stdout).toBe('{"t":null}\n');
  });

  it('takes the rows of a COPY from the lines behind it in a file, as psql does', async () => {
    const file = join(folder, 'dump.sql');
    const copy = "COPY pets FROM stdin; -- rows follow\n1\tAnn; 'x\n2\t\\N\n\\.\n";
    writeFileSync(file, `CREATE TABLE pets (id int, name text);\n${copy}\nSELECT * FROM pets ORDER BY id;\n`);
    const { status, stdout, stderr } = await runHoop(['exec', 'postgres', '-f', file, '-o', 'csv'], env);
    expect([status, stdout, stderr]).toEqual([0, `id,name\n1,Ann; 'x\n2,\n`, 'CREATE TABLE\nCOPY 2\n']);
  });

  it('takes the rows of a COPY given with -i from standard input, 16 MB in and out unchanged', async () => {
    await runHoop(['exec', 'postgres', '-i', 'CREATE TABLE big (id int, note text)'], env);
    const rows = Array.from({ length: 100_000 }, (_, index) => `${index}\t${'ä€ row '.repeat(15)}${index}\n`).join('');
    const into = await runHoop(['exec', 'postgres', '-i', 'COPY big FROM STDIN'], env, rows);
    expect([into.status, into.stderr]).toEqual([0, 'COPY 100000\n']);
    const out = await runHoop(['exec', 'postgres', '-i', 'COPY (TABLE big ORDER BY id) TO STDOUT'], env);
    expect(out.status).toBe(0);
    expect(out.stdout === rows).toBe(true);
  });

  it('fails with the server’s words where rows of a COPY are wrong, and goes on after none', async () => {
    const wrong = await runHoop(['exec', 'postgres', '-i', 'COPY big FROM STDIN'], env, 'x\ty\n'.repeat(200_000));
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('SQLSTATE 22P02')]);
  });

  it('ends as of SIGPIPE, quietly, where whoever reads a million rows leaves early', async () => {
    const started = startHoop(
      ['exec', 'postgres', '-o', 'csv', '-i', 'SELECT n FROM generate_series(1, 1000000) AS n'],
      env,
    );
    started.child.stdout?.once('data', () => started.child.stdout?.destroy());
    const { status, stderr } = await started.finished;
    expect([status, stderr]).toEqual([141, '']);
  });
});

describe('hoop exec, before it reaches a server', () => {
  it.each([
    [['exec', 'nope', '-i', 'SELECT 1'], 4, 'no access to the connection nope'],
    [['exec', 'postgres', '-i', 'x', '-f', 'y'], 2, 'exclude each other'],
    [['exec', 'postgres', '--json', '-o', 'csv', '-i', 'SELECT 1'], 2, 'exclude each other'],
    [['exec', 'postgres', '-i', 'SELECT 1', '--', 'psql'], 2, '--input and a command'],
    [['exec', 'postgres', '-f', '/nonexistent/file.sql'], 1, 'can not be read'],
    [['exec', 'postgres', '-i', 'SELECT 1', '--wait', 'soon'], 2, 'duration'],
    [['exec', 'postgres', '-o', 'xml', '-i', 'SELECT 1'], 2, 'xml'],
  ] as const)('refuses %j with exit %i', async (args, exit, text) => {
    const { status, stdout, stderr } = await runHoop(args, env);
    expect(stdout + stderr).toContain(text);
    expect(status).toBe(exit);
  });
});
