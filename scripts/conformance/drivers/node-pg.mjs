// What a program that uses node `pg` sees: node node-pg.mjs EXPRESSIONS
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';

// As the server spells it: what the driver makes of it is not what is compared.
const types = { getTypeParser: (_oid, format) => (value) => (format === 'binary' ? value.toString('hex') : value) };
const section = (name) => console.log(`== ${name}`);
const show = (value) => console.log(JSON.stringify(value));
const sha = (value) => createHash('sha256').update(value).digest('hex');
const result = ({ command, rowCount, rows, fields }) => show({ command, rowCount, rows, fields });
const fault = (error) => {
  const { name, stack: _stack, message, ...fields } = error;
  show({ name, message, ...fields });
};
async function open(options = {}) {
  const client = new pg.Client({ types, ...options });
  await client.connect();
  return client;
}
const trying = (work) => work().then(result, fault);

const db = await open();
section('parameters');
const parameters = [];
const second = new pg.Client({
  types,
  application_name: 'conformance',
  options: '-c DateStyle=German -c extra_float_digits=0',
});
second.connection.on('parameterStatus', ({ parameterName, parameterValue }) =>
  parameters.push(`${parameterName}=${parameterValue}`),
);
await second.connect();
show(parameters);
result(
  await second.query(
    "select current_setting('application_name'), current_date - current_date, date '2026-01-31', 0.1::float8",
  ),
);
await second.end();

for (const expression of readFileSync(process.argv[2], 'utf8')
  .split(/\n(?=\S)/)
  .filter(Boolean)) {
  section(`type ${expression.replace(/\s+/g, ' ').trim()}`);
  await trying(() => db.query(`select ${expression} as value`));
  await trying(() =>
    db.query({ text: `select ${expression} as value`, values: [], binary: true, queryMode: 'extended' }),
  );
}

section('parameters of statements');
for (const values of [
  [1, 'a', null],
  [2, 'ü"\\', true],
  [3, '', false],
  ['x', 'y', 'z'],
])
  await trying(() => db.query('select $1::int4 a, $2::text b, $3::bool c', values));
await trying(() => db.query({ text: 'select $1::bytea b', values: [Buffer.from([0, 1, 255])], binary: true }));

section('named statements');
for (let run = 1; run <= 3; run += 1)
  await trying(() => db.query({ name: 'twice', text: 'select $1::int * 2 as v', values: [run] }));
await trying(() => db.query({ name: 'rows', text: 'select g from generate_series(1, 7) g', rows: 3, values: [] }));
await db.query('create table growing (a int); insert into growing values (1)');
await trying(() => db.query({ name: 'growing', text: 'select * from growing' }));
await db.query('alter table growing add b text');
await trying(() => db.query({ name: 'growing', text: 'select * from growing' }));

section('several statements');
show(
  (
    await db.query(
      'select 1 a; create temp table t (a int, b text); insert into t values (1, null), (2, $$x$$); select * from t;; update t set a = 3',
    )
  ).map(({ command, rowCount, rows }) => ({ command, rowCount, rows })),
);
await trying(() => db.query('select 1; select 1/0; select 2'));
await trying(() => db.query(''));
await trying(() => db.query(';'));

section('errors');
await db.query(`create table faults (id int primary key, positive int constraint above check (positive > 0), parent int references faults, word varchar(2) not null);
  insert into faults values (1, 1, null, 'a')`);
for (const text of [
  'selec 1',
  'select * from nowhere',
  'select nocolumn from faults',
  "insert into faults values (1, 1, null, 'b')",
  "insert into faults values (2, -1, null, 'b')",
  "insert into faults values (2, 1, 9, 'b')",
  'insert into faults values (2, 1, null, null)',
  "insert into faults values (2, 1, null, 'long')",
  "select 'x'::int",
  'select 1/0',
  "select '2026-02-30'::date",
  "do $$ begin raise exception 'mine' using errcode = 'ZZ001', detail = 'd', hint = 'h', column = 'c', table = 't', schema = 's', constraint = 'k', datatype = 'y'; end $$",
  "select json '{'",
  'select nofunction(1)',
  'select $1',
  'drop table nowhere',
  'select pg_sleep(-1), 1 from (select 1) x, (select 2) x',
  'commit; rollback; end',
]) {
  await trying(() => db.query(text));
  await trying(() => db.query({ text, queryMode: 'extended' }));
}

section('transactions');
for (const text of [
  'begin',
  'select 1/0',
  'select 1',
  'rollback to nowhere',
  'rollback',
  'begin',
  'savepoint s',
  'select 1/0',
  'rollback to s',
  'commit',
  'begin isolation level serializable read only',
  'create table x ()',
  'end',
])
  await trying(() => db.query(text));

section('notices');
const notices = [];
db.on('notice', ({ length: _length, stack: _stack, ...fields }) =>
  notices.push({ message: fields.message, ...fields }),
);
await trying(() =>
  db.query(
    "do $$ begin raise notice 'n %', 1; raise warning 'w'; raise info 'i'; raise log 'l'; raise debug 'd'; end $$; drop table if exists nowhere",
  ),
);
await trying(() => db.query('set client_min_messages = debug1'));
await trying(() => db.query("do $$ begin raise debug 'd'; end $$"));
await trying(() => db.query('reset client_min_messages'));
show(notices);

section('listen and notify');
const heard = [];
const listener = await open();
const told = new Promise((resolve) =>
  listener.on('notification', ({ channel, payload }) => heard.push({ channel, payload }) === 3 && resolve()),
);
await listener.query('listen news; listen "Other News"');
await db.query('notify news, \'one\'; notify "Other News"');
await db.query("select pg_notify('news', $1)", ['x'.repeat(7999)]);
await told;
show(heard.map(({ channel, payload }) => [channel, payload.length]));
await listener.end();

section('cancel');
const slow = await open();
const waiting = slow.query('select pg_sleep(60)');
await db.query('select pg_sleep(0.2)');
pg.Client.prototype.cancel.call(
  new pg.Client(),
  { ...slow, activeQuery: 'q', processID: slow.processID, secretKey: slow.secretKey },
  'q',
);
await trying(() => waiting);
await trying(() => slow.query('select 1 as still'));
await slow.end();

section('large');
const text = 'abcdefghij'.repeat(500_000);
const back = await db.query({ text: 'select $1::text t, $2::bytea b', values: [text, Buffer.from(text)] });
show([sha(back.rows[0].t), sha(back.rows[0].b)]);
const many = await db.query("select g, repeat('x', g % 100) from generate_series(1, 100000) g");
show([many.rowCount, sha(JSON.stringify(many.rows))]);

section('disconnects');
for (const [setting, text] of [
  ["idle_in_transaction_session_timeout = '50ms'", 'begin'],
  ["idle_session_timeout = '50ms'", 'select 1'],
  ["statement_timeout = '50ms'", 'select pg_sleep(9)'],
  ["lock_timeout = '50ms'", 'select 1'],
  ['transaction_read_only = on', 'create table nope ()'],
]) {
  const client = await open();
  const ended = new Promise((resolve) => client.on('error', (error) => resolve(error)));
  await client.query(`set ${setting}`);
  await trying(() => client.query(text));
  if (setting.startsWith('idle')) fault(await ended);
  else await client.end();
}
const victim = await open();
const died = new Promise((resolve) => victim.on('error', (error) => resolve(error)));
await db.query('select pg_terminate_backend($1)', [victim.processID]);
fault(await died);
for (const options of [{ database: 'nowhere' }, { options: '-c nosuch=1' }, { options: '-c work_mem=x' }])
  await open(options).then((client) => client.end(), fault);
await db.end();
