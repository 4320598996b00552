import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const SEED = `
  create table customers (id int primary key, ssn text unique, country text, number int, unique (country, number));
  insert into customers values (1, '517-26-5083', 'US', 7), (2, '604-31-8827', 'US', 8);
  create table bills (customer text references customers (ssn), cents int);
  insert into bills values ('517-26-5083', 10), ('517-26-5083', 20), ('604-31-8827', 5);
  create table later (customer text references customers (ssn) deferrable);
  create table unchecked (customer text);
  alter table unchecked add foreign key (customer) references customers (ssn) not valid;
  create table loose (country text, number int, foreign key (country, number) references customers (country, number));
  create table whole (country text, number int, foreign key (country, number) references customers (country, number) match full);
  create table plain (customer text);
`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - { name: secrets, columns: ['*.ssn', 'customers.number'], strategy: redact }
`;

describe.skipIf(missingPostgres() !== undefined)('a masked column in a join', () => {
  let agent: TestAgent;
  let db: pg.Client;

  beforeAll(async () => {
    const database = 'masked_keys';
    const postgres = await sharedPostgres();
    await postgres.createDatabase(database, SEED);
    agent = await startTestAgent({ policies: POLICY, database });
    const { port } = await agent.port({ groups: ['engineering', 'dba'] });
    db = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
    await db.connect();
  });

  afterAll(async () => {
    await db.end();
    await agent.close();
  });

  it('may be joined with a foreign key that refers to it, whose values all stand there', async () => {
    const joined = 'select c.id, b.cents from bills b join customers c on c.ssn = b.customer order by 2';
    expect((await db.query(joined)).rows).toEqual([
      { id: 2, cents: 5 },
      { id: 1, cents: 10 },
      { id: 1, cents: 20 },
    ]);
    const both = 'select 1 from whole w join customers c on (c.country, c.number) = (w.country, w.number)';
    expect((await db.query(both)).rows).toEqual([]);
  });

  it('may not be joined with a column that someone can fill with guesses', async () => {
    for (const table of ['later', 'unchecked', 'plain'])
      await expect(
        db.query(`select c.id from ${table} t join customers c on c.ssn = t.customer`),
        table,
      ).rejects.toThrow(/customers\.ssn may not be used in JOIN/);
    await expect(
      db.query('select 1 from loose l join customers c on (c.country, c.number) = (l.country, l.number)'),
    ).rejects.toThrow(/customers\.number may not be used in JOIN/);
  });

  it('may not be joined with a column of a table that the caller fills, though a mask meets that too', async () => {
    await db.query('create temp table guesses (guess int, ssn text)');
    await db.query("insert into guesses select g, '517-26-' || lpad(g::text, 4, '0') from generate_series(0, 9999) g");
    for (const text of [
      'select g.guess, c.id from guesses g join customers c on c.ssn = g.ssn',
      'select g.guess from guesses g join customers c using (ssn)',
      'select guess from guesses where ssn in (select ssn from customers)',
      'select guess from guesses where ssn = (select ssn from customers where id = 1)',
    ])
      await expect(db.query(text), text).rejects.toThrow(/ssn may not be used in (?:JOIN|JOIN USING|WHERE)/);
  });

  it('may not be joined with a foreign key that the open transaction defers or takes off', async () => {
    for (const change of ['alter constraint bills_customer_fkey deferrable', 'drop constraint bills_customer_fkey']) {
      await db.query('begin');
      await db.query(`alter table bills ${change}`);
      await db.query(
        "set constraints all deferred; insert into bills select '517-26-' || g from generate_series(5000, 5099) g",
      );
      await expect(
        db.query('select count(*) from bills b join customers c on c.ssn = b.customer'),
        change,
      ).rejects.toThrow(/may not be used in JOIN/);
      await db.query('rollback');
    }
    const joined = 'select count(*)::int from bills b join customers c on c.ssn = b.customer';
    expect((await db.query(joined)).rows).toEqual([{ count: 3 }]);
  });

  it('may stand behind the primary key of its row in what rows are sorted, grouped or told apart by', async () => {
    const rows = [{ id: 1 }, { id: 2 }];
    for (const text of [
      'select distinct c.* from customers c join bills b on b.customer = c.ssn order by c.id',
      'select distinct id, ssn from customers order by id, ssn',
      'select distinct on (id, ssn) id from customers order by 1, ssn',
      'select c.id from customers c left join bills b on b.customer = c.ssn group by c.id, c.country, c.ssn order by c.id',
    ])
      expect((await db.query(text)).rows, text).toMatchObject(rows);
    for (const [text, clause] of [
      ['select distinct ssn, id from customers', 'DISTINCT'],
      ['select distinct country, ssn from customers', 'DISTINCT'],
      ['select distinct a.id, b.ssn from customers a, customers b', 'DISTINCT'],
      ['select distinct a.id, b.ssn from (select * from customers) a, customers b', 'DISTINCT'],
      ['with k as (select id, ssn from customers) select distinct a.id, b.ssn from k a, k b', 'DISTINCT'],
      ['select id from customers group by rollup (id, ssn)', 'GROUP BY'],
      ['select id + 1, ssn from customers order by 1, ssn', 'ORDER BY'],
      ['select 1 from customers group by country, ssn, id', 'GROUP BY'],
    ] as const)
      await expect(db.query(text), text).rejects.toThrow(`may not be used in ${clause} (inference)`);
  });

  it('may not stand behind a primary key that the open transaction takes off, or that rows of others do not have', async () => {
    await db.query('begin');
    await db.query('alter table customers drop constraint customers_pkey');
    await expect(db.query('select distinct id, ssn from customers')).rejects.toThrow(/DISTINCT/);
    await db.query('rollback');
    await db.query('create table heirs () inherits (customers)');
    await expect(db.query('select distinct id, ssn from customers')).rejects.toThrow(/DISTINCT/);
    await db.query('drop table heirs');
    expect((await db.query('select distinct id, ssn from customers')).rowCount).toBe(2);
  });

  it("does not become a key of JSON by a function of the caller's own that is called as the server's is", async () => {
    const keys = 'select key from customers c, jsonb_each(to_jsonb(c)) order by 1';
    expect((await db.query(keys)).rows).toContainEqual({ key: 'ssn' });
    await db.query(
      'create function to_jsonb(customers) returns jsonb language sql as $$ select jsonb_build_object($1.ssn, 1) $$',
    );
    await expect(db.query(keys)).rejects.toThrow(/customers\.ssn may not be moved by a call of to_jsonb/);
    await db.query('drop function to_jsonb(customers)');
  });

  it('may not be tried out by a block that catches failures', async () => {
    const caught = `do $$ begin
      for g in 0..9999 loop
        begin insert into customers (id, ssn) values (g, '517-26-' || lpad(g::text, 4, '0'));
        exception when unique_violation then insert into plain values (g); end;
      end loop;
    end $$`;
    await expect(db.query(caught)).rejects.toThrow('customers.ssn may not be used in a block with EXCEPTION');
    expect((await db.query('select * from plain')).rows).toEqual([]);
  });
});
