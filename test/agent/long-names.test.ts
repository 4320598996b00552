import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind, cstring, describePortal, execute, message, parse, query, sync } from '../protocols/postgres/wire.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';
import { rawSession, type RawSession } from '../support/raw-session.js';

const SSN = '917-26-5083';
const SEED = `create table people (id int primary key, name text, ssn text); insert into people values (1, 'Ann', '${SSN}');
  create view hidden as select id, ssn as "\u0080" from people;`;
const POLICY = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask:
    - { name: secrets, columns: ['people.ssn'], strategy: redact }
`;
/** 63 bytes: all that the server looks at. */
const HEAD = 'n'.repeat(63);
const NAME = 'select upper(name) from people';
const HIDDEN = 'select upper(ssn) from people';
const close = (kind: 'S' | 'P', name: string): Buffer => message('C', cstring(`${kind}${name}`));
const latin1 = (bytes: Buffer, from: string, to: number): Buffer =>
  Buffer.from(bytes.toString('latin1').replaceAll(from, String.fromCharCode(to)), 'latin1');

describe.skipIf(missingPostgres() !== undefined)('names of statements and portals that the server cuts', () => {
  let agent: TestAgent;
  let port: number;

  beforeAll(async () => {
    const postgres = await sharedPostgres();
    await postgres.createDatabase('long_names', SEED);
    agent = await startTestAgent({ policies: POLICY, database: 'long_names' });
    ({ port } = await agent.port({ groups: ['engineering', 'dba'] }));
  });

  afterAll(() => agent.close());

  const said = async (session: RawSession, bytes: Buffer, readies = 1): Promise<string> => {
    session.send(bytes);
    return Buffer.concat(
      (await session.until('Z', readies)).flatMap(({ type, body }) => [Buffer.from(type), body]),
    ).toString();
  };

  it('a statement of 64 bytes is the one that another name of the same 63 bytes was given to', async () => {
    const session = await rawSession(port);
    await said(session, Buffer.concat([parse(`${HEAD}x`, NAME), sync()]));
    await said(session, Buffer.concat([close('S', `${HEAD}y`), parse(`${HEAD}y`, HIDDEN), sync()]));
    const run = Buffer.concat([bind('', `${HEAD}x`), describePortal(''), execute(''), sync()]);
    expect(await said(session, run)).toContain('[upper]');
    await said(session, query(`deallocate ${HEAD}`));
    await said(session, query(`prepare ${HEAD} as select ssn || '' from people`));
    expect(await said(session, run)).not.toContain(SSN);
    session.end();
  });

  it('a portal of 64 bytes is the one, or the cursor, of the same 63 bytes', async () => {
    const session = await rawSession(port);
    await said(session, query('begin'));
    await said(session, Buffer.concat([parse('one', NAME), parse('two', HIDDEN), bind(`${HEAD}x`, 'one'), sync()]));
    const other = [close('P', `${HEAD}y`), bind(`${HEAD}y`, 'two')];
    expect(await said(session, Buffer.concat([...other, execute(`${HEAD}x`), sync()]))).toContain('[upper]');
    await said(session, query(`close ${HEAD}`));
    await said(session, query(`declare ${HEAD} cursor for ${NAME}`));
    await said(session, Buffer.concat([...other, sync()]));
    expect(await said(session, query(`fetch all from ${HEAD}`))).not.toContain(SSN);
    session.end();
  });

  it('what SQL fetches by the name of a portal is not taken for the cursor that had it', async () => {
    const session = await rawSession(port);
    await said(session, query('begin'));
    const declared = query(`declare c cursor for ${NAME}`);
    const opened = [close('P', 'c'), parse('two', HIDDEN), bind('c', 'two'), sync()];
    await said(session, Buffer.concat([declared, ...opened]), 2);
    expect(await said(session, query('fetch all from c'))).not.toContain(SSN);
    session.end();
  });

  it('one that is no text in UTF-8, or too long where letters grow, ends the session', async () => {
    for (const name of [latin1(parse('~', NAME), '~', 0xe9), parse('é'.repeat(20), NAME)]) {
      const session = await rawSession(port);
      await said(session, query("set client_encoding = 'LATIN1'"));
      expect(await said(session, Buffer.concat([name, sync()]))).toContain('malformed parse message');
      session.end();
    }
    const session = await rawSession(port);
    const names = Buffer.concat([parse('é'.repeat(20), NAME), bind('', 'é'.repeat(20)), execute(''), sync()]);
    expect(await said(session, names)).toContain('ANN');
    session.end();
  });

  it('a control character of LATIN1 stands in no name that is read as another letter', async () => {
    const session = await rawSession(port);
    await said(session, query("set client_encoding = 'LATIN1'"));
    const asked = latin1(query(`select id + 77 from hidden where "~" like '9%'`), '~', 0x80);
    expect(await said(session, asked)).toContain('can not be judged');
    session.end();
  });

  it('a text that the server reads by other rules of quoting is refused, not judged by what it seems to say', async () => {
    const session = await rawSession(port);
    await said(session, query('set standard_conforming_strings = off'));
    const hidden = `select '\\', $x$ ' , upper(ssn) from people -- $x$`;
    expect(await said(session, query(hidden))).toContain('can not be judged');
    const bound = Buffer.concat([parse('hidden', hidden), bind('', 'hidden'), execute(''), sync()]);
    expect(await said(session, bound)).toContain('can not be judged');
    expect(await said(session, query('execute hidden'))).not.toContain(SSN);
    expect(await said(session, query('select name from people'))).toContain('Ann');
    session.end();
  });
});
