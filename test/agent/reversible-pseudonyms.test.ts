import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { bind, execute, parse, query, sync } from '../protocols/postgres/wire.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';
import { openRawSession } from '../support/raw-postgres.js';

const EMAIL = "mar'ta.k\\q@example.com";
const PLAIN = 'otto.wels@example.com';
const SSN = '517-26-5083';
const CARD = '4012 8888 8888 1881';
const NUMBER = 730912846;
const SEED = `
  create table people (id int primary key, email text unique, ssn text, card varchar(30), number int unique, born date, uid uuid, name text);
  insert into people values
    (1, $$${EMAIL}$$, '${SSN}', '${CARD}', ${String(NUMBER)}, '1980-01-02', 'a1b2c3d4-0000-4000-8000-00000000beef', 'Ann'),
    (2, '${PLAIN}', '604-31-8827', '5555555555554444', 99, '1990-03-04', 'a1b2c3d4-0000-4000-8000-00000000beff', 'Bo');
  create table visits (person_email text references people (email), at int);
  insert into visits values ($$${EMAIL}$$, 5), ('${PLAIN}', 6);
`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - name: keys
      columns: [people.email, people.ssn, people.card, people.number, people.born, people.uid, visits.person_email]
      strategy: hash
      reversible: true
`;
const ORIGINALS = [
  EMAIL,
  PLAIN,
  SSN,
  CARD,
  String(NUMBER),
  '604-31-8827',
  '5555555555554444',
  '00000000beef',
  '1980-01-02',
];

interface Person {
  readonly id: number;
  readonly email: string;
  readonly ssn: string;
  readonly card: string;
  readonly number: number;
  readonly born: string;
  readonly uid: string;
}

describe.skipIf(missingPostgres() !== undefined)('a pseudonym of a reversible mask, given as a value', () => {
  let agent: TestAgent;
  let db: pg.Client;
  let ann: Person;
  let bo: Person;
  let seen: Buffer[] = [];

  const ids = async (text: string, values?: readonly unknown[]): Promise<unknown[]> => {
    const more = values === undefined ? {} : { values: [...values], queryMode: 'extended' };
    const result = await db.query({ text, rowMode: 'array', ...more });
    return result.rows.map((row) => (row as unknown[])[0]);
  };

  beforeAll(async () => {
    const postgres = await sharedPostgres();
    const database = 'reversible_pseudonyms';
    await postgres.createDatabase(database, SEED);
    await postgres.sql('grant all on all tables in schema public to hoop_app', database);
    agent = await startTestAgent({ policies: POLICY, database });
    const { port } = await agent.port({ groups: ['engineering', 'dba'] });
    db = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
    await db.connect();
    (db as unknown as { connection: { stream: Socket } }).connection.stream.on('data', (bytes: Buffer) => {
      seen.push(bytes);
    });
    const { rows } = await db.query('select id, email, ssn, card, number, uid from people order by id');
    ann = rows[0] as Person;
    bo = rows[1] as Person;
    const born = await db.query({ text: 'select born from people where id = 1', rowMode: 'array' });
    ann = { ...ann, born: localDate((born.rows as unknown[][])[0]?.[0] as Date) };
  });

  afterAll(async () => {
    await db.end();
    const recorded = readdirSync(agent.recordings, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(agent.recordings, name)).isFile())
      .map((name) => readFileSync(join(agent.recordings, name), 'utf8'));
    await agent.close();
    const shown = Buffer.concat(seen).toString('latin1');
    seen = [];
    expect(recorded.join('')).toContain(ann.email);
    for (const original of ORIGINALS) {
      expect(shown.includes(original), `the client got ${original}`).toBe(false);
      expect(recorded.join('').includes(original), `the recording has ${original}`).toBe(false);
    }
  });

  it('finds its row as a constant in 16 spellings, in a simple query and in a prepared text', async () => {
    const { email, ssn, card, number, uid, born } = ann;
    const texts = [
      `select id from people where email = '${email}'`,
      `select id from people where email='${email}'and/*ü*/true`,
      `select id /* größer 😀 */ from people where ssn = E'${ssn}'`,
      `select id from people where $$${card}$$ = card`,
      `select id from people where email = '${email}'::text and name = 'Ann'`,
      `select id from people where email = text '${email}'`,
      `select id from people where lower(email) = lower('${email}') or ssn = '${ssn}'`,
      `select id from people where email in ('x', '${email}')`,
      `select id from people where email = any('{x,"${email}"}')`,
      `select id from people where email = any(array['${email}', 'y'])`,
      `select id from people where (ssn, number) = ('${ssn}', ${String(number)})`,
      `select id from people where number = ${String(number)}`,
      `select id from people where number in (7, ${String(number)})`,
      `select id from people where born = '${born}' and uid = '${uid}'`,
      `with q as (select * from people where email = '${email}') select id from q`,
      `select p.id from people p join visits v on v.person_email = p.email and v.person_email = '${email}' where p.ssn = '${ssn}'`,
    ];
    expect(texts).toHaveLength(16);
    expect(await ids(`select id from people where email = '${bo.email}' and card = '${bo.card}'`)).toEqual([2]);
    for (const text of texts) {
      expect(await ids(text), text).toEqual([1]);
      expect(await ids(text, []), `${text} (extended)`).toEqual([1]);
    }
  });

  it('finds its row as a bound value, in text and in binary form', async () => {
    const { email, ssn, card, number } = ann;
    const integer = Buffer.alloc(4);
    integer.writeInt32BE(number);
    for (const [text, values] of [
      ['select id from people where email = $1', [email]],
      ['select id from people where email = $1', [Buffer.from(email)]],
      ['select id from people where ssn = $2 and card = $1', [card, ssn]],
      ['select id from people where ssn = $1::text', [ssn]],
      ['select id from people where number = $1', [String(number)]],
      ['select id from people where number = $1', [integer]],
      ['select id from people where email in ($1, $2)', ['x', email]],
      ['select id from people where email = any($1)', [['a', email]]],
      ['select id from people where number = any($1)', [[1, number]]],
      ['select id from people where email = $1 or email = $1', [email]],
    ] as const)
      expect(await ids(text, values), text).toEqual([1]);
  });

  it('finds its row in an EXECUTE, in what PREPARE holds and in a cursor', async () => {
    const { email, ssn, number } = ann;
    const run = async (texts: readonly string[], values?: readonly unknown[]): Promise<unknown[]> => {
      let last: unknown[] = [];
      for (const text of texts) last = await ids(text, text.includes('$1') ? values : undefined);
      await db.query('rollback; close all; deallocate all');
      return last;
    };
    for (const texts of [
      [`prepare p as select id from people where email = '${email}'`, 'execute p'],
      ['prepare p as select id from people where email = $1', `execute p('${email}')`],
      ['prepare p (text) as select id from people where email = $1', `execute p('${email}')`],
      [
        'prepare p (int, text) as select id from people where ssn = $2 and number = $1',
        `execute p(${String(number)}, '${ssn}')`,
      ],
      ['prepare p (text[]) as select id from people where email = any($1)', `execute p('{x,"${email}"}')`],
      ['prepare p as select id from people where email in ($1, $2)', `execute p('x', text '${email}')`],
      ['prepare p as select id from people where lower(email) = lower($1)', `execute p('${email}')`],
      ['begin', `declare c cursor for select id from people where email = '${email}'`, 'fetch c'],
      ['begin', `declare c cursor with hold for select id from people where ssn = '${ssn}'`, 'commit', 'fetch c'],
    ]) {
      expect(await run(texts), texts.join('; ')).toEqual([1]);
    }
    expect(
      await run(['begin', 'declare c cursor for select id from people where email = $1', 'fetch c'], [email]),
    ).toEqual([1]);
    await db.query({ name: 'wired', text: 'select id from people where email = $1', values: ['x'] });
    expect(await ids(`execute wired('${email}')`)).toEqual([1]);
    const both = await db.query(`prepare q as select id from people where email = $1; execute q('${email}')`);
    expect((both as unknown as pg.QueryResult[])[1]?.rows).toEqual([{ id: 1 }]);
  });

  it('finds its row in an EXECUTE of the extended protocol, however often and under whatever names', async () => {
    const { email } = ann;
    await db.query('prepare p as select id from people where email = $1');
    const text = `execute p('${email}')`;
    for (const query of [
      { text, values: [] },
      { name: 'kept', text },
      { name: 'kept', text },
      { text, values: [] },
    ])
      expect((await db.query(query as pg.QueryConfig)).rows, JSON.stringify(query)).toEqual([{ id: 1 }]);
    await db.query({ name: 'wire', text: 'select id from people where email = $1', values: ['x'] });
    const other = { text: `execute wire('${email}')`, queryMode: 'extended' } as pg.QueryConfig;
    expect((await db.query(other)).rows).toEqual([{ id: 1 }]);
    expect(JSON.stringify(await ids('select statement from pg_prepared_statements'))).not.toContain('example.com');
    // The same text, kept by its name, when what it runs shows what it is given.
    await db.query('deallocate p');
    await db.query('prepare p as select $1::text as id');
    expect((await db.query({ name: 'kept', text })).rows).toEqual([{ id: email }]);
    await db.query('deallocate p');
    await db.query('prepare p as select id from people where email = $1');
    expect((await db.query({ name: 'kept', text })).rows).toEqual([{ id: 1 }]);
    await db.query('deallocate all');
  });

  it('shows nothing of a value in a plan where its kind is masked as well', async () => {
    const kinds = `${POLICY}    - { name: kinds, entities: [email], strategy: partial }\n`;
    const other = await startTestAgent({ policies: kinds, database: 'reversible_pseudonyms' });
    const { port } = await other.port({ groups: ['engineering', 'dba'] });
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
    await client.connect();
    const { rows } = await client.query('select email from people where id = 2');
    const { email } = rows[0] as Person;
    const plan = JSON.stringify(
      (await client.query(`explain analyze select id from people where email = '${email}'`)).rows,
    );
    expect(plan).toMatch(/rows=1 loops=1/);
    expect(plan).not.toContain('example.com');
    await client.end();
    await other.close();
  });

  it('does not run an EXECUTE that was bound before its name was given to another statement', async () => {
    const { port } = await agent.port({ groups: ['engineering', 'dba'] });
    const raw = await openRawSession(port, { user: 'x', database: 'postgres' });
    await raw.exchange(query('prepare p as select id::text from people where email = $1'), 1);
    const [text, changed] = [`execute p('${ann.email}')`, 'prepare p as select $1::text'];
    const pipelines = [
      [parse('s', text), bind('a', 's'), execute('a'), sync()],
      [bind('a', 's'), parse('d', 'deallocate p'), bind('b', 'd'), execute('b'), execute('a'), sync()],
      [bind('a', 's'), parse('d2', changed), bind('b', 'd2'), execute('b'), execute('a'), sync()],
      [bind('a', 's'), execute('a'), sync()],
    ];
    const shown: string[] = [];
    for (const messages of pipelines) {
      const answers = await raw.exchange(Buffer.concat(messages), 1);
      shown.push(answers.map(({ type, body }) => (type === 'D' ? `D ${body.toString('latin1')}` : type)).join(' '));
    }
    raw.end();
    expect(shown[0]).toMatch(/^1 2 D .*1 C Z$/s);
    expect(shown.join()).not.toContain('example.com');
    expect(shown[1]).toBe('2 1 2 C E Z');
    expect(shown[2]).toMatch(/E Z$/);
    expect(shown[3]).toContain(ann.email);
  });

  it('is left as it is in an EXECUTE of what shows it, or of what is not certain', async () => {
    const { email } = ann;
    for (const [texts, shown] of [
      [['prepare p as select $1::text from people where email = $1', `execute p('${email}')`], []],
      [['prepare p (text) as select $1', `execute p('${email}')`], [email]],
      [['prepare p ("char") as select id from people where email = $1', `execute p('${email}')`], []],
      [['prepare p as select id from people where email = $1', `execute p('${email}' || '')`], []],
      [
        [
          'prepare p as select id from people where email = $1',
          "do $$ begin execute 'deallocate p'; execute 'prepare p as select $1::text'; end $$",
          `execute p('${email}')`,
        ],
        ['[text]'],
      ],
    ] as const) {
      let last: unknown[] = [];
      for (const text of texts) last = await ids(text);
      await db.query('deallocate all');
      expect(last, texts.join('; ')).toEqual(shown);
    }
    await db.query('prepare p as select id from people where email = $1');
    const [, result] = (await db.query({
      text: `do $$ begin execute 'deallocate p'; execute 'prepare p as select $1::text'; end $$; execute p('${email}')`,
      rowMode: 'array',
    })) as unknown as pg.QueryArrayResult[];
    expect(result?.rows).toEqual([['[text]']]);
    await db.query('deallocate all');
  });

  it('finds its row among thousands of values, in a text that is not parsed again', async () => {
    const { email, ssn } = ann;
    // Of a masked column's no more than 1,000 may be tried at once.
    const padding = 'ü'.repeat(60);
    const many = (from: number, between = ', ', before = ''): string =>
      Array.from({ length: 400 }, (_, at) => `${before}'${padding}${String(from + at)}''s@example.net'`).join(between);
    const others = (from: number): string => many(from);
    for (const text of [
      `select id from people where email in (${others(0)}, '${email}', ${others(400)})`,
      `select id from people where email = any(array[${others(0)}, '${email}'/* ' */, ${others(400)}])`,
      `select id from people where email in (${others(0)}, '${email}'::text, ${others(400)})`,
      `select id from people where ${many(0, ' or ', 'email = ')} or email = '${email}' or ${many(400, ' or ', 'email = ')}`,
      `select id from people where ${many(0, ' or ', 'email = ')} or '${email}' = email or ${many(400, ' or ', 'email = ')}`,
      `select id from people where (email, id) in (${many(0, ', 1), (', '')}, 1), ('${email}', 1), (${many(400, ', 1), (', '')}, 1))`.replace(
        'in (',
        'in ((',
      ),
      `select id from people where ssn = '${ssn}' and name not in (${others(0)}, ${others(400)})`,
    ]) {
      expect(text.length).toBeGreaterThan(64 << 10);
      expect(await ids(text)).toEqual([1]);
      expect(await ids(text, [])).toEqual([1]);
    }
    const shown = await ids(`select '${email}' where 'x' in (${others(0)}, '${email}', ${others(400)}, 'x')`);
    expect(shown).toEqual([email]);
  });

  it('finds its row as an element of a bound array in binary form', async () => {
    for (const [text, value] of [
      ['select id from people where email = any($1)', binaryArray(25, [Buffer.from('x'), Buffer.from(ann.email)])],
      ['select id from people where ssn = any($1::text[])', binaryArray(25, [Buffer.from(ann.ssn), Buffer.from('')])],
      ['select id from people where number = any($1)', binaryArray(23, [int32(1), int32(ann.number)])],
    ] as const)
      expect(await ids(text, [value]), text).toEqual([1]);
    expect(
      await ids('select $1::text[] from people where email = any($1)', [binaryArray(25, [Buffer.from(ann.email)])]),
    ).toEqual([]);
  });

  it('finds the row that is to be changed, and shows pseudonyms of it', async () => {
    const changed = await db.query(`update people set name = 'Ana' where email = '${ann.email}' returning id, email`);
    expect(changed.rows).toEqual([{ id: 1, email: ann.email }]);
    expect(await ids('delete from visits where person_email = $1 returning at', [ann.email])).toEqual([5]);
  });

  it('is left as it is where it would be shown or kept, or stands for nothing', async () => {
    expect(await ids('select $1::text from people where email = $1', [ann.email])).toEqual([]);
    expect(await ids(`select '${ann.email}' from people where email = '${ann.email}'`)).toEqual([ann.email]);
    expect(await ids(`select id from people where email = '${PLAIN.slice(1)}'`)).toEqual([]);
    expect(await ids(`select id from people where name = '${ann.email}'`)).toEqual([]);
  });

  it('finds its row in an EXPLAIN, of which the plan shows pseudonyms alone', async () => {
    const { email, ssn, card, number, born, uid } = ann;
    const analyze = 'explain (analyze, verbose, costs off, timing off, summary off';
    const all = [
      `where email = '${email}' and ssn = '${ssn}' and card = '${card}'`,
      `where number = ${String(number)} and born = '${born}' and uid = '${uid}'`,
      `where email in ('${email}', '${bo.email}') and ssn = any('{${ssn},x}')`,
      `where lower(email) = lower('${email}')`,
      `p join visits v on v.person_email = p.email where p.email = '${bo.email}' and p.id = 2`,
    ];
    await db.query('begin');
    for (const format of ['text', 'json', 'yaml', 'xml'])
      for (const rest of all) {
        const text = `${analyze}, format ${format}) select 1 from people ${rest}`;
        const simple = JSON.stringify((await db.query({ text, rowMode: 'array' })).rows);
        const extended = JSON.stringify(
          (await db.query({ text, rowMode: 'array', queryMode: 'extended' } as pg.QueryArrayConfig)).rows,
        );
        expect(simple.replaceAll(/Memory[^,\]]*/g, ''), text).toBe(extended.replaceAll(/Memory[^,\]]*/g, ''));
        if (format === 'text') expect(simple, text).toMatch(/rows=1\b/);
        expect(simple, text).toContain(
          rest.includes('number') ? String(number) : rest.includes('join') ? bo.email : email,
        );
        expect(simple, text).not.toContain('[masked]');
      }
    for (const style of ['SQL, DMY', 'German', 'Postgres, MDY']) {
      await db.query(`set datestyle = ${style}`);
      const { rows } = await db.query(`explain select 1 from people where born = '${born}'`);
      expect(JSON.stringify(rows), style).toContain(born.slice(0, 4));
      expect(JSON.stringify(rows), style).not.toContain('1980');
    }
    const bound = await db.query({ text: `${analyze}) select 1 from people where email = $1`, values: [email] });
    expect(JSON.stringify(bound.rows)).toMatch(/rows=1\b/);
    expect(JSON.stringify(bound.rows)).toContain(email);
    const array = await db.query({ text: `${analyze}) select 1 from people where email = any($1)`, values: [[email]] });
    expect(JSON.stringify(array.rows)).toMatch(/rows=1\b/);
    await db.query('rollback');
  });

  it('finds its row in an EXPLAIN where it is bound in binary form, and the plan shows it as the server spells it', async () => {
    const { email, number, born, uid } = ann;
    const day = (Date.parse(`${born}T00:00:00Z`) - Date.UTC(2000, 0, 1)) / 86_400_000;
    const uuid = Buffer.from(uid.replaceAll('-', ''), 'hex');
    await db.query('begin');
    for (const [condition, value, shown] of [
      ['number = $1', int32(number), String(number)],
      ['born = $1', int32(day), born],
      ['uid = $1', uuid, uid],
      ['number = any($1)', binaryArray(23, [int32(1), int32(number)]), String(number)],
      ['email = any($1)', binaryArray(25, [Buffer.from('x'), Buffer.from(email)]), email],
    ] as const) {
      const text = `explain (analyze, verbose, costs off, timing off, summary off) select 1 from people where ${condition}`;
      const plan = JSON.stringify((await db.query({ text, values: [value] })).rows);
      expect(plan, condition).toMatch(/rows=1\b/);
      expect(plan, condition).toContain(shown);
      for (const original of ORIGINALS) expect(plan, condition).not.toContain(original);
    }
    await db.query('rollback');
  });

  it('shows the value in no text of the session, and in no error', async () => {
    await db.query(`prepare kept as select id from people where email = '${ann.email}' and ssn = $1`);
    await db.query(`declare kept cursor with hold for select id from people where email = '${ann.email}'`);
    for (const text of [
      `select current_query() from people where email = '${ann.email}'`,
      `select query from pg_stat_activity, people where email = '${ann.email}' and pid = pg_backend_pid()`,
      `select statement from pg_prepared_statements, people where email = '${ann.email}'`,
      'select statement from pg_prepared_statements',
      'select statement from pg_cursors',
      "explain execute kept('x')",
      "explain (analyze, verbose, format json) execute kept('x')",
    ]) {
      expect(JSON.stringify(await ids(text)), text).not.toContain('example.com');
    }
    const wrong = [
      `select id, 1 / (id - 1) from people where email = '${ann.email}'`,
      `select id from people where ssn = '${ann.ssn}' and number = '${ann.ssn}'`,
      `select id from people where email = '${ann.email}' and born = '2024-02-31'`,
    ];
    for (const text of wrong) await expect(db.query(text), text).rejects.toThrow();
    await db.query('prepare big as select id, number + 2147483647 from people where number = $1');
    await db.query(`prepare late as select (email || id)::int from people where email = '${ann.email}'`);
    for (const text of [
      `execute big(${String(ann.number)})`,
      'execute late',
      "do $$ begin execute 'execute late'; end $$",
    ])
      await expect(db.query(text), text).rejects.toThrow();
    await db.query('close kept; deallocate all');
  });

  it('lets an error point at the place in the text that the client sent', async () => {
    const text = `select id from people where email = '${ann.email}' and nosuch = 1`;
    await expect(db.query(text)).rejects.toMatchObject({ position: String(text.indexOf('nosuch') + 1) });
    await expect(db.query({ text, values: [] })).rejects.toMatchObject({
      position: String(text.indexOf('nosuch') + 1),
    });
  });
});

function localDate(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}

function int32(value: number): Buffer {
  return Buffer.from(Int32Array.of(value).buffer).swap32();
}

function binaryArray(oid: number, elements: readonly Buffer[]): Buffer {
  const items = elements.flatMap((element) => [int32(element.length), element]);
  return Buffer.concat([int32(1), int32(0), int32(oid), int32(elements.length), int32(1), ...items]);
}
