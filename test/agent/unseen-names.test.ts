import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind, execute, parse, query, sync } from '../protocols/postgres/wire.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';
import { rawSession } from '../support/raw-session.js';

const SSN = '917-26-5083';
const SEED = `
  create table people (id int primary key, name text, ssn text);
  insert into people values (1, 'Ann', '${SSN}');
  create function swaps(statement text) returns void language plpgsql as
    $$ begin execute 'deallocate ' || statement; execute 'prepare ' || statement || ' as select reverse(ssn) from people'; end $$;
  create function makes(statement text) returns void language plpgsql as
    $$ begin execute 'prepare ' || statement || ' as select reverse(ssn) from people'; end $$;
  create function wait_for_it() returns trigger language plpgsql as
    $$ begin perform ssn::json from people; return null; end $$;
  create table later (id int);
  create constraint trigger later_trigger after insert on later deferrable initially deferred
    for each row execute function wait_for_it();
  create table fetching (id int);
  create function fetch_it() returns trigger language plpgsql as
    $$ declare c refcursor := 'c'; r text; begin fetch c into r; return null; end $$;
  create function reopen(name text) returns int language plpgsql as
    $$ declare c refcursor := name; begin close c; open c for select reverse(ssn) from people; return 1; end $$;
  create function opens(name text) returns int language plpgsql as
    $$ declare c refcursor := name; begin open c for select reverse(ssn) from people; return 1; end $$;
  create function reopens() returns trigger language plpgsql as $$ begin perform reopen('c'); return new; end $$;
  create table triggered (id int);
  create trigger reopens before insert on triggered for each row execute function reopens();
  create table defaulted (id int default reopen('c'), other int);
  create view viewing as select reopen('c') as id;
  create function checks(int) returns boolean language plpgsql as $$ begin return reopen('c') = 1; end $$;
  create domain checked as int check (checks(value));
  create function adds(int, int) returns int language plpgsql as $$ begin return reopen('c'); end $$;
  create operator ### (leftarg = int, rightarg = int, function = adds);
  create trigger fetching_trigger after insert on fetching for each row execute function fetch_it();
`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  opaque: allow
  mask:
    - { name: secrets, columns: ['people.ssn'], strategy: redact }
`;
const BACKWARDS = [...SSN].reverse().join('');

describe.skipIf(missingPostgres() !== undefined)('where code that nobody reads shares names with the session', () => {
  let agent: TestAgent;
  let port: number;
  const database = 'unseen_names';

  const connected = async (at = port): Promise<pg.Client> => {
    const db = new pg.Client({ host: '127.0.0.1', port: at, user: 'x', database: 'postgres' });
    await db.connect();
    return db;
  };
  const cells = async (db: pg.Client, name: string, text: string): Promise<unknown[]> =>
    (await db.query({ name, text, rowMode: 'array' })).rows.flat();

  beforeAll(async () => {
    const postgres = await sharedPostgres();
    await postgres.createDatabase(database, SEED);
    await postgres.sql('grant all on all tables in schema public to hoop_app', database);
    agent = await startTestAgent({ policies: POLICY, database });
    ({ port } = await agent.port());
  });

  afterAll(() => agent.close());

  it('a statement of a Parse message runs the text that its client gave it, whatever DO or a function did', async () => {
    const db = await connected();
    expect(await cells(db, 'p', 'select name from people')).toEqual(['Ann']);
    for (const swap of [
      "do $$ begin execute 'deallocate p'; execute 'prepare p as select reverse(ssn) from people'; end $$",
      "select swaps('p')",
      "do $$ begin execute 'deallocate all'; end $$",
    ]) {
      await db.query(swap);
      expect(await cells(db, 'p', 'select name from people'), swap).toEqual(['Ann']);
      expect(await cells(db, 'p', 'select name from people'), swap).toEqual(['Ann']);
    }
    await db.end();
  });

  it('a statement that SQL prepared is masked whole from then on, and as before once it is prepared anew', async () => {
    const db = await connected();
    await db.query('prepare z as select upper(name) from people');
    expect((await db.query('execute z')).rows).toEqual([{ upper: 'ANN' }]);
    await db.query("select swaps('z')");
    expect((await db.query('execute z')).rows).toEqual([{ reverse: '[reverse]' }]);
    await db.query('deallocate z');
    await db.query('prepare z as select upper(name) from people');
    expect((await db.query('execute z')).rows).toEqual([{ upper: 'ANN' }]);
    await db.end();
  });

  it('a name that was taken unseen shows nothing to a pipeline that does not wait for the refusal', async () => {
    const session = await rawSession(port);
    session.send(query("select makes('taken')"));
    await session.until('Z');
    const run = [bind('', 'taken'), execute(''), sync()];
    session.send(Buffer.concat([parse('taken', 'select name from people'), sync(), ...run, ...run]));
    const answer = await session.until('Z', 3);
    expect(answer.map(({ type }) => type).join('')).toBe('EZ2DCZ2DCZ');
    expect(Buffer.concat(answer.map(({ body }) => body)).toString()).not.toContain(BACKWARDS);
    // What the server skipped after an error is done again behind the next Sync.
    session.send(query("select swaps('taken')"));
    await session.until('Z');
    session.send(Buffer.concat([parse('', 'selec'), ...run, ...run]));
    const after = await session.until('Z', 2);
    expect(after.map(({ type }) => type).join('')).toBe('EZ2DCZ');
    expect(Buffer.concat(after.map(({ body }) => body)).toString()).toContain('Ann');
    session.end();
  });

  it("a cursor's name shows nothing of what code in 9 places opened under it", async () => {
    const places = [
      ["select reopen('c')"],
      ['insert into triggered values (1)'],
      ['insert into defaulted (other) values (1)'],
      ['select * from viewing'],
      ["select '{1}'::checked[]"],
      ['select 1 ### 2'],
      ["select opens('d')", 'savepoint s', 'declare d cursor for select upper(name) from people', 'rollback to s'],
      ["select 1; select reopen('c'); fetch c"],
      ['insert into triggered values (1); fetch c'],
    ];
    const db = await connected();
    for (const texts of places) {
      await db.query('begin');
      await db.query('declare c cursor for select upper(name) from people');
      const seen: unknown[] = [];
      for (const text of texts)
        seen.push([await db.query(text).catch(() => [])].flat().map(({ rows }: pg.QueryResult) => rows));
      seen.push((await db.query(`fetch ${texts[0]?.includes("'d'") === true ? 'd' : 'c'}`)).rows);
      expect(JSON.stringify(seen), texts.join('; ')).not.toContain(BACKWARDS);
      expect(JSON.stringify(seen), texts.join('; ')).toContain('[reverse]');
      await db.query('rollback');
    }
    await db.query('begin');
    await db.query('declare c cursor for select upper(name) from people');
    expect((await db.query('fetch c')).rows).toEqual([{ upper: 'ANN' }]);
    await db.query('rollback');
    await db.end();
  });

  it('an EXECUTE in a portal is judged by what the name stands for when it runs', async () => {
    const session = await rawSession(port);
    const ran = (text: string, portal: string): Buffer[] => [parse('', text), bind(portal, ''), execute(portal)];
    session.send(query('prepare p as select upper(name) from people'));
    await session.until('Z');
    const again = [...ran('deallocate p', 'b'), ...ran('prepare p as select reverse(ssn) from people', 'c')];
    session.send(Buffer.concat([parse('s', 'execute p'), bind('a', 's'), ...again, execute('a'), sync()]));
    const answer = await session.until('Z');
    expect(answer.map(({ type }) => type).join('')).toBe('1212C12CDCZ');
    expect(Buffer.concat(answer.map(({ body }) => body)).toString()).not.toContain(BACKWARDS);
    session.end();
  });

  it('what a cursor or a trigger fails on when it runs later is not quoted, in 8 ways', async () => {
    const ways: readonly (readonly string[])[] = [
      ['begin', 'declare c cursor for select ssn::json from people', 'fetch c'],
      ['begin', 'declare c cursor for select current_setting(ssn) from people', 'move c'],
      ['begin', 'declare c cursor with hold for select xmlparse(document ssn) from people', 'commit'],
      [
        'begin',
        "declare c cursor for select to_date(ssn, 'YYYY-MM-DD') from people",
        'do $$ declare c refcursor := $q$c$q$; r date; begin fetch c into r; end $$',
      ],
      ['begin', 'declare c cursor for select ssn::json from people', 'insert into fetching values (1)'],
      ['insert into later values (1)'],
      ['begin', 'insert into later values (1)', 'commit'],
      ['begin', 'insert into later values (1)', 'set constraints all immediate'],
    ];
    const db = await connected();
    for (const texts of ways) {
      let error: unknown;
      for (const text of texts)
        await db.query(text).catch((failed: unknown) => {
          error ??= failed;
        });
      expect(error, texts.join('; ')).toBeInstanceOf(pg.DatabaseError);
      const { message, detail, where } = error as pg.DatabaseError;
      for (const part of ['917', '-26'])
        expect([message, detail, where].join('\n'), texts.join('; ')).not.toContain(part);
      await db.query('rollback');
    }
    await db.end();
  });

  it('errors of other statements of such a session keep their words', async () => {
    // Of somebody else: so many failures as above are counted.
    const other = await agent.port({ subject: 'somebody-else', groups: ['engineering', 'dba'] });
    const db = await connected(other.port);
    await db.query("select swaps('none')").catch(() => undefined);
    await db.query('begin; declare c cursor for select ssn from people; fetch c; commit');
    await expect(db.query('select 1 / (n - 2) from later, generate_series(1, 1) n')).resolves.toBeDefined();
    await expect(db.query("select '1'::int / 0")).rejects.toThrow('division by zero');
    await db.end();
  });
});
