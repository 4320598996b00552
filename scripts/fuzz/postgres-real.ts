/**
 * A client that speaks as no driver does, through a real agent to a real server, by turns with and without masks that are
 * met. Promises held: what no rule or mask meets comes back as it does direct, byte for byte; no value of a masked column
 * and none of a table that may not be read comes back in any spelling or gets into a recording; nothing is deleted that may
 * not be; the next session works.
 *
 *     npx tsx scripts/fuzz/postgres-real.ts --seconds 600 --seed 1
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { query } from '../../test/protocols/postgres/wire.js';
import { startTestAgent, type TestAgent } from '../../test/support/agent.js';
import { startPostgres, type PostgresServer } from '../../test/support/postgres-server.js';
import { openRawSession, type RawSession } from '../../test/support/raw-postgres.js';
import { Dice, fuzzInTurn, seedAndSeconds, tellReport, type FuzzReport } from './mutation.js';
import {
  answered,
  conversed,
  LOST,
  oddConversation,
  ORDINARY_TEXTS,
  WATCH,
  withoutTexts,
  type Way,
} from './odd-conversations.js';

const DATABASE = 'fuzz';
/** Longer than what chance puts together. */
const PLANTED = ['quizzical-zephyr-713', 'jackdaws-love-sphinx-842', 'vexed-nymphs-go-996'];
const HIDDEN = 'waltz-bad-nymph-for-quick-jigs';
const SEED = `
  create table kept (a int, b text);
  insert into kept select i, i::text from generate_series(1, 50) i;
  create table people (id int primary key, ssn text);
  insert into people values ${PLANTED.map((value, at) => `(${String(at + 1)}, '${value}')`).join(', ')};
  create table vault (v text);
  insert into vault values ('${HIDDEN}');
  create view seen as select id, ssn as number from people;
  create function everybody() returns setof people language sql as 'select * from people';
  create function one(i int) returns text language plpgsql as $$ declare r text; begin select ssn into r from people where id = i; return r; end $$;
  create function opened() returns refcursor language plpgsql as $$ declare p refcursor := 'p'; begin open p for select ssn from people; return p; end $$;
  grant select, insert, update, delete, truncate on all tables in schema public to hoop_app;`;

const GUARD = `apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: vault, when: 'sql.reads.exists(t, t.name == "vault")', action: block }
    - { name: kept, when: 'sql.writes.exists(t, t.name in ["kept", "people", "vault"])', action: block }
  mask:
    - { name: columns, columns: ['people.ssn'], strategy: redact }
`;

/** Ways to what is hidden, each a part of what a conversation may do. */
const HOSTILE_TEXTS: readonly string[] = [
  ...ORDINARY_TEXTS,
  'select * from people',
  'select ssn from people',
  'select ssn || $$$$ from people',
  'select people from people',
  'select to_jsonb(people) from people',
  'select string_agg(ssn, $$,$$) from people',
  'select encode(ssn::bytea, $$hex$$) from people',
  'select reverse(ssn) as a from people',
  'table seen',
  'select * from everybody()',
  'select one(1)',
  'select opened()',
  'select * from vault',
  'select 1 as a, v from vault',
  'declare p cursor for select ssn as a from people',
  'declare q cursor with hold for select * from people',
  'declare q cursor with hold for select v from vault',
  'fetch all from p',
  'fetch all from q',
  'fetch backward all from q',
  'copy people to stdout',
  'copy (select ssn from people) to stdout',
  'copy (select ssn as a from people) to stdout (format binary)',
  'copy vault to stdout',
  'prepare a as select ssn from people',
  'prepare b as select 1',
  'prepare b as select * from vault',
  'execute b',
  'create temp view w as select ssn as x from people',
  'create or replace temp view w as select $$none$$::text as x',
  'select * from w',
  'drop view w',
  'create temp table people (id int, ssn text)',
  'drop table pg_temp.people',
  'create temp table vault (v text)',
  'insert into vault values ($$mine$$)',
  'alter table t rename to people',
  'create temp table u as select ssn from people',
  'select * from u',
  'insert into t select length(ssn) from people',
  'set search_path = pg_temp, public',
  'set search_path = pg_catalog',
  'reset search_path',
  'create temp view kept as select ssn as a from public.people',
  'delete from kept',
  'with d as (delete from kept returning *) select * from d',
  'truncate kept',
  'update people set ssn = $$x$$',
  'do $$ begin delete from kept; end $$',
  'do $$ begin execute $x$truncate vault$x$; end $$',
  'do $$ begin raise notice $x$%$x$, (select ssn from people limit 1); end $$',
  'select 1 / (length(ssn) - 20) from people',
  'select cast(ssn as int) from people',
  'listen c',
  'select pg_notify($$c$$, ssn) from people',
  'explain analyze select * from people where ssn = $$none of them$$',
  'explain select * from vault',
];
/** The tokens of its callers live for ten minutes. */
const RENEWED_AFTER_MS = 240_000;
/** Failures over masked columns are counted per caller: a new one now and then. */
const CALLS_OF_ONE = 10;

class RealWorld {
  #postgres: PostgresServer | undefined;
  #agents: TestAgent[] = [];
  #direct: Way | undefined;
  #watching: readonly Way[] = [];
  #guarded: Way | undefined;
  #owner: RawSession | undefined;
  #calls = 0;

  async open(): Promise<void> {
    this.#postgres ??= await this.#server();
    const { port, admin } = this.#postgres;
    this.#direct = { port, user: admin.username, database: DATABASE };
    this.#agents = [];
    this.#calls = 0;
    for (const policies of ['', WATCH, GUARD])
      this.#agents.push(await startTestAgent({ postgres: this.#postgres, database: DATABASE, policies }));
    const [plain, watch] = this.#agents as [TestAgent, TestAgent, TestAgent];
    this.#watching = [await wayOf(plain, 'fuzz'), await wayOf(watch, 'fuzz')];
  }

  async #server(): Promise<PostgresServer> {
    const server = await startPostgres({ auth: 'trust' });
    await server.createDatabase(DATABASE, SEED);
    await server.sql('grant hoop_app to hoop_admin', DATABASE);
    this.#owner = await openRawSession(server.port, { user: server.admin.username, database: DATABASE });
    return server;
  }

  /** A new agent: what one keeps in memory is not for ever. */
  async renew(): Promise<void> {
    this.checkKept();
    await this.#closeAgents();
    await this.open();
  }

  /** What agents have recorded and logged since they were started. */
  checkKept(): void {
    const broken = this.#agents.flatMap(({ logged }) => logged).find((line) => line.includes('internal error'));
    if (broken !== undefined) throw new Error(broken);
    for (const { path, text } of recordingsOf(this.#agents[2]))
      for (const value of spellings()) if (text.includes(value)) throw new Error(`recorded: ${value} in ${path}`);
  }

  async close(): Promise<void> {
    await this.#closeAgents();
    this.#owner?.end();
    await this.#postgres?.stop();
  }

  async #closeAgents(): Promise<void> {
    for (const agent of this.#agents) await agent.close();
  }

  /** The same bytes as direct, with rules and masks that nothing meets too. */
  async differential(dice: Dice): Promise<void> {
    const conversation = [query('create temp table t (a int)'), ...oddConversation(dice, ORDINARY_TEXTS)];
    if (this.#direct === undefined) return;
    const direct = await answered(this.#direct, conversation);
    // The one difference that is known: src/protocols/postgres/README.md.
    if (direct.some((one) => one.includes(LOST))) return;
    const through: string[][] = [];
    for (const way of this.#watching) through.push(await answered(way, conversation));
    alike(direct, through[0] ?? [], 'without a policy');
    alike(withoutTexts(direct), withoutTexts(through[1] ?? []), 'with rules and masks');
  }

  /** Nothing gets out, nothing gets round. */
  async guarded(dice: Dice): Promise<void> {
    const agent = this.#agents[2];
    if (agent === undefined) return;
    if (this.#calls % CALLS_OF_ONE === 0) this.#guarded = await wayOf(agent, `fuzz-${String(this.#calls)}`);
    this.#calls += 1;
    if (this.#guarded === undefined) return;
    const conversation = [query('create temp table t (a int)'), ...oddConversation(dice, HOSTILE_TEXTS)];
    const came = await conversed(this.#guarded, conversation);
    const bytes = Buffer.concat(came.map(({ body }) => body)).toString('latin1');
    for (const value of spellings()) if (bytes.includes(value)) throw new Error(`came back: ${value}`);
    await this.#unchanged();
    if (!came.some(({ type }) => type === 'Z')) throw new Error('nothing came back');
  }

  async #unchanged(): Promise<void> {
    const asked = query(
      'select (select sum(a) from kept), (select count(ssn) from people), (select count(v) from vault)',
    );
    const told = (await this.#owner?.exchange(asked, 1))?.find(({ type }) => type === 'D');
    const cells = told?.body
      .toString('latin1')
      .replaceAll(/[^0-9]+/g, ' ')
      .trim();
    if (cells !== `1275 ${String(PLANTED.length)} 1`) throw new Error(`changed: ${String(cells)}`);
  }
}

function alike(direct: readonly string[], through: readonly string[], how: string): void {
  const at = direct.findIndex((one, index) => one !== through[index]);
  if (at < 0 && direct.length === through.length) return;
  const place = at < 0 ? direct.length : at;
  throw new Error(
    `${how} message ${String(place)}: direct ${direct[place] ?? 'none'}, through ${through[place] ?? 'none'}`,
  );
}

async function wayOf(agent: TestAgent, subject: string): Promise<Way> {
  const { port } = await agent.port({ subject, groups: ['dba', 'engineering'] });
  return { port, user: 'x', database: 'postgres' };
}

/** In which a planted value might come. */
function spellings(): readonly string[] {
  return [...PLANTED, HIDDEN].flatMap((value) => [
    value.slice(0, 12),
    value.slice(-12),
    Buffer.from(value).toString('hex').slice(0, 24),
    Buffer.from(value).toString('base64').slice(0, 16),
    [...value].reverse().join('').slice(0, 12),
  ]);
}

function recordingsOf(agent: TestAgent | undefined): readonly { readonly path: string; readonly text: string }[] {
  if (agent === undefined) return [];
  return readdirSync(agent.recordings, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => ({ path: name, text: readFileSync(join(agent.recordings, name), 'latin1') }));
}

/** Runs until the time is up or a promise is broken. */
export async function fuzzPostgresReal(options: {
  readonly seconds: number;
  readonly seed: number;
}): Promise<FuzzReport> {
  const world = new RealWorld();
  await world.open();
  let openedMs = performance.now();
  try {
    const report = await fuzzInTurn(async (seed) => {
      if (performance.now() - openedMs > RENEWED_AFTER_MS) {
        await world.renew();
        openedMs = performance.now();
      }
      const dice = new Dice(seed);
      await (seed % 3 === 0 ? world.differential(dice) : world.guarded(dice));
    }, options);
    if (report.failure === undefined) world.checkKept();
    return report;
  } finally {
    await world.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) tellReport(await fuzzPostgresReal(seedAndSeconds()));
