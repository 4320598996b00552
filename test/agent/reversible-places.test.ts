import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const EMAIL = "mar'ta@example.com";
const SEED = `
  create table people (id int primary key, email text unique, ssn text, number int unique, name text);
  insert into people values (1, $$${EMAIL}$$, '517-26-5083', 730912846, 'Ann'), (2, 'otto.wels@example.com', '604-31-8827', 99, 'Bo');
  create table guesses (word text);
  insert into guesses values ($$${EMAIL}$$), ('x@example.com');
  create view mails as select id, email as mail from people;
`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - { name: keys, columns: [people.email, people.ssn, people.number], strategy: hash, reversible: true }
`;

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
