import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresServer } from '../../../test/support/postgres-server.js';
import type { Target } from './target.js';

/** One figure, more is better. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  run(target: Target): Promise<number>;
}

export interface MeasureOptions {
  readonly server: PostgresServer;
  readonly database: string;
  /** Length of one pgbench run. */
  readonly seconds: number;
  /** Size of the large results, in units of 1,000,000 bytes. */
  readonly megabytes: number;
}

const BYTES_PER_ROW = 200;

/** Rows as a shop has them: some of each holds what the standard masks look for. */
export async function seed({ server, database, megabytes }: MeasureOptions): Promise<void> {
  const rows = Math.round((megabytes * 1_000_000) / BYTES_PER_ROW);
  await server.createDatabase(
    database,
    `CREATE TABLE people AS SELECT
       id,
       'customer' || id || '@example.com' AS email,
       '4111 1111 1111 1111' AS card,
       lpad((100 + id % 500)::text, 3, '0') || '-45-' || lpad((1 + id % 9000)::text, 4, '0') AS ssn,
       rpad('order ' || md5(id::text) || ' was sent on time and signed for', 130, ' .') AS note
     FROM generate_series(1, ${String(rows)}) AS id`,
  );
  const env = { PATH: process.env['PATH'], PGPASSWORD: server.admin.password };
  const where = ['-h', server.host, '-p', String(server.port), '-U', server.admin.username];
  await promisify(execFile)(join(server.binDir, 'pgbench'), [...where, '-i', '-q', '-s', '5', database], { env });
  await server.sql('VACUUM ANALYZE', database);
}

export function measures(options: MeasureOptions): readonly Measure[] {
  const { server, database, seconds, megabytes } = options;
  const run = async (target: Target, program: string, args: readonly string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'], PGPASSWORD: target.password, PGCONNECT_TIMEOUT: '10' };
    const where = ['-h', '127.0.0.1', '-p', String(target.port), '-U', server.app.username];
    const { stdout } = await promisify(execFile)(join(server.binDir, program), [...where, ...args], { env });
    return stdout;
  };
  const pgbench = (clients: number): Measure => ({
    name: `pgbench -S prepared, ${String(clients)} client${clients === 1 ? '' : 's'}`,
    unit: 'tps',
    run: async (target) => {
      const load = ['-n', '-S', '-M', 'prepared', '-c', String(clients), '-j', '1', '-T', String(seconds), database];
      return Number(/tps = ([\d.]+)/.exec(await run(target, 'pgbench', load))?.[1]);
    },
  });
  const bulk = (name: string, sql: string): Measure => ({
    name: `${name}, ${String(megabytes)} MB`,
    unit: 'MB/s',
    run: async (target) => {
      const started = performance.now();
      await run(target, 'psql', [
        '-X',
        '-q',
        '-At',
        '-v',
        'ON_ERROR_STOP=1',
        '-o',
        '/dev/null',
        '-d',
        database,
        '-c',
        sql,
      ]);
      return megabytes / ((performance.now() - started) / 1000);
    },
  });
  return [
    pgbench(1),
    pgbench(8),
    pgbench(32),
    bulk('COPY TO STDOUT, every row full of personal data', 'COPY people TO STDOUT'),
    bulk('SELECT, every row full of personal data', 'SELECT * FROM people'),
    // The same rows without the columns that hold any, twice over.
    bulk('SELECT, no personal data', 'SELECT id, note FROM people UNION ALL SELECT id, note FROM people'),
  ];
}
