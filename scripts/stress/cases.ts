import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Way } from '../conformance/lib/ways.js';
import { held, peakDuring } from './lib/processes.js';
import { RawClient } from './lib/raw-client.js';

export interface Sizes {
  readonly connections: number;
  readonly queriesEach: number;
  readonly short: number;
  readonly resultBytes: number;
  readonly cellBytes: number;
}

/** Runs one kind of load; gives its figures. @throws when something is not as it must be */
export type Case = (way: Way, sizes: Sizes) => Promise<string>;

const DATABASE = 'postgres';
const MIB = 2 ** 20;

/** How much more the agent or `hoop connect` may hold while a result of any size goes through. */
const FLAT_MIB = 160;

function must(holds: boolean, why: string): asserts holds {
  if (!holds) throw new Error(why);
}

async function client(way: Way): Promise<pg.Client> {
  const db = new pg.Client({ host: '127.0.0.1', port: way.port, user: 'stress', database: DATABASE, password: 'none' });
  db.on('error', () => undefined);
  await db.connect();
  return db;
}

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown }).code ?? error);
const refused = async (work: Promise<unknown>): Promise<string> => work.then(() => 'no error', codeOf);

/** Waits, up to 20 s, for what comes about by itself. */
async function soon(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const until = performance.now() + 20_000; performance.now() < until;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 20 s: ${what}`);
}

export const parallel: Case = async (way, { connections, queriesEach }) => {
  let checked = 0;
  const one = async (which: number): Promise<void> => {
    const db = await client(way);
    for (let run = 0; run < queriesEach; run += 1) {
      const value = which * 1000 + run;
      const text = 'select $1::int as v, repeat($2, 50) as t';
      const { rows } = await db.query({ name: 'mine', text, values: [value, `${String(value)},`] });
      const [row] = rows as { v: number; t: string }[];
      must(row?.v === value && row.t === `${String(value)},`.repeat(50), `connection ${String(which)} got a wrong row`);
      const simple = await db.query(`select g * ${String(value)} as n from generate_series(1, 20) g`);
      must((simple.rows[19] as { n: number }).n === 20 * value, `connection ${String(which)} got a wrong result`);
      must((await refused(db.query(`select ${String(value)}/0`))) === '22012', 'expected a division by zero');
      checked += 3;
    }
    await db.end();
  };
  await Promise.all(Array.from({ length: connections }, (_, which) => one(which)));
  return `${String(connections)} at once, ${String(checked)} results as expected`;
};

export const short: Case = async (way, { short: count }) => {
  const once = async (which: number): Promise<void> => {
    const db = await client(way);
    const { rows } = await db.query(`select ${String(which)} as v`);
    must((rows[0] as { v: number }).v === which, 'a wrong row');
    await db.end();
  };
  const warm = Math.min(500, Math.ceil(count / 5));
  for (let which = 0; which < warm; which += 1) await once(which);
  const before = held(way);
  for (let which = 0; which < count; which += 1) await once(which);
  await soon('as many descriptors as before', () => held(way).descriptors <= before.descriptors + 2);
  const after = held(way);
  const grown = Math.max(after.agentMib - before.agentMib, after.connectMib - before.connectMib);
  // Facts of texts seen are kept, up to a bound; each text here is another one.
  must(grown <= 80 + count / 500, `memory grew by ${String(grown)} MiB`);
  return `${String(count)} in a row; descriptors ${String(before.descriptors)} → ${String(after.descriptors)}, agent ${String(before.agentMib)} → ${String(after.agentMib)} MiB, connect ${String(before.connectMib)} → ${String(after.connectMib)} MiB`;
};

export const largeResult: Case = async (way, { resultBytes }) => {
  const cell = 8000;
  const rows = Math.ceil(resultBytes / cell);
  const db = await RawClient.open(way.port, DATABASE);
  const read = async (text: string): Promise<void> => {
    db.query(text);
    await db.until(() => db.ready);
    must(db.error === undefined, `the result ended with ${String(db.error)}`);
  };
  await read(`select repeat('x', ${String(cell)}), generate_series(1, 5000)`);
  const started = performance.now();
  const { before, most } = await peakDuring(way, () =>
    read(`select repeat('x', ${String(cell)}), generate_series(1, ${String(rows)})`),
  );
  must(db.rows === rows, `expected ${String(rows)} rows, got ${String(db.rows)}`);
  db.close();
  const grown = Math.max(most.agentMib - before.agentMib, most.connectMib - before.connectMib);
  must(grown <= FLAT_MIB, `memory grew by ${String(grown)} MiB`);
  const seconds = (performance.now() - started) / 1000;
  return `${(resultBytes / 1e9).toFixed(1)} GB in ${seconds.toFixed(0)} s; agent ${String(before.agentMib)}, at most ${String(most.agentMib)} MiB; connect ${String(before.connectMib)}, at most ${String(most.connectMib)} MiB`;
};

export const largeCell: Case = async (way, { cellBytes }) => {
  const db = await client(way);
  const text = 'abcdefghijklmnop'.repeat(cellBytes / 16);
  const sum = createHash('md5').update(text).digest('hex');
  const values = { text, bytea: Buffer.from(text) };
  const { most } = await peakDuring(way, async () => {
    for (const [type, value] of Object.entries(values)) {
      const sent = db.query({ text: `select md5($1::${type}) as sum`, values: [value] });
      // No rule of the standard sets reads what is bound, so that it only passes.
      must(((await sent).rows[0] as { sum: string }).sum === sum, `${type} arrived changed`);
      const made = `convert_to(repeat('abcdefghijklmnop', ${String(cellBytes / 16)}), 'UTF8')`;
      const { rows } = await db.query(`select ${type === 'text' ? `convert_from(${made}, 'UTF8')` : made} as v`);
      const [row] = rows as { v: string | Buffer }[];
      must(
        createHash('md5')
          .update(row?.v ?? '')
          .digest('hex') === sum,
        `${type} came back changed`,
      );
    }
  });
  await db.end();
  return `${String(cellBytes / MIB)} MiB of text and of bytea, in and out; agent at most ${String(most.agentMib)} MiB, connect at most ${String(most.connectMib)} MiB`;
};

export const stoppedReader: Case = async (way) => {
  const db = await RawClient.open(way.port, DATABASE);
  db.query(`set application_name = 'stopped'`);
  await db.until(() => db.ready);
  let got = 0;
  const { before, most } = await peakDuring(way, async () => {
    db.query(`select repeat('x', 8000), generate_series(1, 100000)`);
    await db.until(() => db.rows > 100);
    db.socket.pause();
    const waits = `select wait_event from pg_stat_activity where application_name = 'stopped'`;
    await soon(
      'the server waits for its client',
      async () => (await way.server.sql(waits))[0]?.['wait_event'] === 'ClientWrite',
    );
    got = db.bytes;
    // Held back for good, not for a moment.
    for (let look = 0; look < 10; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      must((await way.server.sql(waits))[0]?.['wait_event'] === 'ClientWrite', 'the server went on');
    }
    db.socket.resume();
    await db.until(() => db.ready);
  });
  must(db.rows === 100_000, `expected 100000 rows, got ${String(db.rows)}`);
  db.close();
  const grown = Math.max(most.agentMib - before.agentMib, most.connectMib - before.connectMib);
  must(grown <= FLAT_MIB, `memory grew by ${String(grown)} MiB`);
  return `the server waited after ${(got / MIB).toFixed(1)} MiB had been read; memory grew by at most ${String(grown)} MiB`;
};

/** What a server does to its sessions arrives with the server's own code. */
export const serverEnds: Case = async (way) => {
  const ended = async (setting: string, text: string): Promise<string> => {
    const db = await client(way);
    const gone = new Promise<string>((resolve) => db.once('error', (error) => resolve(codeOf(error))));
    await db.query(`set ${setting}`);
    const failed = await refused(db.query(text));
    const code = failed === 'no error' ? await gone : failed;
    await db.end().catch(() => undefined);
    return code;
  };
  const expected = [
    [await ended(`idle_in_transaction_session_timeout = '50ms'`, 'begin'), '25P03'],
    [await ended(`idle_session_timeout = '50ms'`, 'select 1'), '57P05'],
    [await ended(`statement_timeout = '50ms'`, 'select pg_sleep(10)'), '57014'],
    [await ended('work_mem = 64', 'select pg_terminate_backend(pg_backend_pid())'), '57P01'],
  ] as const;
  for (const [got, code] of expected) must(got === code, `expected ${code}, got ${got}`);
  const idle = await client(way);
  const gone = new Promise<string>((resolve) => idle.once('error', (error) => resolve(codeOf(error))));
  const pid = Number((await idle.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid);
  await way.server.sql(`select pg_terminate_backend(${String(pid)})`);
  must((await gone) === '57P01', 'expected 57P01');
  return expected.map(([, code]) => code).join(' ');
};

/** Leaving in the midst of a result gives the server's process back. */
export const clientLeaves: Case = async (way) => {
  const leavers = 20;
  for (let which = 0; which < leavers; which += 1) {
    const db = await RawClient.open(way.port, DATABASE);
    db.query(`/* leaver */ select repeat('x', 8000), generate_series(1, 10000000)`);
    await db.until(() => db.rows > 10);
    db.close();
  }
  const left = `select count(*)::int as n from pg_stat_activity where query like '/* leaver%'`;
  await soon('all their processes ended', async () => (await way.server.sql(left))[0]?.['n'] === 0);
  return `${String(leavers)} left in the midst of a result, no process of the server stayed`;
};

/** Run last: the server is gone afterwards. */
export const serverKilled: Case = async (way) => {
  const running = async (): Promise<{ code: Promise<string>; pid: number }> => {
    const db = await client(way);
    const pid = Number((await db.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid);
    const streaming = db.query(`select repeat('x', 8000), generate_series(1, 100000000)`);
    return { code: refused(streaming), pid };
  };
  const [killed, beside] = [await running(), await client(way)];
  const told = new Promise<string>((resolve) => beside.once('error', (error) => resolve(codeOf(error))));
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.kill(killed.pid, 'SIGKILL');
  const inTime = <T>(what: string, work: Promise<T>): Promise<T> =>
    Promise.race([
      work,
      new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`${what} hangs`)), 15_000).unref()),
    ]);
  const first = await inTime('the killed session', killed.code);
  const second = await inTime('the session beside it', told);
  must(['57P02', '08006'].includes(second), `expected 57P02 beside it, got ${second}`);
  await soon('the server takes sessions again', () =>
    client(way).then(
      async (db) => (await db.end(), true),
      () => false,
    ),
  );
  const stopped = await running();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await way.server.stop();
  const third = await inTime('the session of the stopped server', stopped.code);
  const after = await refused(client(way));
  return `backend killed: ${first}; the session beside it: ${second}; immediate shutdown: ${third}; after it: ${after}`;
};

export const CASES: Readonly<Record<string, Case>> = {
  parallel,
  short,
  'large-result': largeResult,
  'large-cell': largeCell,
  'stopped-reader': stoppedReader,
  'server-ends': serverEnds,
  'client-leaves': clientLeaves,
  'server-killed': serverKilled,
};
