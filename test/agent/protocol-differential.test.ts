import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bind,
  cstring,
  errorFields,
  execute,
  i32,
  message,
  parse,
  query,
  sync,
  u16,
} from '../protocols/postgres/wire.js';
import { Dice } from '../../scripts/fuzz/mutation.js';
import {
  LOST,
  ORDINARY_TEXTS,
  add,
  answered,
  closeOf,
  copyData,
  copyDone,
  copyFail,
  describeOf,
  flush,
  oddConversation,
  WATCH,
  withoutTexts,
} from '../../scripts/fuzz/odd-conversations.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { rawSession } from '../support/raw-session.js';
import { missingPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.js';

const DATABASE = 'protocol_differential';
const SEED = 'create table kept (a int, b text); insert into kept select i, i::text from generate_series(1, 50) i';
/** A client that sends all of this at once, and then no more than that it goes. */
const CONVERSATIONS: Readonly<Record<string, readonly Buffer[]>> = {
  'an error in the midst of a pipeline': [
    ...[parse('', 'select 1'), bind('', ''), execute('')],
    ...[parse('', 'select 1/0'), bind('', ''), execute('')],
    ...[parse('', 'select 3'), bind('', ''), execute(''), sync()],
  ],
  'no Sync before the next query': [parse('a', 'select 1'), bind('', 'a'), execute(''), query('select 2')],
  'an error, no Sync, then queries': [parse('a', 'select nosuch'), query('select 2'), query('select 3'), sync()],
  'the same name after an error': [
    ...[parse('a', 'select 1'), parse('a', 'select 2'), sync(), bind('', 'a'), execute(''), sync()],
    ...[closeOf('S', 'a'), parse('a', 'select 3'), bind('', 'a'), execute(''), sync()],
  ],
  'a name given in a pipeline that fails': [
    ...[parse('x', 'select nosuch'), parse('a', 'select 1'), sync()],
    ...[bind('', 'a'), execute(''), sync(), parse('a', 'select 4'), bind('', 'a'), execute(''), sync()],
  ],
  'a portal in parts, changed in between': [
    ...[query('begin; create temp table w as select i from generate_series(1, 6) i')],
    ...[parse('a', 'select i from w'), bind('p', 'a'), execute('p', 2), sync(), execute('p', 2), flush()],
    ...[query('alter table w add column z int'), execute('p', 0), sync(), execute('p', 0), sync(), query('rollback')],
  ],
  'a portal after the role is another': [
    ...[query('begin'), parse('a', 'select current_user::text, a from kept'), bind('p', 'a'), execute('p', 1), sync()],
    ...[query('set local role hoop_app'), execute('p', 1), sync(), query('rollback')],
  ],
  'Close and Describe where nothing is': [
    ...[closeOf('S', 'no'), closeOf('P', 'no'), describeOf('P', 'no'), describeOf('S', ''), sync()],
    ...[describeOf('S', ''), sync(), closeOf('P', ''), closeOf('S', ''), closeOf('S', ''), sync()],
  ],
  'a Describe of a portal that is closed': [
    ...[parse('a', 'select 1 as x'), bind('p', 'a'), describeOf('P', 'p'), closeOf('P', 'p'), describeOf('P', 'p')],
    ...[sync(), describeOf('S', 'a'), sync()],
  ],
  'portals end with the transaction': [
    ...[parse('a', 'select a from kept limit 5'), bind('p', 'a'), execute('p', 1), sync(), execute('p', 1), sync()],
    ...[query('begin'), bind('p', 'a'), execute('p', 1), sync(), query('commit'), execute('p', 1), sync()],
  ],
  'a function call in the midst of a pipeline': [
    ...[parse('a', 'select 1'), bind('', 'a'), add('40', '2'), execute(''), sync(), add('x', '1'), add('1', '1')],
    ...[query('begin'), add('x', '1'), add('1', '1'), query('rollback')],
  ],
  'COPY in a pipeline': [
    ...[query('create temp table t (a int)')],
    ...[parse('a', 'copy t from stdin'), bind('', 'a'), execute(''), copyData('1\n2\n'), copyDone()],
    ...[parse('', 'select count(*) from t'), bind('', ''), execute(''), sync()],
  ],
  'a COPY that the client fails': [
    ...[query('create temp table t (a int)'), query('copy t from stdin'), copyData('1\n'), copyFail('no more')],
    ...[parse('a', 'copy t from stdin'), bind('', 'a'), execute(''), copyData('1\n'), copyFail('nor now'), sync()],
    ...[query('select count(*) from t')],
  ],
  'a COPY with a row that is none': [
    ...[
      query('create temp table t (a int)'),
      query('copy t from stdin'),
      copyData('1\nx\n'),
      copyData('2\n'),
      copyDone(),
    ],
    ...[parse('a', 'copy t from stdin'), bind('', 'a'), execute(''), copyData('x\n'), copyDone()],
    ...[parse('', 'select 1'), sync(), query('select count(*) from t')],
  ],
  'Flush and Sync inside of a COPY': [
    ...[query('create temp table t (a int)'), query('copy t from stdin'), flush(), sync(), copyData('1\n'), sync()],
    ...[copyDone(), query('select * from t')],
  ],
  'COPY data where no COPY is': [copyData('1\n'), copyDone(), copyFail('x'), query('select 1'), copyData('1'), sync()],
  'COPY out between others': [
    ...[query('copy kept to stdout; select 1'), query('copy kept (a) to stdout csv header')],
    ...[
      parse('a', 'copy kept to stdout'),
      bind('', 'a'),
      execute(''),
      parse('', 'select 2'),
      bind('', ''),
      execute(''),
    ],
    ...[sync()],
  ],
  'several commands, one of which fails': [
    query("select 1; insert into kept values (99, 'x'); select 1/0; select 2"),
    query('select count(*) from kept'),
    query("begin; insert into kept values (99, 'x'); savepoint a; select 1/0"),
    query('rollback to a; select count(*) from kept; rollback'),
  ],
  'empty queries': [query(''), query(' ; ; '), parse('', ''), bind('', ''), describeOf('P', ''), execute(''), sync()],
  'notices without end': [
    query("do $$ begin for i in 1..500 loop raise notice 'n %', i; end loop; end $$"),
    query('select 1'),
  ],
  'settings that the server reports': [
    query(
      "set application_name = 'x'; set timezone = 'UTC'; select 1; set datestyle = 'German'; begin; set local timezone = 'PRC'; rollback",
    ),
    ...[parse('', "set intervalstyle = 'iso_8601'"), bind('', ''), execute(''), parse('', 'select 1'), bind('', '')],
    ...[execute(''), sync(), query('reset all'), query('discard all')],
  ],
  'own notifications': [
    query('listen c'),
    query("notify c, 'a'"),
    query("begin; notify c, 'b'; select 1; commit"),
    query('unlisten *'),
  ],
  'cursors of SQL and portals under one name': [
    ...[
      query('begin; declare c cursor for select a from kept order by a'),
      execute('c', 2),
      sync(),
      query('fetch 2 from c'),
    ],
    ...[describeOf('P', 'c'), sync(), query('close c'), execute('c', 1), sync(), query('rollback')],
  ],
  'PREPARE and Parse share names': [
    ...[query('prepare a as select 7 as seven'), bind('', 'a'), describeOf('P', ''), execute(''), sync()],
    ...[parse('b', 'select 8'), sync(), query('execute b'), query('deallocate b'), bind('', 'b'), sync()],
    ...[query('deallocate all'), bind('', 'a'), sync()],
  ],
  'results in binary, in parts': [
    ...[
      parse('a', 'select a, b, now() is null from kept order by a'),
      message('B', Buffer.concat([cstring('p'), cstring('a'), u16(0), u16(0), u16(1), u16(1)])),
    ],
    ...[execute('p', 3), execute('p', 3), execute('p', 0), execute('p', 0), sync()],
  ],
  'a Bind with too few values': [
    parse('a', 'select $1::int'),
    bind('', 'a'),
    execute(''),
    sync(),
    bind('', 'a', ['1']),
    execute(''),
    sync(),
  ],
  'Syncs alone': [sync(), sync(), flush(), sync()],
};

describe.skipIf(missingPostgres() !== undefined)('a client that speaks as no driver does', () => {
  let postgres: PostgresServer;
  const agents: TestAgent[] = [];
  const ways: { readonly name: string; readonly port: number; readonly user: string; readonly database: string }[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({ auth: 'trust' });
    await postgres.createDatabase(DATABASE, SEED);
    await postgres.sql('grant hoop_app to hoop_admin', DATABASE);
    ways.push({ name: 'direct', port: postgres.port, user: postgres.admin.username, database: DATABASE });
    for (const [name, policies] of [
      ['no policy', ''],
      ['rules and masks', WATCH],
    ] as const) {
      const agent = await startTestAgent({ postgres, database: DATABASE, policies });
      agents.push(agent);
      const { port } = await agent.port({ groups: ['dba', 'engineering'] });
      ways.push({ name, port, user: 'x', database: 'postgres' });
    }
  });

  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await postgres.stop();
  });

  const answers = async (conversation: readonly Buffer[]): Promise<string[][]> => {
    const all: string[][] = [];
    for (const way of ways) all.push(await answered(way, conversation));
    return all;
  };

  it.each(Object.entries(CONVERSATIONS))('gets the same bytes as direct: %s', async (_, conversation) => {
    const [direct, ...through] = await answers(conversation);
    expect(through[0]).toEqual(direct);
    expect(withoutTexts(through[1] ?? [])).toEqual(withoutTexts(direct ?? []));
  });

  it('is let out of a COPY by a cancel, both ways, and goes on', async () => {
    for (const { port } of ways.slice(1)) {
      const raw = await rawSession(port);
      const cancel = async (): Promise<void> => {
        const socket = connect({ port, host: '127.0.0.1' });
        socket.end(
          Buffer.concat([i32(16), i32(80_877_102), i32(raw.cancelKey.processId), i32(raw.cancelKey.secretKey)]),
        );
        for await (const chunk of socket) expect(chunk).toHaveLength(0);
      };
      raw.send(query('create temp table t (a int); copy t from stdin'));
      await raw.until('G');
      await cancel();
      // The server looks up when it has read a row.
      const rows = setInterval(() => {
        raw.send(copyData('1\n'));
      }, 20);
      const into = await raw.until('Z');
      clearInterval(rows);
      expect(errorFields(into.find(({ type }) => type === 'E')?.body ?? Buffer.alloc(1))['C']).toBe('57014');
      raw.send(Buffer.concat([copyData('2\n'), copyDone(), query('select count(*) from kept')]));
      expect((await raw.until('Z')).map(({ type }) => type)).toEqual(['T', 'D', 'C', 'Z']);
      raw.send(query("copy (select repeat('x', 9000), pg_sleep(0.05) from generate_series(1, 10000)) to stdout"));
      await raw.until('d');
      await cancel();
      const out = await raw.until('Z');
      expect(errorFields(out.find(({ type }) => type === 'E')?.body ?? Buffer.alloc(1))['C']).toBe('57014');
      raw.end();
    }
  });

  it('starts with 1,000 settings as direct, and is told alike of one that is none', async () => {
    const many = Array.from({ length: 1_000 }, (_, at) => [`a.p${String(at)}`, at === 7 ? "it's" : '1'] as const);
    const asked = [query('show a.p0; show a.p999; show a.p7'), query('reset a.p7'), query('show a.p7; show work_mem')];
    for (const settings of [
      many,
      [
        ['work_mem', '7MB'],
        ['work_mem', '8MB'],
      ],
      [
        ['datestyle', 'german'],
        ['nosuch', 'x'],
      ],
    ] as const) {
      const all: string[][] = [];
      for (const way of ways) all.push(await answered(way, asked, settings));
      expect(all[1], String(settings.length)).toEqual(all[0]);
      expect(withoutTexts(all[2] ?? [])).toEqual(withoutTexts(all[0] ?? []));
    }
  });

  it('gets the same bytes as direct in 15 conversations put together by chance', async () => {
    let compared = 0;
    for (let seed = 1; compared < 15; seed += 1) {
      const conversation = [query('create temp table t (a int)'), ...oddConversation(new Dice(seed), ORDINARY_TEXTS)];
      const [direct = [], ...through] = await answers(conversation);
      // The one difference that is known: another message in the midst of a COPY ends the session there, here the COPY.
      if (direct.some((one) => one.includes(LOST))) continue;
      compared += 1;
      expect(through[0], `seed ${String(seed)}`).toEqual(direct);
      expect(withoutTexts(through[1] ?? []), `seed ${String(seed)} with masks`).toEqual(withoutTexts(direct));
    }
  });
});
