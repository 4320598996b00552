import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAgentFolder, type AgentFolder } from '../support/agent.js';
import { buildCli, runHoop, startHoop, type Running } from '../support/built-cli.js';
import { startHttpUpstream, type HttpUpstream } from '../support/http-upstream.js';
import { missingPostgres } from '../support/postgres-server.js';
import { startReceiver } from '../sinks/events.js';
import { until } from '../support/until.js';
import { makeFolder } from '../support/folders.js';

/** What upstreams and receivers are reached with: nobody but them may ever see it. */
const CREDENTIALS = { stored: 'stored-upstream-key-1x', hook: 'hook-signing-key-2x', collector: 'collector-key-3x' };
/** People's values, all of kinds that the policy masks. */
const PERSONAL = ['planted.person@example.com', '4111 1111 1111 1111', '123-45-6789'];
/** Of statements and requests: for the recording alone. */
const WORDS = { statement: 'planted_statement_word', path: 'planted-path-word', body: 'planted-body-word' };

const RESOURCES = (upstream: string, receiver: string): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: api }
spec:
  type: http
  url: "${upstream}"
  credentials: [{ groups: ['*'], headers: { authorization: { secret: api-key, prefix: 'Bearer ' } } }]
  access: { groups: [engineering] }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules: [{ name: no-drop, when: '"drop" in sql.effects', action: block, message: Not here. }]
  mask: [{ name: pii, entities: [email, credit-card, us-ssn], strategy: redact, on: [requests, answers] }]
---
apiVersion: hoop/v1
kind: Sink
metadata: { name: hook }
spec: { type: webhook, url: "${receiver}", secret: { env: HOOK_KEY }, events: ['*'] }
`;

describe.skipIf(missingPostgres() !== undefined)('credentials, people’s values and statements', () => {
  let upstream: HttpUpstream;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let folder: AgentFolder;
  let agent: Running;
  let url: string;
  const home = makeFolder('planted');
  const tokens: string[] = [];
  /** What the CLI and the programs that it runs were given and said. */
  let told = '';

  const cli = async (args: readonly string[], groups: readonly string[], stdin = ''): Promise<string> => {
    const token = await folder.issuer.token({ sub: 'ann', email: 'ann@corp.test', groups });
    tokens.push(token);
    const env = { HOOP_CONFIG_DIR: home, HOOP_AGENT_URL: url, HOOP_TOKEN: token, HOOP_KEYRING: 'file' };
    const { stdout, stderr } = await runHoop(args, env, stdin);
    return `${stdout}\n${stderr}`;
  };

  beforeAll(async () => {
    await buildCli();
    receiver = await startReceiver();
    // An upstream that says back what it was sent, credential included.
    upstream = await startHttpUpstream(({ headers, body, url: path }, response) => {
      response.setHeader('x-echo', headers.authorization ?? '');
      response.writeHead(path.includes('fails') ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ you: headers.authorization, body, person: PERSONAL.join(', ') }));
    });
    folder = await makeAgentFolder({
      policies: RESOURCES(upstream.url, receiver.url),
      agentSpec: `tracing: { url: "${receiver.url}", ratio: 1, headers: { x-key: { env: COLLECTOR_KEY } } }`,
      env: { HOOK_KEY: CREDENTIALS.hook, COLLECTOR_KEY: CREDENTIALS.collector },
    });
    const conf = readFileSync(join(folder.conf, 'agent.yaml'), 'utf8');
    writeFileSync(
      join(folder.conf, 'agent.yaml'),
      conf.replace('{ file: ../master.key }', `{ command: [cat, ${join(folder.dir, 'master.key')}] }`),
    );
    agent = startHoop(['agent', 'start', '--config', folder.conf], { ...folder.env, NODE_ENV: 'production' });
    url = (await agent.said(/http:\/\/127\.0\.0\.1:\d+/))[0];
    await cli(['secrets', 'set', 'api-key'], ['dba'], CREDENTIALS.stored);
    await work();
  }, 300_000);

  afterAll(async () => {
    agent.child.kill('SIGTERM');
    await agent.finished;
    upstream.close();
    await receiver.close();
    await folder.issuer.close();
    for (const dir of [home, folder.dir]) rmSync(dir, { recursive: true, force: true });
  });

  async function work(): Promise<void> {
    const engineering = ['engineering'];
    const values = PERSONAL.map((value) => `'${value}'`).join(', ');
    told += await cli(['exec', 'postgres', '-i', `SELECT ${values} AS ${WORDS.statement}`], engineering);
    told += await cli(['exec', 'postgres', '-i', `DROP TABLE ${WORDS.statement}`], engineering);
    told += await cli(['exec', 'postgres', '-i', `SELECT ${WORDS.statement} FROM nothing`], engineering);
    const request = (path: string): string =>
      `POST /${WORDS.path}/${path} {"note":"${WORDS.body}","to":"${PERSONAL[0] ?? ''}"}`;
    for (const path of ['works', 'fails']) told += await cli(['exec', 'api', '-i', request(path)], engineering);
    // What a program under hoop sees of itself, and of the process that started it.
    const look = `const { readFileSync: r } = require('fs'); for (const of of ['self', process.ppid]) process.stdout.write(r('/proc/' + of + '/cmdline', 'latin1') + (of === 'self' ? r('/proc/self/environ', 'latin1') : ''))`;
    told += await cli(['connect', 'postgres', 'api', '--', process.execPath, '-e', look], engineering);
  }

  /** All files below a folder, as they are. */
  const files = (dir: string): string =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('\n');

  /** The agent's own arguments, and arguments and environment of all that it has started. */
  function processes(): string {
    const pid = String(agent.child.pid);
    const parentOf = (one: string): string =>
      / \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${one}/stat`, 'latin1'))?.[1] ?? '';
    const children = readdirSync('/proc').filter((one) => {
      try {
        return /^\d+$/.test(one) && parentOf(one) === pid;
      } catch {
        return false;
      }
    });
    return [
      readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
      ...children.flatMap((one) =>
        [`/proc/${one}/cmdline`, `/proc/${one}/environ`].map((file) => readFileSync(file, 'latin1')),
      ),
    ].join('\n');
  }

  const found = (places: Readonly<Record<string, string>>, values: readonly string[]): string[] =>
    Object.entries(places).flatMap(([place, text]) =>
      values.filter((value) => text.includes(value)).map((value) => `${value} in ${place}`),
    );

  it('stay where they belong: log, metrics, traces, sinks, errors, processes, store and recordings hold none of what is not theirs', async () => {
    const sealed = await until('the sealed sessions', () => {
      const text = files(join(folder.dir, 'recordings'));
      return text.split('"type":"seal"').length >= 6 && text;
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    await until(
      'traces and events',
      () =>
        receiver.received.some(({ path }) => path === '/v1/traces') &&
        receiver.received.some(({ body }) => body.includes('session.end')),
    );
    const sent = (traces: boolean): string =>
      receiver.received
        .filter(({ path }) => (path === '/v1/traces') === traces)
        .map(({ body }) => body)
        .join('\n');
    const [log] = await agent.said(/^[^]*$/);
    const kept = { recordings: sealed, store: files(join(folder.dir, 'state')) };
    const machine = { log, metrics, traces: sent(true), processes: processes() };
    const all = { ...kept, ...machine, events: sent(false), 'cli and its programs': told };

    const master = readFileSync(join(folder.dir, 'master.key'), 'utf8').trim();
    const passwords = [folder.postgres.app.password, folder.postgres.admin.password];
    expect(found(all, [...Object.values(CREDENTIALS), master, ...passwords, ...tokens])).toEqual([]);
    expect(found(all, PERSONAL)).toEqual([]);
    expect(found(machine, Object.values(WORDS))).toEqual([]);

    // They went where they had to, so that the looks above were at something.
    expect(upstream.seen.at(-1)?.headers.authorization).toBe(`Bearer ${CREDENTIALS.stored}`);
    expect(found(kept, [WORDS.statement, WORDS.path, WORDS.body]).length).toBeGreaterThanOrEqual(3);
    for (const [place, mark] of [
      ['log', 'level'],
      ['metrics', 'hoop_'],
      ['traces', 'hoop.statement'],
      ['events', 'session.end'],
      ['processes', 'agent'],
      ['cli and its programs', 'DATABASE_URL'],
    ] as const)
      expect(all[place], place).toContain(mark);
    expect(told).toContain('blocked by policy guard/no-drop');
    expect(told).toContain('[email]');
  });
});
