import { createServer, connect, type AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { openClient } from '../support/pg-client.js';

const SSN = '917-26-5083';
const SEED = `
  create table people (id int primary key, name text not null, ssn text not null, born date, boss int references people (id));
  insert into people values (1, 'Ann Lee', '${SSN}', '1980-01-02', null), (2, 'Bo Diaz', '604-31-8827', '1990-03-04', 1);
  create table orders (id int primary key, person int references people (id), amount numeric not null, note text);
  insert into orders values (1, 1, 10.5, 'a'), (2, 1, 20, 'b'), (3, 2, 30, null);
  create table archive (id int, ssn text);
  insert into archive select id, ssn from people;
  create view cards as select id, ssn as card, upper(name) as shout from people;
  create view cards_of_cards as select card || '/' || id as pairing, shout from cards;
  create materialized view frozen as select id, reverse(ssn) as back from people;
  create function ssn_of(int) returns text language sql stable as 'select ssn from people where id = $1';
  create function ssn_frozen() returns text language sql immutable as 'select ssn from people where id = 1';
  create function found(text) returns setof people language sql stable as 'select * from people where name = $1';
  create function shout_of(i int) returns text language plpgsql as
    $$ declare s text; begin select p.ssn into s from people p where p.id = i; return 'x' || s; end $$;
  create function tell(i int) returns int language plpgsql as
    $$ declare s text; begin select p.ssn into s from people p where p.id = i; raise notice 'it is %', s; return 1; end $$;
  create function fail_with(i int) returns int language plpgsql as
    $$ declare s text; begin select p.ssn into s from people p where p.id = i; raise exception 'it is %', s using detail = s, hint = s; end $$;
  create function any_text(q text) returns text language plpgsql as
    $$ declare s text; begin execute q into s; return s; end $$;
  create function name_of(int) returns text language sql stable as 'select name from people where id = $1';
  create function same(text) returns text language sql immutable as 'select $1';
  create type pair as (a text, b int);
  analyze people;
`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - { name: secrets, columns: ['people.ssn', 'archive.ssn'], strategy: redact }
`;

/** Everything that a server sends, kept. */
async function tap(port: number): Promise<{ port: number; take(): Buffer; close(): void }> {
  let seen: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.on('data', (bytes) => {
      seen.push(bytes);
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const take = (): Buffer => {
    const all = Buffer.concat(seen);
    seen = [];
    return all;
  };
  return { port: (server.address() as AddressInfo).port, take, close: () => server.close() };
}

/** How pieces of the value may look. */
function forms(): readonly string[] {
  const backwards = [...SSN].reverse().join('');
  const pieces = [SSN, backwards, SSN.replaceAll('-', ''), SSN.slice(0, 6), SSN.slice(5), backwards.slice(0, 6)];
  const hex = [SSN, backwards].map((text) => Buffer.from(text).toString('hex'));
  const base64 = [SSN, backwards].map((text) => Buffer.from(text).toString('base64').slice(0, 12));
  return [...pieces, ...hex, ...hex.map((text) => text.toUpperCase()), ...base64];
}

/** Nothing of what these show may be of the value: each cell of the first row differs from what the server says. */
const MASKED: readonly string[] = [
  'select ssn from people where id = 1',
  'select ssn as id from people where id = 1',
  'select p.ssn as x from people as p where id = 1',
  'select y from (select ssn as y from people where id = 1) q',
  'with q as (select ssn from people where id = 1) select * from q',
  'with q(z) as materialized (select ssn from people where id = 1) select z from q',
  "select ssn || '' from people where id = 1",
  "select concat(ssn, 'x') from people where id = 1",
  'select substr(ssn, 1, 4) from people where id = 1',
  'select substring(ssn from 5) from people where id = 1',
  'select left(ssn, 1) from people where id = 1',
  'select reverse(ssn) from people where id = 1',
  "select encode(ssn::bytea, 'hex') from people where id = 1",
  "select encode(ssn::bytea, 'base64') from people where id = 1",
  'select ssn::bytea from people where id = 1',
  'select ssn::varchar(7) from people where id = 1',
  "select replace(ssn, '-', '')::bigint from people where id = 1",
  'select ascii(ssn) from people where id = 1',
  'select length(ssn) from people where id = 1',
  'select md5(ssn) from people where id = 1',
  "select case when ssn like '9%' then 1 else 0 end from people where id = 1",
  "select ssn like '9%' from people where id = 1",
  "select ssn = '917-26-5083' from people where id = 1",
  'select max(ssn) from people',
  "select string_agg(ssn, ',') from people",
  'select array_agg(ssn) from people',
  'select json_agg(ssn) from people',
  'select array[ssn] from people where id = 1',
  'select (array[ssn])[1] from people where id = 1',
  'select row(ssn) from people where id = 1',
  'select people from people where id = 1',
  'select people::text from people where id = 1',
  'select to_jsonb(p) from people p where id = 1',
  "select to_jsonb(p) ->> 'ssn' from people p where id = 1",
  'select row_to_json(p) from people p where id = 1',
  'select jsonb_agg(p) from people p',
  "select json_build_object('s', ssn) from people where id = 1",
  'select (p).ssn from people p where id = 1',
  'select ssn(p) from people p where id = 1',
  'select p.to_json from people p where id = 1',
  "select value from people p, jsonb_each_text(to_jsonb(p)) where id = 1 and key = 'ssn'",
  'select x from people p, unnest(array[p.ssn]) x where id = 1',
  'select xmlforest(ssn as s) from people where id = 1',
  'select lag(ssn) over (order by id desc) from people order by id limit 1',
  'select first_value(ssn) over (order by id) from people',
  'select (select ssn from people where id = 1)',
  'select array(select ssn from people where id = 1)',
  'select q.s from people p cross join lateral (select p.ssn as s) q where p.id = 1',
  'select ssn from people where id = 1 union all select ssn from archive where id = 1',
  'values ((select ssn from people where id = 1))',
  'with recursive r(s, n) as (select ssn, 1 from people where id = 1 union all select s, n + 1 from r where n < 2) select s from r',
  'select card from cards where id = 1',
  'select pairing from cards_of_cards where shout = $$ANN LEE$$',
  'select back from frozen where id = 1',
  'select ssn_of(1)',
  'select shout_of(1)',
  "select (found('Ann Lee')).ssn",
  "select ssn from found('Ann Lee')",
  "select query_to_xml('select ssn from people where id = 1', true, true, '')",
  "select table_to_xml('people', true, true, '')",
  "select histogram_bounds from pg_stats where tablename = 'people' and attname = 'ssn'",
  'select same(ssn) from people where id = 1',
  'update people set name = name where id = 1 returning ssn',
  "update people set name = name where id = 1 returning ssn || ''",
  "insert into archive values (9, '917-26-5083') returning upper(ssn)",
  'delete from archive where id = 9 returning reverse(ssn)',
  'with u as (update people set name = name where id = 1 returning ssn) select lower(ssn) from u',
  'select coalesce(ssn, name) from people where id = 1',
  'select greatest(ssn, $$0$$) from people where id = 1',
  "select format('%s', ssn) from people where id = 1",
  'select mode() within group (order by ssn) from people where id = 1',
];

/** These may fail or say something beside their rows, and that may not be the value either. */
const TELLING: readonly string[] = [
  "select any_text('select ssn from people where id = 1')",
  'select ssn::int from people where id = 1',
  'select ssn::date from people where id = 1',
  'select ssn::regclass from people where id = 1',
  'select ssn::timestamptz from people where id = 1',
  'select ssn::json from people where id = 1',
  'select ssn::inet from people where id = 1',
  'select ssn::uuid from people where id = 1',
  'select current_setting(ssn) from people where id = 1',
  "select 'x' ~ ('(' || ssn) from people where id = 1",
  "select to_date(ssn, 'YYYY-MM-DD') from people where id = 1",
  'select tell(1)',
  'select fail_with(1)',
  "do $$ declare s text; begin select ssn into s from people where id = 1; raise notice '%', s; end $$",
  "do $$ declare s text; begin execute 'select ssn from people where id = 1' into s; raise notice '%', s; end $$",
  "do $$ declare s text; begin execute 'select ssn from people where id = 1' into s; raise exception '%', s; end $$",
  'explain verbose select ssn_frozen()',
  'explain analyze select * from people where ssn = ssn_frozen()',
  "insert into people values (1, 'x', 'y')",
  'insert into people (id, name, ssn) select 1, name, ssn from people',
  'update people set id = 1 where id = 2',
  'copy people to stdout',
  'copy (select ssn from people) to stdout csv',
  'copy (select reverse(ssn) from people) to stdout',
  'copy (select to_jsonb(p) from people p) to stdout',
  'begin; declare k cursor for select reverse(ssn) from people; fetch all from k; commit',
  "begin; create temp view tv as select ssn as x from people; select x || '' from tv; rollback",
  "begin; create temp view orders as select ssn as note from people; select note || '' from orders; rollback",
  'begin; create temp table tt as select ssn as x from people; select x from tt; rollback',
  'prepare pp as select reverse(ssn) from people; execute pp; deallocate pp',
  'select 1; select reverse(ssn) from people; select 2',
  'select ssn into temp t2 from people',
  "select pg_notify('x', ssn) from people",
  "select set_config('application_name', ssn, false) from people where id = 1",
  "set application_name = 'x'; show application_name",
  'select id from people where ssn::int > 3',
  'select * from people order by ssn',
  'select count(*) from people group by left(ssn, 1)',
  'alter table people rename column ssn to harmless',
  "create function leak() returns text language sql as 'select ssn from people'; select leak()",
];

/** What programs do all day goes through unchanged. */
const ORDINARY: readonly string[] = [
  'select 1 as one',
  'select id, name, born from people where id = 1',
  'select "people"."id" as "people_id", "people"."name" as "people_name" from "people" where "people"."id" in (1, 2) order by "people"."id"',
  'select p.name, o.amount from people p join orders o on o.person = p.id order by o.id',
  'select p.name, count(*) as n, sum(o.amount) from people p left join orders o on o.person = p.id group by p.id, p.name order by n desc',
  'select count(*) from people',
  'select count(ssn) from people',
  "select id from people where ssn = '917-26-5083'",
  "select id from people where ssn in ('917-26-5083', 'x')",
  'select * from orders order by id limit 2 offset 1',
  'select distinct person from orders order by 1',
  "select name || '!' as loud, upper(name), length(name) from people order by id",
  'select name_of(1)',
  'with boss as (select id, name from people) select p.name, b.name from people p left join boss b on b.id = p.boss order by p.id',
  'select row_number() over (order by id) as n, id from people order by n',
  "select table_name, column_name from information_schema.columns where table_name = 'people' order by ordinal_position",
  "select relname, reltuples from pg_class where relname = 'people'",
  'select shout from cards order by shout',
  'insert into orders values (9, 1, 5, null) returning id, amount',
  'update orders set amount = amount + 1 where id = 9 returning amount',
  'delete from orders where id = 9 returning id',
  'select exists (select 1 from people where id = 1)',
  'select coalesce(note, $$none$$) from orders order by id',
  'select json_agg(o) from orders o',
  'select generate_series(1, 3)',
  'explain (costs off) select name from people where id = 1',
  'select current_user, version() is not null',
];

describe.skipIf(missingPostgres() !== undefined)('a masked column in whatever form', () => {
  let agent: TestAgent;
  let tapped: Awaited<ReturnType<typeof tap>>;
  const clients: pg.Client[] = [];
  const database = 'column_lineage';

  const client = async (): Promise<pg.Client> => {
    const db = await openClient({ port: tapped.port, database: 'postgres' });
    clients.push(db);
    return db;
  };
  const direct = async (): Promise<pg.Client> => {
    const { port, admin } = agent.postgres;
    const db = new pg.Client({ host: '127.0.0.1', port, user: admin.username, password: admin.password, database });
    await db.connect();
    clients.push(db);
    return db;
  };
  const expectNothing = (text: string): void => {
    const bytes = tapped.take().toString('latin1');
    for (const form of forms()) expect(bytes.includes(form), `${text} shows ${form}`).toBe(false);
  };

  beforeAll(async () => {
    const { sharedPostgres } = await import('../support/postgres-server.js');
    const postgres = await sharedPostgres();
    await postgres.createDatabase(database, SEED);
    await postgres.sql(
      'grant all on all tables in schema public to hoop_app; grant all on schema public to hoop_app',
      database,
    );
    agent = await startTestAgent({ policies: POLICY, database });
    // The caller's credential owns the data: nothing but the mask stands between it and the value.
    tapped = await tap((await agent.port({ groups: ['engineering', 'dba'] })).port);
  });

  afterAll(async () => {
    for (const db of clients) await db.end().catch(() => undefined);
    tapped.close();
    await agent.close();
  });

  it(`is masked in ${String(MASKED.length)} queries, as text, binary and by the simple protocol`, async () => {
    const [through, real] = [await client(), await direct()];
    tapped.take();
    for (const text of MASKED) {
      const known = await real
        .query({ text: `begin; ${text}; rollback`, rowMode: 'array' })
        .then((results) => (results as unknown as pg.QueryArrayResult[])[1]?.rows[0]?.[0] as unknown);
      for (const how of [
        { text },
        { text, values: [] as unknown[] },
        { text, values: [] as unknown[], binary: true },
      ]) {
        const shown = await through.query({ ...how, rowMode: 'array' } as pg.QueryArrayConfig).then(
          (result) => result.rows[0]?.[0] as unknown,
          (error: unknown) => `refused: ${String(error)}`,
        );
        expect(String(shown), text).not.toMatch(/^refused/);
        if (known !== null) expect(JSON.stringify(shown), text).not.toBe(JSON.stringify(known));
        expectNothing(text.includes(SSN) ? '' : text);
      }
    }
  });

  it(`stays inside of the server in ${String(TELLING.length)} texts that fail, tell or move it`, async () => {
    const through = await client();
    tapped.take();
    for (const text of TELLING) {
      await through.query(text).catch(() => undefined);
      await through.query('rollback').catch(() => undefined);
      expectNothing(text);
    }
  });

  it(`leaves ${String(ORDINARY.length)} ordinary queries as they are`, async () => {
    const [through, real] = [await client(), await direct()];
    for (const text of ORDINARY) {
      const known = await real.query({ text, rowMode: 'array' });
      for (const values of [undefined, []]) {
        if (/^(insert|update|delete)/.test(text) && values !== undefined) continue;
        const undo = text.startsWith('insert') ? 'delete from orders where id = 9' : undefined;
        if (undo !== undefined) await real.query(undo);
        const shown = await through.query({ text, rowMode: 'array', ...(values === undefined ? {} : { values }) });
        if (!/^(update|delete)/.test(text)) expect(shown.rows, text).toEqual(known.rows);
      }
    }
  });

  it('is refused by name of the policy, with the reason, and the refusal is recorded as a decision', async () => {
    const through = await client();
    await expect(through.query("select id from people where ssn like '9%'")).rejects.toMatchObject({
      code: '42501',
      message: 'blocked by policy pii/secrets: masked column people.ssn may not be used in WHERE (inference)',
    });
    await expect(through.query({ text: 'select id from people where ssn > $1', values: ['5'] })).rejects.toMatchObject({
      code: '42501',
    });
    expect((await through.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
