import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';

const S = 'planted7f3a91';

describe.skipIf(missingPostgres() !== undefined)('passwords that a client sends through an agent', () => {
  let test: TestAgent;
  beforeAll(async () => {
    test = await startTestAgent();
  }, 60_000);
  afterAll(() => test.close());

  /** Every byte that the agent has written, and its log. */
  const written = (): string =>
    [
      ...readdirSync(test.dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')),
      ...test.logged,
    ].join('\n');

  it('are in no file of it: in text, bound, prepared, in errors and in what the client calls itself', async () => {
    const { port } = await test.port();
    const at = { host: '127.0.0.1', port, user: 'x', database: test.database, ssl: false };
    const client = new Client({ ...at, application_name: `etl password=${S}` });
    await client.connect();
    const run = (text: string, values?: readonly unknown[]): Promise<unknown> =>
      (values === undefined ? client.query(text) : client.query(text, [...values])).catch(() => undefined);
    await run(`create role planted password /* of the service */ '${S}'`);
    await run(
      `do $$ begin execute format('alter role planted password %L', '${S}'); exception when others then null; end $$`,
    );
    await run(`create temp table users (name text primary key, password text)`);
    await run(`insert into users (name, password) values ('bob', '${S}')`);
    await run('insert into users (name, password) values ($1, $2)', ['eve', S]);
    await run('update users set password = $1 where name = $2', [S, 'bob']);
    await run('select name, password from users');
    await run(`select dblink_connect('host=h user=u password=''${S}'' dbname=d')`);
    await run(`select ('postgresql://u:${S}@h/db')::int`);
    await run(`alter role planted password '${S}`);
    const kept = { name: 'kept', text: 'update users set password = $1 where name = $2' };
    for (const name of ['bob', 'eve']) await client.query({ ...kept, values: [S, name] });
    await client.end();
    await until('the seal', () => written().includes('"type":"seal"'));
    const all = written();
    expect(all).toContain('insert into users (name, password) values');
    expect(all).toContain('alter role planted password %L');
    expect(all.split('\n').filter((line) => line.includes(S))).toEqual([]);
  });
});
