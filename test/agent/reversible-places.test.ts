import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const EMAIL = "mar'ta@example.com";
const SEED = `
  create table people (id int primary key, email text unique, ssn text, number int unique, name text, born date, uid uuid);
  insert into people values (1, $$${EMAIL}$$, '517-26-5083', 730912846, 'Ann', '1980-01-02', 'a1b2c3d4-0000-4000-8000-00000000beef'), (2, 'otto.wels@example.com', '604-31-8827', 99, 'Bo', null, null);
  create table guesses (word text);
  insert into guesses values ($$${EMAIL}$$), ('x@example.com');
  create view mails as select id, email as mail from people;
`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - { name: keys, columns: [people.email, people.ssn, people.number, people.born, people.uid], strategy: hash, reversible: true }
`;

/** Each finds the row of the pseudonyms `E` and `N`, as text and bound. */
const FINDING: readonly (readonly [text: string, values?: readonly unknown[]])[] = [
  ["select p.id from people p join (values ('E'), ('x')) v(e) on v.e = p.email"],
  ["select p.id, v.n from people p, (values ('E', 1), ('x', 2)) v(e, n) where v.e = p.email and v.n = p.id"],
  ['select p.id from people p join (values ($1), ($2)) v(e) on v.e = p.email', ['E', 'x']],
  ['select p.id from people p join (values ($1::text), ($2::text)) v(e) on lower(p.email) = lower(v.e)', ['E', 'x']],
  ['select p.id from people p join unnest($1::text[]) k(v) on k.v = p.email', [['E', 'x']]],
  ['select p.id from people p join unnest(\'{"E",x}\'::text[]) e on e = p.email'],
  ["select id from people where email in (select unnest(array['E', 'x']))"],
  ['select id from people where email in (select unnest($1::text[]))', [['E', 'x']]],
  ["select id from people where (email, id) in (values ('E', 1), ('x', 2))"],
  ['select id from people where email = (select $1::text)', ['E']],
  ["with k(e) as (values ('E'), ('y')) select p.* from people p join k on p.email = k.e"],
  [
    'select p.id from people p join unnest($1::int[], $2::text[]) k(n, e) on k.e = p.email and k.n = p.number',
    [['N'], ['E']],
  ],
  ['select p.id from people p where exists (select 1 from (values (N)) v(n) where v.n = p.number)'],
  ['select id from people where ($1::text is null or email = $1) and $2::int is null', ['E', null]],
  ["update people p set name = v.n from (values ('E', 'Ann')) v(e, n) where v.e = p.email returning p.id"],
  ['delete from people p using unnest($1::text[]) v(e) where v.e = p.email returning p.id', [['E']]],
];

/** They show the row that the caller brings, or ask something else of it: it stays as it is, and finds nothing. */
const KEPT: readonly string[] = [
  "select v.e from (values ('E')) v(e) join people p on p.email = v.e",
  "select e from (values ('E')) v(e) join people p on p.email = v.e",
  "select * from (values ('E')) v(e) join people p on p.email = v.e",
  "select v.* from (values ('E')) v(e) join people p on p.email = v.e",
  "select v from (values ('E')) v(e) join people p on p.email = v.e",
  "select to_json(v) from (values ('E')) v(e) join people p on p.email = v.e",
  "select (v).e from (values ('E')) v(e) join people p on p.email = v.e",
  "select e(v) from (values ('E')) v(e) join people p on p.email = v.e",
  "select e from unnest(array['E']) e join people p on p.email = e",
  "select p.id from (values ('E')) v(e) join people p on p.email = v.e where v.e like 'mar%'",
  "select p.id from (values ('E')) v(e) join people p on p.email = v.e order by v.e",
  "select p.id from (values ('E')) v(e) join people p on p.email = v.e join guesses g on g.word = v.e",
  "select word from guesses join (values ('E')) v(word) using (word) join people p on p.email = v.word",
  "select g.word from guesses g natural join (values ('E')) v(word) join people p on p.email = v.word",
  "select j.b from (people p join (values ('E')) v(e) on p.email = v.e) as j(a, m, s, n, x, y, u, b)",
  "select z.w from (values ('E')) v(e) join people p on p.email = v.e, lateral (select v.e as w) z",
  "with k(e) as (values ('E')) select k.e from k join people p on p.email = k.e",
  "with k(e) as (values ('E')) select y.w from k as y(w) join people p on p.email = y.w",
  "with k(e) as (values ('E')) select y.e from k join people p on p.email = k.e, k as y",
  "with k(e) as (values ('E')), m as (table k) select m.e from m, k join people p on p.email = k.e",
  "select (select max(v.e)) from (values ('E')) v(e) join people p on p.email = v.e having max(v.e) is not null",
  "select id from people where email = 'E' and (select word from guesses where word in (values ('E'))) is not null and id = 7",
  "update people p set name = v.e from (values ('E')) v(e) where v.e = p.email returning p.name",
  "update people p set name = 'x' from (values ('E')) v(e) where v.e = p.email returning *",
  "merge into guesses g using (select v.e, p.id from (values ('E')) v(e) join people p on p.email = v.e) s on false when not matched then insert values (s.e)",
];

interface Person {
  readonly email: string;
  readonly ssn: string;
  readonly number: number;
}

describe.skipIf(missingPostgres() !== undefined)('where a pseudonym is turned back', () => {
  let agent: TestAgent;
  let db: pg.Client;
  let ann: Person;

  const rows = async (text: string, values?: readonly unknown[]): Promise<unknown> =>
    (await db.query({ text, ...(values === undefined ? {} : { values: [...values] }), rowMode: 'array' })).rows;

  beforeAll(async () => {
    const database = 'reversible_places';
    await (await sharedPostgres()).createDatabase(database, SEED);
    agent = await startTestAgent({ policies: POLICY, database });
    const { port } = await agent.port({ groups: ['engineering', 'dba'] });
    db = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
    await db.connect();
    ann = (await db.query('select email, ssn, number from people where id = 1')).rows[0] as Person;
  }, 60_000);

  afterAll(async () => {
    await db.end();
    await agent.close();
  });

  const filled = (text: string): string =>
    text.replaceAll(/\bE\b/g, ann.email).replaceAll(/\bN\b/g, String(ann.number));
  const fill = (value: unknown): unknown =>
    value === null ? null : (JSON.parse(filled(JSON.stringify(value))) as unknown);

  const undone = async <T>(work: () => Promise<T>): Promise<T> => {
    await db.query('begin');
    return work().finally(() => db.query('rollback'));
  };

  it.each(FINDING.map(([text, values]) => ({ text, values })))(
    'finds its row in rows that the caller brings: $text',
    async ({ text, values }) => {
      const bound = values?.map((value) => fill(value));
      const found = (await undone(() => rows(filled(text), bound))) as unknown[][];
      expect(found.map(([id]) => id)).toEqual([1]);
      const prepared = { text: filled(text), values: bound ?? [], name: `n${String(text.length)}` };
      expect((await undone(() => db.query(prepared))).rowCount).toBe(1);
    },
  );

  it.each(KEPT.map((text) => ({ text })))('stays as it is where the row is used otherwise: $text', async ({ text }) => {
    expect(await undone(() => rows(filled(text)))).toEqual([]);
  });

  it('is the same in a document that a query builds, and turned back from there', async () => {
    const columns = (await db.query('select * from people where id = 1')).rows[0] as object;
    const { document } = (await db.query('select to_jsonb(p) as document from people p where id = 1')).rows[0] as {
      document: Readonly<Record<string, string | number>>;
    };
    const { born, ...others } = document;
    const { born: day, ...same } = columns as { born: Date };
    expect(others).toEqual(same);
    expect(new Date(`${String(born)}T00:00:00`)).toEqual(day);
    const found = 'select id from people where number = $1 and born = $2 and uid = $3 and email = $4';
    expect(await rows(found, [others['number'], born, others['uid'], others['email']])).toEqual([[1]]);
    const [one] = (await rows('select to_json(number), to_json(born) from people where id = 1')) as unknown[][];
    expect(one).toEqual([others['number'], born]);
  });

  it('is not where the value is compared with a column that is not masked as well', async () => {
    const { email } = ann;
    for (const [text, values] of [
      ['select word from guesses where word = $1 and exists (select 1 from people where email = $1)', [email]],
      ['select word from guesses, people where email = $1 and word = $1', [email]],
      ['select word from guesses, people where email = any($1) and word = any($1)', [[email]]],
      ['select word from guesses left join people on false where coalesce(email, word) = $1', [email]],
      [`select word from guesses left join people on false where coalesce(email, word) = '${email}'`, undefined],
      [
        `select w from (select email as w from people where id = 0 union all select word from guesses) q where w = '${email}'`,
        undefined,
      ],
      [
        `with q as (select mail as w from mails where id = 0 union all select word from guesses) select w from q where w = $1`,
        [email],
      ],
    ] as const)
      expect(await rows(text, values), text).toEqual([]);
    await db.query('prepare p as select word from guesses, people where email = $1 and word = $1');
    expect(await rows(`execute p('${email}')`)).toEqual([]);
    await db.query('deallocate p');
    expect(await rows('select id from mails where mail = $1', [email])).toEqual([[1]]);
  });
});
