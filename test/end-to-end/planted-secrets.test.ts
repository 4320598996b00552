import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpUpstream, type HttpUpstream } from '../support/http-upstream.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { guardPolicy } from '../support/guard-policy.js';
import { httpConnection } from '../support/http-connection.js';

/** Each stands once in what a client sends; none may be in anything that the agent keeps or says. */
const PLANTED = {
  alterRole: 'plantedAlter1x',
  createUser: 'plantedCreate2x',
  dollarQuoted: 'plantedDollar3x',
  connectionString: 'plantedConn4x',
  url: 'plantedUrl5x',
  boundUrl: 'plantedBound6x',
  commented: 'plantedComment7x',
  failing: 'plantedFailing8x',
  header: 'plantedHeader9x',
  apiKey: 'sk-proj-planted10xAbCdEfGhIjKlMnOpQrStUv0123456789',
  aws: 'AKIAPLANTED11XYZ2345',
  jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkMTJ4In0.c2lnbmF0dXJlLXBsYW50ZWQxMng',
  pem: 'MIIBplanted13xAAAABBBBCCCC',
  pasted: 'plantedPasted14xAbCdEf',
  query: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkMTV4In0.c2lnbmF0dXJlLXBsYW50ZWQxNXg',
  held: 'plantedHeld16x',
};

const DOCUMENTS = (url: string): string =>
  guardPolicy('1m') + httpConnection('crm', url, { credentials: [{ groups: ['*'] }] });

describe.skipIf(missingPostgres() !== undefined)('secrets that clients send', () => {
  let agent: TestAgent;
  let upstream: HttpUpstream;
  let requests = '';

  beforeAll(async () => {
    upstream = await startHttpUpstream((_seen, response) => response.end('ok'));
    agent = await startTestAgent({ policies: DOCUMENTS(upstream.url) });
    await overPostgres();
    await overHttp();
  }, 60_000);
  afterAll(async () => {
    upstream.close();
    await agent.close();
  });

  async function overPostgres(): Promise<void> {
    const { port } = await agent.port();
    const db = new Client({ host: '127.0.0.1', port, user: 'x', database: agent.database, ssl: false });
    await db.connect();
    const run = (text: string, values: unknown[] = []): Promise<unknown> =>
      db.query(text, values).catch(() => undefined);
    // Most fail, as the role may do none of it: what was asked is recorded all the same, and the error.
    await run(`ALTER ROLE nobody_here WITH LOGIN PASSWORD '${PLANTED.alterRole}'`);
    await run(`create user nobody_either /* x */ password '${PLANTED.createUser}' valid until 'infinity'`);
    await run(`alter user nobody_here encrypted password $pw$${PLANTED.dollarQuoted}$pw$`);
    await run(`select dblink_connect('host=db user=app password=${PLANTED.connectionString} dbname=shop')`);
    await run(`select 'postgres://app:${PLANTED.url}@db.internal:5432/shop' as url`);
    await run('select $1::text as url', [`mysql://app:${PLANTED.boundUrl}@db.internal/shop`]);
    await run(`select 1 -- PGPASSWORD=${PLANTED.commented} psql`);
    await run(`select 'postgres://app:${PLANTED.failing}@db/shop'::int`);
    const held = run(`update payments set amount = 1 where 'postgres://app:${PLANTED.held}@db/shop' = ''`);
    const token = await agent.token({ subject: 'dana', groups: ['dba'] });
    const waiting = async (): Promise<string> => {
      const { body } = await agent.call('/v1/requests', { token });
      requests = JSON.stringify(body);
      return /"id":"([0-9a-f-]{36})"/.exec(requests)?.[1] ?? '';
    };
    let id = '';
    for (const deadline = Date.now() + 20_000; id === '' && Date.now() < deadline;) id = await waiting();
    await agent.call(`/v1/requests/${id}/deny`, { token, body: { reason: 'no' } });
    await held;
    await db.end();
  }

  async function overHttp(): Promise<void> {
    const bearer = await agent.token();
    const prompt = [
      `use ${PLANTED.apiKey} and ${PLANTED.aws}`,
      `and ${PLANTED.jwt}`,
      `-----BEGIN PRIVATE KEY-----\n${PLANTED.pem}\n-----END PRIVATE KEY-----`,
      `curl -H 'Authorization: Bearer ${PLANTED.pasted}'`,
    ].join('\n');
    const response = await fetch(`${agent.agent.url}/c/crm/v1/notes?token=${PLANTED.query}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/json',
        cookie: `session=${PLANTED.header}`,
        'x-custom-token': PLANTED.header,
      },
      body: JSON.stringify({ messages: [{ role: 'user', content: prompt }] }),
    });
    expect(await response.text()).toBe('ok');
  }

  /** Recordings, store with its log, and what the agent said. */
  async function kept(): Promise<Map<string, string>> {
    const deadline = Date.now() + 20_000;
    const unsealed = (): boolean =>
      recordings().some((path) => !readFileSync(path, 'utf8').includes('"type":"seal"')) || recordings().length < 2;
    while (unsealed() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    // Gathered rows are written when somebody looks.
    await agent.call('/v1/sessions', { token: await agent.token() });
    const state = join(agent.dir, 'state');
    return new Map([
      ...[...recordings(), ...readdirSync(state).map((name) => join(state, name))].map(
        (path) => [path, readFileSync(path, 'latin1')] as const,
      ),
      ['log', agent.logged.join('\n')],
      ['requests', requests],
    ]);
  }
  const recordings = (): string[] =>
    readdirSync(agent.recordings, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ndjson'))
      .map((name) => join(agent.recordings, name));

  it('reach the servers as they were sent, and nothing that the agent keeps or says', async () => {
    const everything = await kept();
    expect(upstream.seen[0]?.body).toContain(PLANTED.apiKey);
    const found = Object.entries(PLANTED).flatMap(([name, secret]) =>
      [...everything].filter(([, text]) => text.includes(secret)).map(([place]) => `${name} in ${place}`),
    );
    expect(found).toEqual([]);
    const all = [...everything.values()].join('\n');
    // What was around them is there: they were taken out, and not the statements.
    for (const around of ['nobody_here', 'dblink_connect', 'db.internal:5432/shop', '/v1/notes'])
      expect(all).toContain(around);
    expect(everything.get('requests')).toContain('update payments');
  });
});
