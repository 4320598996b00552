// What a program that uses `postgres` (postgres.js) sees: node postgres-js.mjs EXPRESSIONS
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';

const section = (name) => console.log(`== ${name}`);
const show = (value) => console.log(JSON.stringify(value));
const sha = (value) => createHash('sha256').update(value).digest('hex');
const notices = [];
const sql = postgres({ max: 1, fetch_types: true, onnotice: (notice) => notices.push(notice) });
const fault = (error) => show({ name: error.name, message: error.message, ...error });
const result = (rows) =>
  show({
    command: rows.command,
    count: rows.count,
    columns: rows.columns?.map(({ name, type, table, number }) => ({ name, type, table, number })),
    rows: [...rows],
  });
const trying = async (work) => {
  try {
    result(await work());
  } catch (error) {
    fault(error);
  }
};

section('connect');
show(await sql`select 1 as one`);
show(sql.options.shared?.types ?? null);
for (const expression of readFileSync(process.argv[2], 'utf8')
  .split(/\n(?=\S)/)
  .filter(Boolean)) {
  section(`type ${expression.replace(/\s+/g, ' ').trim()}`);
  await trying(() => sql.unsafe(`select ${expression} as value`));
  await trying(() => sql.unsafe(`select ${expression} as value`, [], { prepare: true }));
}
section('parameters of statements');
await trying(
  () =>
    sql`select ${1}::int a, ${'x'}::text b, ${null}::text c, ${[1, 2]}::int[] d, ${sql.json({ a: 1 })} e, ${new Date(0)}::timestamptz f`,
);
await trying(() => sql`select ${'x'}::int`);
section('pipelined');
show(
  (await Promise.allSettled([sql`select 1 a`, sql`select 1/0`, sql`select 2 b`, sql`select ${3}::int c`])).map(
    (each) => each.value ?? each.reason.code,
  ),
);
section('describe and values');
const { name: _name, ...described } = await sql`select ${1}::int8 a, now() b`.describe();
show(described);
show(await sql`select g, g::text from generate_series(1, 3) g`.values());
show((await sql`select 'é' v`.raw()).map((row) => row.map((cell) => cell.toString('hex'))));
section('cursor');
for await (const rows of sql`select g from generate_series(1, 25) g`.cursor(10)) show(rows);
await sql`select g from generate_series(1, 25) g`.cursor(10, (rows) => (show(rows.length), sql.CLOSE));
await sql`select g from generate_series(1, 5) g`.forEach((row) => show(row));
section('transactions');
await sql.begin(async (tx) => {
  await tx`create temp table t (a int)`;
  await tx`insert into t ${tx([{ a: 1 }, { a: 2 }])}`;
  await tx.savepoint((inner) => inner`select 1/0`).catch(fault);
  show(await tx`select * from t`);
});
await sql.begin((tx) => tx`select nothing`).catch(fault);
section('listen');
const heard = new Promise((resolve) => sql.listen('news', resolve).then(() => sql.notify('news', 'payload')));
show(await heard);
section('notices');
await sql`do $$ begin raise warning 'w' using detail = 'd', hint = 'h'; end $$`;
show(notices);
section('large');
const long = 'abcdefghij'.repeat(300_000);
const [row] = await sql`select ${long}::text t, ${Buffer.from(long)}::bytea b`;
show([sha(row.t), sha(row.b)]);
section('cancel');
const slow = sql`select pg_sleep(60)`;
slow.execute();
setTimeout(() => slow.cancel(), 200);
await slow.catch(fault);
section('large objects');
for (const text of [
  "select lo_from_bytea(424242, '\\x0102')",
  'select lo_get(424242)',
  "select lo_put(424242, 1, '\\xff')",
  'select lo_get(424242, 0, 9), lo_unlink(424242)',
])
  await trying(() => sql.unsafe(text));
// Last: this driver may lose a statement that follows a COPY at once, on a bare server too.
section('copy');
await sql`create table copied (a int, b text)`;
await pipeline(Readable.from(['1\tx\n', '2\t\\N\n']), await sql`copy copied from stdin`.writable());
show(await text(await sql`copy copied to stdout (format csv, header)`.readable()));
show(
  await text(await sql`copy (select g, repeat('z', 1000) from generate_series(1, 5000) g) to stdout`.readable()).then(
    sha,
  ),
);
await sql.end();
