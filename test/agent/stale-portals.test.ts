import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';
import { rawSession, type RawSession } from '../support/raw-session.js';
import { bind, execute, parse, query, sync } from '../protocols/postgres/wire.js';

const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  rules:
    - { name: no-fetch, when: 'sql.text.startsWith("FETCH ALL FROM \\"guarded")', action: block, message: Not this one. }
  mask:
    - { name: secrets, columns: ['people.ssn'], strategy: redact }
`;
const SEED = `create table people (id int primary key, ssn text); insert into people values (1, '917-26-5083');
  create function reopen(name refcursor) returns void language plpgsql as
    $$ begin close name; open name for select reverse(ssn) from people; end $$;`;
const DATABASE = 'stale_portals';
/** PortalSuspended, ReadyForQuery. */
const SUSPENDED = /sZT$/;
const BACKWARDS = '3805-62-719';

describe.skipIf(missingPostgres() !== undefined)('a portal whose name SQL has given to a cursor', () => {
  let agent: TestAgent;
  let port: number;

  beforeAll(async () => {
    const postgres = await sharedPostgres();
    await postgres.createDatabase(DATABASE, SEED);
    agent = await startTestAgent({ policies: POLICY, database: DATABASE });
    ({ port } = await agent.port());
  });

  afterAll(() => agent.close());

  const said = async (session: RawSession, bytes: Buffer, readies = 1): Promise<string> => {
    session.send(bytes);
    return Buffer.concat(
      (await session.until('Z', readies)).flatMap(({ type, body }) => [Buffer.from(type), body]),
    ).toString();
  };
  const open = (name: string): Buffer =>
    Buffer.concat([parse('', 'select 1::text'), bind(name, ''), execute(name, 1), sync()]);

  it.each([
    [
      'a simple query',
      (name: string) => query(`close ${name}; declare ${name} cursor for select reverse(ssn) from people`),
    ],
    [
      'the extended protocol',
      (name: string) =>
        Buffer.concat(
          [`close ${name}`, `declare ${name} cursor for select reverse(ssn) from people`].flatMap((text) => [
            parse('', text),
            bind('', ''),
            execute(''),
          ]),
        ),
    ],
    ['a function with a refcursor', (name: string) => query(`select reopen('${name}')`)],
  ])('is masked as that cursor when %s did it in the open transaction', async (_, replace) => {
    const session = await rawSession(port);
    await said(session, query('begin'));
    expect(await said(session, open('c'))).toMatch(SUSPENDED);
    const answer = await said(
      session,
      Buffer.concat([replace('c'), execute('c'), sync()]),
      replace('c')[0] === 0x51 ? 2 : 1,
    );
    expect(answer).toMatch(/FETCH|SELECT/);
    expect(answer).not.toContain(BACKWARDS);
    session.end();
  });

  it('is judged as a FETCH after the end of its transaction', async () => {
    const session = await rawSession(port);
    await said(
      session,
      Buffer.concat([parse('', 'select 1::text'), bind('guarded', ''), execute('guarded', 1), sync()]),
    );
    await said(session, query('declare guarded cursor with hold for select id from people'));
    expect(await said(session, Buffer.concat([execute('guarded'), sync()]))).toContain('pii/no-fetch');
    session.end();
  });

  it('goes on as it was while other statements run beside it', async () => {
    const session = await rawSession(port);
    await said(session, query('begin'));
    const opened = Buffer.concat([
      parse('', 'select generate_series(1, 3)::text'),
      bind('rows', ''),
      execute('rows', 1),
      sync(),
    ]);
    expect(await said(session, opened)).toMatch(SUSPENDED);
    await said(session, query('select count(*) from people'));
    expect(await said(session, Buffer.concat([execute('rows'), sync()]))).toContain('SELECT 2');
    session.end();
  });
});
