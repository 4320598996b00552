import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { recordedEvents } from '../support/recorded-events.js';
import { errorsIn, openRawSession } from '../support/raw-postgres.js';
import { bind, execute, parse, query, sync } from '../protocols/postgres/wire.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const SSN = '917265083';
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - { name: secrets, columns: ['people.ssn'], strategy: redact, exceptGroups: [dba] }
`;
const SEED = `
  create table people (id int primary key, name text not null, ssn text not null);
  insert into people values (1, 'Ann Lee', '${SSN}'), (2, 'Bo Diaz', '604318827');
  create table notes (id int, body text);
  create function inverse(text) returns int language sql as 'select 1 / (ascii($1) - 57)';
`;
const TOO_OFTEN =
  /^blocked by policy pii\/secrets: statements that compute with (masked column people\.ssn|what may hold masked columns) have failed too often; refused for another \d+ minutes \(inference\)$/;

describe.skipIf(missingPostgres() !== undefined)('that statements fail', () => {
  let agent: TestAgent;
  const open: pg.Client[] = [];
  let people = 0;

  const client = async (subject: string, groups: readonly string[] = ['engineering']): Promise<pg.Client> => {
    const { port } = await agent.port({ subject, groups });
    const one = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
    open.push(one);
    await one.connect();
    return one;
  };
  /** Each test is another person. */
  const somebody = (): string => `somebody-${String((people += 1))}`;
  const failureOf = (db: pg.Client, text: string, values?: unknown[]): Promise<pg.DatabaseError | undefined> =>
    db.query(text, values).then(
      () => undefined,
      (error: unknown) => error as pg.DatabaseError,
    );
  /** Digits told by ten questions each, until nothing more is answered. */
  const digits = async (failing: (index: number, digit: string) => Promise<pg.DatabaseError | undefined>) => {
    let told = '';
    for (let index = 1; index <= SSN.length; index += 1) {
      for (const digit of '0123456789') {
        const error = await failing(index, digit);
        if (error === undefined) continue;
        if (error.code === '42501') return { told, why: error.message };
        told += digit;
        break;
      }
    }
    return { told, why: '' };
  };

  beforeAll(async () => {
    const postgres = await sharedPostgres();
    await postgres.createDatabase('masked_failures', SEED);
    agent = await startTestAgent({ policies: POLICY, database: 'masked_failures' });
  });

  afterAll(async () => {
    await Promise.all(open.map((one) => one.end().catch(() => undefined)));
    await agent.close();
  });

  it('tells no more than five of nine digits of a masked column, by any of the ways to fail', async () => {
    const ways: Readonly<Record<string, (index: number, digit: string) => string>> = {
      division: (index, digit) =>
        `select 1 / (ascii(substr(ssn, ${String(index)}, 1)) - ascii('${digit}')) from people where id = 1`,
      cast: (index, digit) =>
        `select (case when substr(ssn, ${String(index)}, 1) = '${digit}' then 'x' else '1' end)::int from people where id = 1`,
      escape: (index, digit) =>
        `select substr(ssn, ${String(index)}) || 'x' like '${digit}\\' from people where id = 1`,
      'unused in a sub-select': (index, digit) =>
        `select count(*) from (select random() + 1 / (ascii(substr(ssn, ${String(index)}, 1)) - ascii('${digit}')) from people where id = 1 offset 0) q`,
      'a setting': (index, digit) =>
        `select current_setting(case when substr(ssn, ${String(index)}, 1) = '${digit}' then 'no.such' else 'port' end) from people where id = 1`,
    };
    for (const [way, text] of Object.entries(ways)) {
      const db = await client(somebody());
      const { told, why } = await digits((index, digit) => failureOf(db, text(index, digit)));
      expect(told.length, way).toBeLessThan(6);
      expect(why, way).toMatch(TOO_OFTEN);
    }
  });

  const often = async <Told>(ask: () => Promise<Told>): Promise<Told[]> => {
    const told: Told[] = [];
    for (let count = 0; count < 30; count += 1) told.push(await ask());
    return told;
  };
  const failing = (digit: string): string => `select 1 / (ascii(ssn) - ascii('${digit}')) from people where id = 1`;
  /** Nothing more may be asked. */
  const closed = async (subject: string): Promise<pg.Client> => {
    const db = await client(subject);
    for (let count = 0; count < 11; count += 1) await failureOf(db, failing('9'));
    expect((await failureOf(db, failing('9')))?.message).toMatch(TOO_OFTEN);
    return db;
  };

  it('counts for one caller in all sessions, and for no other', async () => {
    const subject = somebody();
    await closed(subject);
    expect((await failureOf(await client(subject), failing('8')))?.code).toBe('42501');
    expect((await failureOf(await client(somebody()), failing('9')))?.code).toBe('22012');
    // Whom the mask does not meet.
    const dba = await client(somebody(), ['dba']);
    for (let count = 0; count < 15; count += 1) expect((await failureOf(dba, failing('9')))?.code).toBe('22012');
  });

  it('leaves everything that can not fail by a value as it was', async () => {
    const db = await closed(somebody());
    const texts = [
      'select ssn, name from people',
      "select upper(ssn), ssn || '-', left(ssn, 4), substr(ssn, 1, 3), md5(ssn), length(ssn), to_jsonb(p) from people p",
      "select case when ssn like 'x' then 'a' else 'b' end is null, count(*), max(ssn) from people group by 1".replace(
        "case when ssn like 'x' then 'a' else 'b' end is null",
        'id is null',
      ),
      "select coalesce(ssn, 'none'), ssn = 'x', ssn is null, string_agg(ssn, ',') over () from people",
      `select id from people where ssn = '${SSN}'`,
      'select (select p.ssn from people p where p.id = q.id) from people q',
    ];
    for (const text of texts) expect((await failureOf(db, text))?.message, text).toBeUndefined();
  });

  it('does not count what is about the text, the session or what was bound', async () => {
    const db = await client(somebody());
    const computing = 'select ssn::bigint from people where id = ';
    for (let count = 0; count < 12; count += 1) {
      expect((await failureOf(db, `${computing}'x'`))?.code).toBe('22P02');
      expect((await failureOf(db, `${computing}$1`, ['x']))?.code).toBe('22P02');
      expect((await failureOf(db, `${computing}nothing`))?.code).toBe('42703');
      expect((await failureOf(db, 'insert into people select 1, 2, 3, 4'))?.code).toBe('42601');
      expect((await failureOf(db, "select 'x'::text::int from people"))?.code).toBe('22P02');
    }
    expect(await failureOf(db, `${computing}1`)).toBeUndefined();
  });

  it('weighs a failure by the answers and rows that came before it', async () => {
    const db = await client(somebody());
    const text = 'select 1 / (right(ssn, 4)::int - i) from people, generate_series(0, 9999) i where id = 1';
    expect((await failureOf(db, text))?.code).toBe('22012');
    expect((await failureOf(db, text))?.message).toMatch(TOO_OFTEN);
  });

  it('is counted of cursors, prepared statements, views, functions and tables of one\u2019s own', async () => {
    const ways: Readonly<Record<string, (db: pg.Client) => Promise<unknown[]>>> = {
      prepared: async (db) => {
        await db.query(`prepare p as ${failing('9')}`);
        return often(() => failureOf(db, 'execute p'));
      },
      'a view': async (db) => {
        await db.query(`create temp view tv as ${failing('9')}`);
        return often(() => failureOf(db, 'select * from tv'));
      },
      cursors: async (db) => {
        await db.query('begin');
        for (let at = 0; at < 30; at += 1) await db.query(`declare c${String(at)} cursor for ${failing('9')}`);
        await db.query('savepoint a');
        const told: unknown[] = [];
        for (let at = 0; at < 30; at += 1) {
          told.push(await failureOf(db, `fetch all c${String(at)}`));
          await db.query('rollback to a');
        }
        await db.query('rollback');
        return told;
      },
      'a function': async (db) => {
        await db.query(`create function pg_temp.k() returns int language sql as $$ ${failing('9')} $$`);
        return often(() => failureOf(db, 'select pg_temp.k()'));
      },
      'a function that is given it': (db) => often(() => failureOf(db, 'select inverse(ssn) from people where id = 1')),
      'a table of one\u2019s own': async (db) => {
        await db.query("create temp table people (id int, ssn text check (ssn not like '9%'))");
        const text = 'insert into pg_temp.people select id, ssn from public.people where id = 1';
        return often(() => failureOf(db, text));
      },
    };
    for (const [way, ask] of Object.entries(ways)) {
      const told = (await ask(await client(somebody()))) as (pg.DatabaseError | undefined)[];
      const codes = told.map((error) => error?.code);
      expect(codes.filter((code) => code !== '42501').length, `${way}: ${codes.join()}`).toBeLessThan(12);
      expect(told.at(-1)?.message, way).toMatch(TOO_OFTEN);
    }
  });

  it('is waited for in a pipeline of 30 questions, and of portals that stand open', async () => {
    const ask = query(failing('9'));
    const extended = [parse('', failing('9')), bind('', ''), execute(''), sync()];
    const names = Array.from({ length: 30 }, (_, at) => `p${String(at)}`);
    const portals = (run: (name: string) => readonly Buffer[]): Buffer[] => [
      ...[query('begin'), parse('s', failing('9')), ...names.map((name) => bind(name, 's')), sync()],
      ...[query('savepoint a'), ...names.flatMap((name) => [...run(name), query('rollback to a')])],
    ];
    const ways: Readonly<Record<string, readonly Buffer[]>> = {
      'simple queries': names.map(() => ask),
      'extended queries': names.flatMap(() => extended),
      portals: portals((name) => [execute(name), sync()]),
      'portals by FETCH': portals((name) => [query(`fetch all from ${name}`)]),
      'portals row by row': portals((name) => [execute(name, 1), sync(), execute(name, 1), sync()]),
    };
    for (const [way, messages] of Object.entries(ways)) {
      const { port } = await agent.port({ subject: somebody(), groups: ['engineering'] });
      const session = await openRawSession(port, { user: 'x', database: 'masked_failures' });
      const readies = messages.filter((one) => 'QS'.includes(String.fromCharCode(one[0] as number))).length;
      const codes = errorsIn(await session.exchange(Buffer.concat(messages), readies)).map(({ code }) => code);
      expect(codes.filter((code) => code === '22012').length, `${way}: ${codes.join()}`).toBeLessThan(12);
      expect(codes, way).toContain('42501');
      session.end();
    }
  });

  it('is written down with its reason', async () => {
    const subject = somebody();
    const db = await closed(subject);
    await db.end();
    await expect
      .poll(() =>
        recordedEvents(agent.recordings).filter((event) => event['type'] === 'decision' && event['action'] === 'block'),
      )
      .toContainEqual(expect.objectContaining({ rules: ['pii/secrets'] }));
  });
});
