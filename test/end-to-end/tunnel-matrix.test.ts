import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DatabaseError } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Harm, HARMS, one, portOf, Stage } from '../support/network-stage.js';
import { missingPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';

/** What is under way, and what a user's program sees of each harm: also the table of docs/tunnel.md. */
interface Row {
  readonly underWay: string;
  readonly sees: Readonly<Record<Harm, string>>;
  readonly run: (stage: Stage, harm: Harm) => Promise<string>;
}

const broken = (sees: string, delay: string): Row['sees'] => ({ cut: sees, stall: sees, drop: sees, delay });

const ROWS: readonly Row[] = [
  {
    underWay: 'an idle session',
    sees: broken('ends with 08006; the next is served', 'goes on'),
    run: async (stage, harm) => {
      const kept = await stage.port();
      const client = await stage.session(kept);
      let code = '';
      client.on('error', (error) => (code ||= (error as DatabaseError).code ?? ''));
      await stage.harm(harm, kept);
      if (harm === 'delay') return (await one(client)) ? 'goes on' : 'no answer';
      await until('it ends', () => code !== '');
      return `ends with ${code}; the next is ${await served(stage, kept)}`;
    },
  },
  {
    underWay: 'a statement that runs',
    sees: broken('08006 and one sentence, never sent again; the next session is served', 'its result'),
    run: async (stage, harm) => {
      const kept = await stage.port();
      const { outcome } = await stage.start(await stage.session(kept), harm === 'delay' ? 0.3 : 60);
      await stage.harm(harm, kept);
      const seen = await outcome;
      if (seen !== '08006') return seen;
      return `08006 and one sentence, never sent again; the next session is ${await served(stage, kept)}`;
    },
  },
  {
    underWay: 'a statement that waits for approval',
    sees: broken('waits on, and runs once when approved', 'waits on, and runs once when approved'),
    run: async (stage, harm) => {
      const kept = await stage.port();
      const client = await stage.session(kept);
      const id = 1_000 + HARMS.indexOf(harm);
      const result = client.query(`insert into payments values (${String(id)}, 1, 5) returning id`);
      const notice = await new Promise<string>((resolve) => {
        client.once('notice', ({ message }) => {
          resolve(message ?? '');
        });
      });
      await stage.harm(harm, kept);
      stage.heal();
      const token = await stage.agent.token({ subject: 'dana', groups: ['dba'] });
      const request = /hoop approve (\S+)/.exec(notice)?.[1] ?? '';
      const approved = await stage.agent.call(`/v1/requests/${request}/approve`, { token, body: { reason: 'fine' } });
      expect(approved.status).toBe(200);
      const { rows } = await result;
      return rows.length === 1 ? 'waits on, and runs once when approved' : 'no row';
    },
  },
  {
    underWay: 'a GET that is not answered yet',
    sees: broken('its answer: it is sent once more', 'its answer'),
    run: (stage, harm) => request(stage, harm, 'GET'),
  },
  {
    underWay: 'a POST that is not answered yet',
    sees: broken('a reset connection, never sent again', 'its answer'),
    run: (stage, harm) => request(stage, harm, 'POST'),
  },
  {
    underWay: 'a new connection',
    sees: broken('waits, and is served', 'is served'),
    run: async (stage, harm) => {
      const kept = await stage.port();
      await stage.harm(harm, kept);
      const waiting = stage.session(kept);
      stage.heal();
      return `${harm === 'delay' ? '' : 'waits, and '}is ${(await one(await waiting)) ? 'served' : 'not served'}`;
    },
  },
  {
    underWay: 'a token that ends',
    sees: broken('the next session is served, with a fresh token', 'the next session is served, with a fresh token'),
    run: async (stage, harm) => {
      let asked = 0;
      const kept = await stage.port({
        token: () => {
          asked += 1;
          // Rounded up: the first must be good for long enough to be let in with.
          const exp = Math.ceil(Date.now() / 1000) + (asked === 1 ? 2 : 600);
          return stage.issuer.token({ sub: 'ann', groups: ['engineering'], email: 'ann@example.test', exp });
        },
      });
      await stage.harm(harm, kept);
      stage.heal();
      await until('another token was asked for', () => asked > 1);
      return `the next session is ${await served(stage, kept)}, with a fresh token`;
    },
  },
  {
    underWay: 'an agent that restarts',
    sees: broken('the next session waits, and is served', 'the next session waits, and is served'),
    run: async (stage, harm) => {
      const before = await stage.next();
      stage.behind = portOf(before);
      const kept = await stage.port();
      await stage.harm(harm, kept);
      await before.close();
      const waiting = stage.session(kept);
      stage.heal();
      await until('it is tried', () => kept.events.filter(({ event }) => event === 'reconnecting').length > 0);
      stage.behind = portOf(stage.agent);
      return `the next session waits, and is ${(await one(await waiting)) ? 'served' : 'not served'}`;
    },
  },
  {
    underWay: 'an agent that drains while its successor is there',
    sees: broken(
      'what runs ends with 08006; the next session is served by the successor',
      'what runs ends in peace; the next session is served by the successor',
    ),
    run: async (stage, harm) => {
      const before = await stage.next();
      stage.behind = portOf(before);
      const kept = await stage.port();
      const { outcome } = await stage.start(await stage.session(kept), harm === 'delay' ? 1 : 60);
      stage.behind = portOf(stage.agent);
      const closed = before.agent.close(30_000);
      await until('the successor has a tunnel', () => kept.keeper.leaving.length === 2);
      await stage.harm(harm, kept);
      const seen = await outcome;
      const next = await served(stage, kept);
      await closed;
      await before.close();
      return `what runs ends ${seen === 'its result' ? 'in peace' : `with ${seen}`}; the next session is ${next} by the successor`;
    },
  },
];

async function served(stage: Stage, kept: Parameters<Stage['session']>[0]): Promise<string> {
  const waiting = stage.session(kept);
  stage.heal();
  return (await one(await waiting)) ? 'served' : 'not served';
}

async function request(stage: Stage, harm: Harm, method: 'GET' | 'POST'): Promise<string> {
  const kept = await stage.port({ connection: 'crm', type: 'http' });
  const before = stage.upstream.seen.length;
  const answer = fetch(`http://127.0.0.1:${String(kept.port)}/customers`, {
    method,
    ...(method === 'POST' ? { body: '{}' } : {}),
  }).then(
    (response) => response.text(),
    () => 'reset',
  );
  await until('it has arrived', () => stage.upstream.seen.length > before);
  await stage.harm(harm, kept);
  stage.heal();
  if (harm !== 'delay' && method === 'GET')
    await until('it has arrived again', () => stage.upstream.seen.length === before + 2);
  stage.answer();
  const text = await answer;
  const times = stage.upstream.seen.length - before;
  if (text === `${method} done`) return times === 1 ? 'its answer' : 'its answer: it is sent once more';
  return times === 1 ? 'a reset connection, never sent again' : `${text}, sent ${String(times)} times`;
}

describe.skipIf(missingPostgres() !== undefined)('what a program sees of a network that breaks', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.reset());
  afterAll(() => stage.close());

  for (const { underWay, sees, run } of ROWS)
    it.each(HARMS)(`${underWay}: %s`, async (harm) => {
      expect(await run(stage, harm)).toBe(sees[harm]);
    });
});

it('the table of docs/tunnel.md is this one', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/tunnel.md', import.meta.url)), 'utf8');
  const lines = ROWS.map(({ underWay, sees }) => {
    expect([sees.cut, sees.stall]).toEqual([sees.drop, sees.drop]);
    return `| ${underWay} | ${sees.cut} | ${sees.delay} |`;
  });
  expect(page.split('\n').filter((line) => /^\| an? /.test(line))).toEqual(lines);
});
