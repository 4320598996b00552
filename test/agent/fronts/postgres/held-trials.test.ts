import { Client, type QueryResult } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestPreview, RequestView } from '../../../../src/core/approval.js';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { missingPostgres } from '../../../support/postgres-server.js';
import { recordedEvents } from '../../../support/recorded-events.js';
import { until } from '../../../support/until.js';
import { openClient } from '../../../support/pg-client.js';

const POLICIES = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  opaque: allow
  rules:
    - { name: all, when: 'sql.text.contains("held") && !sql.text.contains("ahead")', action: approve, approval: review }
    - { name: tried, when: 'sql.text.contains("ahead")', action: approve, approval: ahead }
  mask:
    - { name: names, columns: ['public.people.name'], strategy: redact, exceptGroups: [engineering] }
    - { name: marks, columns: ['public.keyless.mark'], strategy: redact, exceptGroups: [engineering, dba] }
    - { name: secrets, columns: ['public.people.secret'], strategy: redact }
    - { name: mails, entities: [email], strategy: redact }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: review }
spec: { reviewers: [{ groups: [dba] }], wait: 5m }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: ahead }
spec: { reviewers: [{ groups: [dba] }], wait: 5m, preview: true }
`;

const SCHEMA = `
  create sequence numbers;
  create table people (id int primary key, name text, mail text, secret text, n int default 0);
  insert into people select i, 'name ' || i, 'p' || i || '@example.com', 'secret ' || i, 0 from generate_series(1, 40) i;
  create table badges (id int primary key, person int references people (id) on delete cascade);
  insert into badges select i, i from generate_series(1, 40) i;
  create table log (what text);
  create function note() returns trigger language plpgsql as $$ begin insert into log values (old.id); return null; end $$;
  create trigger noted after delete on badges for each row execute function note();
  create table later (id int primary key, person int references people (id) deferrable initially deferred);
  create function leaks() returns int language plpgsql as $$ begin perform pg_read_file('/etc/hostname'); return 1; end $$;
  create schema other;
  create table other.people (id int primary key, n int);
  create table keyless (n int, mark text);
  insert into keyless values (1, 'one'), (2, 'two');
  grant usage on schema other to public;
  grant all on all tables in schema other, public to public;
  grant all on all sequences in schema public to public;
`;

describe.skipIf(missingPostgres() !== undefined)('what a held statement would do', () => {
  let agent: TestAgent;
  let direct: Client;
  let port: number;
  let dana: string;
  let alice: string;
  let marks = 0;
  let db: Client;

  beforeAll(async () => {
    agent = await startTestAgent({ policies: POLICIES });
    direct = new Client({
      host: '127.0.0.1',
      port: agent.postgres.port,
      user: agent.postgres.admin.username,
      password: agent.postgres.admin.password,
      database: agent.database,
      ssl: false,
    });
    await direct.connect();
    await direct.query(SCHEMA);
    await direct.query('analyze people, badges, log');
    ({ port } = await agent.port({ subject: 'alice', groups: ['engineering'] }));
    dana = await agent.token({ subject: 'dana', groups: ['dba'] });
    alice = await agent.token({ subject: 'alice', groups: ['engineering'] });
  });

  beforeEach(async () => {
    db = await openClient({ port, database: agent.database });
    return () => db.end();
  });

  afterAll(async () => {
    await direct.end();
    await agent.close();
  });

  interface Held {
    readonly request: RequestView;
    preview(token?: string): Promise<{ status: number; body: RequestPreview }>;
    /** Denies it, and waits until its client knows. */
    end(): Promise<void>;
    approve(): Promise<QueryResult>;
  }

  /** Sends a statement, and gives its request once its impact is there. */
  async function hold(text: string, values?: unknown[]): Promise<Held> {
    const mark = `held ${String((marks += 1))} `;
    const sent = db.query(`/* ${mark} */ ${text}`, values as string[]);
    const ended = sent.then(
      () => undefined,
      () => undefined,
    );
    const request = await until(mark, async () => {
      const { body } = await agent.call('/v1/requests', { token: dana });
      return (body as RequestView[]).find((one) => one.text.includes(mark) && one.impact !== undefined);
    });
    return {
      request,
      preview: async (token = dana) => {
        const { status, body } = await agent.call(`/v1/requests/${request.id}/preview`, { token, body: {} });
        return { status, body: body as RequestPreview };
      },
      end: async () => {
        await agent.call(`/v1/requests/${request.id}/deny`, { token: dana, body: {} });
        await ended;
      },
      approve: async () => {
        await agent.call(`/v1/requests/${request.id}/approve`, { token: dana, body: {} });
        return sent;
      },
    };
  }

  it('estimates the rows of an update with what is bound to it, and tells the size of its table', async () => {
    const held = await hold('update people set n = 1 where id < $1', [10]);
    // Without the value the planner would say a third of them: 13.
    expect(held.request.impact?.estimatedRows).toBeGreaterThan(5);
    expect(held.request.impact?.estimatedRows).toBeLessThan(12);
    expect(held.request.impact, JSON.stringify(held.request.impact)).toMatchObject({
      tables: [{ name: 'public.people', rows: 40, via: 'statement', bytes: expect.any(Number) as number }],
    });
    await held.end();
  });

  it('follows foreign keys and triggers', async () => {
    const { request, end } = await hold('delete from people where id = 3');
    expect(request.impact?.estimatedRows).toBe(1);
    expect(request.impact?.tables?.map(({ name, via }) => [name, via])).toEqual([
      ['public.people', 'statement'],
      ['public.badges', 'cascade'],
      ['public.log', 'trigger'],
    ]);
    expect(request.impact?.notes).toEqual([
      'deletes rows of public.badges that refer to those of public.people',
      'delete on public.badges fires trigger noted, which runs public.note',
    ]);
    await end();
  });

  it('says why there is no estimate, and holds all the same', async () => {
    const { request, end } = await hold('update nowhere set n = 1');
    expect(request.impact?.unknown).toBe('the server could not plan it: a table is not there (42P01)');
    expect(request.state).toBe('pending');
    await end();
  });

  it('shows rows before and after an update, masked for requester and reviewer, and rolls it back', async () => {
    const held = await hold('update people set mail = $1 || mail, n = n + 1 where id <= 2', ['x']);
    const { body } = await held.preview();
    expect(body).toEqual({
      rows: 2,
      before: {
        columns: ['id', 'name', 'mail', 'secret', 'n'],
        rows: [
          ['1', '[name]', '[email]', '[secret]', '0'],
          ['2', '[name]', '[email]', '[secret]', '0'],
        ],
      },
      after: {
        columns: ['id', 'name', 'mail', 'secret', 'n'],
        rows: [
          ['1', '[name]', '[email]', '[secret]', '1'],
          ['2', '[name]', '[email]', '[secret]', '1'],
        ],
      },
      notes: [],
    });
    expect((await direct.query('select sum(n)::int as n from people')).rows).toEqual([{ n: 0 }]);
    await held.end();
  });

  it('shows no rows where which they are would tell the reviewer of a masked column', async () => {
    const held = await hold("update people set n = n + 1 where name like 'name 1%'");
    expect((await held.preview()).body).toEqual({
      rows: 11,
      notes: ['its rows can not be shown: they can not be masked'],
    });
    await held.end();
    const copied = await hold('update people set mail = name where id = 1');
    expect(JSON.stringify((await copied.preview()).body)).not.toContain('name 1');
    await copied.end();
  });

  it('counts all rows and shows the first of them', async () => {
    const held = await hold('delete from people');
    const { body } = await held.preview();
    expect(body).toMatchObject({ rows: 40, notes: ['samples are of the first 10 rows'] });
    expect(body.before?.rows).toHaveLength(10);
    expect((await direct.query('select count(*)::int as n from people')).rows).toEqual([{ n: 40 }]);
    await held.end();
  });

  it('shows what an insert adds, and that numbers of sequences stay taken', async () => {
    const held = await hold("insert into people (id, name) values (1000 + nextval('numbers'), 'new')");
    const { body } = await held.preview();
    expect(body).toMatchObject({
      rows: 1,
      after: { rows: [['1001', '[name]', null, null, '0']] },
      notes: ['numbers that sequences gave stay taken, as after any rollback'],
    });
    expect((await held.approve()).rowCount).toBe(1);
    await direct.query('delete from people where id > 1000');
  });

  it('says that it fails, at once or when it commits, without the server’s own words', async () => {
    const now = await hold('insert into people (id) values (1)');
    expect((await now.preview()).body.notes).toContain(
      'as things are it fails: a unique value would be there twice (23505)',
    );
    await now.end();
    const atCommit = await hold('insert into later values (1, 999)');
    expect((await atCommit.preview()).body).toMatchObject({ rows: 1 });
    expect((await atCommit.preview()).body.notes).toContain(
      'it runs, but its commit fails: a foreign key would not hold (23503)',
    );
    await atCommit.end();
  });

  it.each([
    ['select dblink_exec($$a$$, $$b$$)', 'nobody can tell what it does: SQL for another server'],
    ["copy log from program 'cat'", 'it reaches outside of the database, which no rollback takes back'],
    ['select leaks()', 'it reaches outside of the database, which no rollback takes back'],
    ["select setval('numbers', 7)", 'setval sets a sequence, which no rollback takes back'],
    [
      'select pg_logical_emit_message(false, $$a$$, $$b$$)',
      'nobody can tell what these functions do: pg_logical_emit_message',
    ],
    ['vacuum people', 'VACUUM and its like can not run in a transaction that is rolled back'],
    ['create database d', 'it changes definitions or settings, which would lock them against everybody'],
    ['truncate people', 'TRUNCATE locks the whole table against everybody, readers too'],
    ['delete from people; commit', 'several statements in one message'],
    ['do $$ begin delete from people; end $$', 'a block of code may do anything, and changes no rows of its own'],
  ])('does not try out %s', async (text, refused) => {
    const held = await hold(text);
    expect((await held.preview()).body).toEqual({ notes: [], refused });
    await held.end();
  });

  it('looks names up as the session does, and says what of the session it does not see', async () => {
    await db.query('set search_path to other, public');
    await db.query('begin');
    await db.query('insert into people values (1, 1)');
    const held = await hold('update people set n = 2');
    expect(held.request.impact?.tables?.map(({ name }) => name)).toEqual(['other.people']);
    const { body } = await held.preview();
    expect(body).toMatchObject({ rows: 0 });
    expect(body.notes).toEqual([
      'the requester’s transaction is open: what it did before is not seen here',
      'the requester’s session has changed settings or made objects of its own: beyond search_path they are not seen here',
    ]);
    await held.end();
  });

  it('gives up on a lock that the requester’s own transaction holds', async () => {
    await db.query('begin');
    await db.query('update people set n = 0 where id = 1');
    const held = await hold('update people set n = 5 where id = 1');
    expect((await held.preview()).body.notes).toContain(
      'as things are it fails: another transaction holds a lock that it needs, perhaps the requester’s own (55P03)',
    );
    await held.end();
  });

  it('shows no rows before where no primary key tells which they were', async () => {
    const held = await hold('update keyless set n = n + 1');
    expect(held.request.impact?.notes).toEqual(['public.keyless was never analysed: the estimate is a guess']);
    expect((await held.preview()).body).toMatchObject({
      rows: 2,
      after: {
        columns: ['n', 'mark'],
        rows: [
          ['2', 'one'],
          ['3', 'two'],
        ],
      },
      notes: ['what the rows are now is not shown: the table has no primary key'],
    });
    await held.end();
  });

  it('is for reviewers of a pending request alone, and stands in the record', async () => {
    const held = await hold('delete from keyless');
    expect((await held.preview(alice)).status).toBe(403);
    expect((await held.preview()).body.rows).toBe(2);
    await held.end();
    expect((await held.preview()).body.refused).toMatch(/^only a statement that is held now/);
    const events = await until('the event', async () => {
      const found = recordedEvents(agent.recordings).filter((event) => event['request'] === held.request.id);
      return Promise.resolve(found.length === 3 ? found : undefined);
    });
    expect(events.map(({ type }) => type)).toEqual(['approval.requested', 'approval.preview', 'approval.resolved']);
    expect(events[1]).toMatchObject({ by: 'dana@example.test', rows: 2, shown: 2 });
  });

  it('tries a statement out ahead where its flow says so, masked for whoever reviews it', async () => {
    const held = await hold('/* ahead */ update keyless set n = n + 1');
    const request = await seen(held.request.id, ({ preview }) => preview !== undefined);
    const sample = (mark: string): unknown => ({
      columns: ['n', 'mark'],
      rows: [
        ['2', mark],
        ['3', mark],
      ],
    });
    expect(request.preview).toMatchObject({ rows: 2, after: sample('[mark]') });
    // Dana herself is one of those who may read it.
    expect((await held.preview()).body.after?.rows).toEqual([
      ['2', 'one'],
      ['3', 'two'],
    ]);
    // Who may change a row may not read it for that.
    const own = (await agent.call(`/v1/requests/${request.id}`, { token: alice })).body as RequestView;
    expect(own.text).toContain('update keyless');
    expect([own.preview, own.previewWanted]).toEqual([undefined, undefined]);
    await held.end();
    const tries = await until('both trials', async () => {
      const found = recordedEvents(agent.recordings).filter((one) => one['request'] === request.id && 'shown' in one);
      return Promise.resolve(found.length === 2 ? found : undefined);
    });
    expect(tries.map(({ by, flow, rows }) => ({ by, flow, rows }))).toEqual([
      { by: undefined, flow: 'ahead', rows: 2 },
      { by: 'dana@example.test', flow: undefined, rows: 2 },
    ]);
    expect((await direct.query('select sum(n)::int as n from keyless')).rows).toEqual([{ n: 3 }]);
  });

  it('says why there is no preview where its flow wants one', async () => {
    const held = await hold('/* ahead */ vacuum people');
    const request = await seen(held.request.id, ({ preview }) => preview !== undefined);
    expect(request.preview).toEqual({
      notes: [],
      refused: 'VACUUM and its like can not run in a transaction that is rolled back',
    });
    await held.end();
  });

  it('ends a trial at once when people have decided: what was approved does not wait for its locks', async () => {
    const held = await hold('/* ahead */ update people set n = 0 where id = 7 and pg_sleep(4) is not null');
    const locks = async (): Promise<boolean> => {
      const { rowCount } = await direct.query(
        "select 1 from pg_locks where relation = 'people'::regclass and mode = 'RowExclusiveLock'",
      );
      return rowCount !== 0;
    };
    await until('the trial', async () => ((await locks()) ? true : undefined));
    await held.end();
    const [tried] = await until('its end', async () => {
      const found = recordedEvents(agent.recordings).filter(
        (one) => one['request'] === held.request.id && 'shown' in one,
      );
      return Promise.resolve(found.length === 1 ? found : undefined);
    });
    expect(tried).toMatchObject({ refused: 'only a statement that is held now, of a connection that can try it out' });
    await until('the server to end it', async () => ((await locks()) ? undefined : true));
    expect((await seen(held.request.id, ({ state }) => state === 'denied')).preview).toBeUndefined();
  });

  /** The request as dana sees it, once it is so. */
  async function seen(id: string, so: (request: RequestView) => boolean): Promise<RequestView> {
    return until('the request to be so', async () => {
      const request = (await agent.call(`/v1/requests/${id}`, { token: dana })).body as RequestView;
      return so(request) ? request : undefined;
    });
  }
});
