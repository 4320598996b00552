import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildCli, type Finished, runHoop, type Running, startHoop } from '../support/built-cli.js';
import { type ModelAgent, startModelAgent, UPSTREAM_KEYS } from '../support/model-upstream-agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const POLICIES = `apiVersion: hoop/v1
kind: Policy
metadata: { name: models }
spec:
  match: { types: [openai, anthropic] }
  rules:
    - { name: no-embeddings, when: 'http.path == "/v1/embeddings"', action: block, message: embeddings are not allowed }
    - { name: ask-first, when: 'http.path == "/v1/responses"', action: approve, approval: review }
  mask:
    - { name: pii, entities: [email], strategy: redact }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: review }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 1m, grant: { scope: statement, ttl: 1m } }
`;
const missing = missingPostgres();

let agent: ModelAgent;
let env: Record<string, string>;
const running: Running[] = [];

beforeAll(async () => {
  await buildCli();
  if (missing === undefined) agent = await startModelAgent({ policies: POLICIES });
});
afterAll(async () => {
  if (missing === undefined) await agent.close();
});
afterEach(async () => {
  for (const { child, finished } of running.splice(0)) {
    child.kill('SIGKILL');
    await finished;
  }
});

async function callerEnv(caller: Parameters<ModelAgent['token']>[0] = {}): Promise<Record<string, string>> {
  env ??= { HOOP_CONFIG_DIR: makeFolder('http'), HOOP_AGENT_URL: agent.agent.url };
  return { ...env, HOOP_TOKEN: await agent.token(caller) };
}

async function hoop(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return runHoop(args, { ...(await callerEnv()), ...more });
}

async function start(args: readonly string[]): Promise<Running> {
  const started = startHoop(args, await callerEnv());
  running.push(started);
  return started;
}

/** Opens ports and gives the `env` of each `listening` line. */
async function connected(...args: string[]): Promise<Record<string, string>[]> {
  const started = await start(['connect', ...args, '--json']);
  const count = args.filter((arg) => !arg.startsWith('-')).length;
  const [lines] = await started.printed(new RegExp(`^(?:\\{.*\\}\\n){${String(count)}}`));
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { env: Record<string, string> }).env);
}

/** A program that asks until its port is gone. */
const CHILD = `
  const ask = () => fetch(process.env.ANTHROPIC_BASE_URL + '/v1/models').then(
    () => setTimeout(ask, 100),
    (error) => console.log(error.cause.code === 'ECONNREFUSED' ? 'refused' : error.cause.code),
  );
  console.log('began');
  ask();
`;

const chat = (content: string, more: object = {}): string =>
  JSON.stringify({ model: 'trial', messages: [{ role: 'user', content }], ...more });

describe.skipIf(missing !== undefined)(
  `HTTP connections${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('hoop logout in another terminal closes the ports that were opened with the login', async () => {
      const { HOOP_TOKEN: token = '', ...own } = await callerEnv();
      const person = { ...own, HOOP_KEYRING: 'file', HOOP_CONFIG_DIR: makeFolder('out') };
      expect((await runHoop(['login', '--token-stdin'], person, token)).status).toBe(0);
      const open = startHoop(['connect', 'openai', '--json'], person);
      const child = startHoop(['connect', 'anthropic', '--', process.execPath, '-e', CHILD], person);
      running.push(open, child);
      await open.printed(/listening/);
      await child.printed(/began/);
      expect((await runHoop(['logout'], person)).status).toBe(0);
      const { status, stdout } = await open.finished;
      expect(status).toBe(3);
      expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'not_logged_in' } });
      await child.said(/the login has ended .*the ports are closed/);
      expect((await child.finished).stdout).toContain('refused');
    });

    it('hoop connect gives a port whose key opens it, and any other key is refused', async () => {
      const [openai = {}] = await connected('openai');
      const { OPENAI_BASE_URL: base = '', OPENAI_API_KEY: key = '' } = openai;
      expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
      expect(key).toMatch(/^sk-hoop-[\w-]{43}$/);
      const models = (bearer: string): Promise<Response> =>
        fetch(`${base}/models`, { headers: { authorization: `Bearer ${bearer}` } });
      expect((await models(key)).status).toBe(200);
      expect(agent.upstream.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${UPSTREAM_KEYS.openaiKey}`);
      for (const other of [`${key}x`, UPSTREAM_KEYS.openaiKey, '']) expect((await models(other)).status).toBe(401);
      expect((await fetch(`${base}/models`)).status).toBe(401);
    });

    it('tells programs of each request as of a session that opens and closes, with its id', async () => {
      const open = await start(['connect', 'http', '--json']);
      const [line] = await open.printed(/^\{.*\}\n/);
      const { env: own } = JSON.parse(line) as { env: Record<string, string> };
      const { headers, status } = await fetch(`${own['HOOP_URL'] ?? ''}/plain/anything`);
      expect(status).toBe(200);
      const [events] = await open.printed(/\{"event":"session\.opened".*\n.*"session\.closed".*\n/);
      const session = headers.get('x-hoop-session');
      expect(
        events
          .trimEnd()
          .split('\n')
          .map((event) => JSON.parse(event) as unknown),
      ).toEqual([
        { event: 'session.opened', session, connection: 'http' },
        { event: 'session.closed', session, connection: 'http' },
      ]);
    });

    it('gives each port a key of its own, which is no key of another port', async () => {
      const [openai = {}, anthropic = {}] = await connected('openai', 'anthropic');
      expect(openai['OPENAI_API_KEY']).not.toBe(anthropic['ANTHROPIC_API_KEY']);
      const ask = (key: string): Promise<Response> =>
        fetch(`${anthropic['ANTHROPIC_BASE_URL'] ?? ''}/v1/messages`, {
          method: 'POST',
          headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
          body: chat('say: hi', { max_tokens: 9 }),
        });
      expect((await ask(anthropic['ANTHROPIC_API_KEY'] ?? '')).status).toBe(200);
      expect((await ask(openai['OPENAI_API_KEY'] ?? '')).status).toBe(401);
    });

    it('a child runs the SDKs of both providers unchanged, beside psql, whatever it would have inherited', async () => {
      const script = `
      const { default: OpenAI } = await import('openai');
      const { default: Anthropic } = await import('@anthropic-ai/sdk');
      const messages = [{ role: 'user', content: 'say: Hi from the child' }];
      const chat = await new OpenAI().chat.completions.create({ model: 'trial', messages });
      const stream = new Anthropic().messages.stream({ model: 'trial', max_tokens: 99, messages });
      const plain = await fetch(process.env.HOOP_URL + '/plain/anything');
      console.log(JSON.stringify([chat.choices[0].message.content, await stream.finalText(), plain.status,
        process.env.PGDATABASE, process.env.HOOP_ANTHROPIC_ANTHROPIC_BASE_URL === process.env.ANTHROPIC_BASE_URL,
        process.env.HOOP_CORRELATION_ID, process.env.HOOP_TOKEN ?? null, process.env.OPENAI_ORG_ID ?? null,
        process.env.NO_PROXY]));`;
      const { status, stdout, stderr } = await hoop(
        [
          'connect',
          'openai',
          'anthropic',
          'http',
          'postgres',
          '--correlation-id',
          'child-1',
          '--',
          process.execPath,
          '--input-type=module',
          '-e',
          script,
        ],
        {
          OPENAI_ORG_ID: 'org-of-another-account',
          ANTHROPIC_AUTH_TOKEN: 'token-of-another-account',
          ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
          // Not that of plain addresses: the command itself would have to go through it.
          HTTPS_PROXY: 'http://127.0.0.1:1',
          NO_PROXY: 'corp.example',
        },
      );
      expect(status, stderr).toBe(0);
      expect(JSON.parse(stdout)).toEqual([
        'Hi from the child',
        'Hi from the child',
        200,
        agent.database,
        true,
        'child-1',
        null,
        null,
        'corp.example,127.0.0.1,localhost,::1',
      ]);
    });

    it('prints export lines that curl takes', async () => {
      const started = await start(['connect', 'http', '--print-env']);
      const [, url = ''] = await started.printed(/^export HOOP_URL='(http:\/\/127\.0\.0\.1:\d+)'$/m);
      const { stdout } = await promisify(execFile)('curl', ['-sS', `${url}/plain/anything`]);
      expect(JSON.parse(stdout)).toMatchObject({ method: 'GET', url: '/plain/anything' });
    });

    it('serves a socket file, for which the key is named on stderr', async () => {
      const path = join(makeFolder('sock'), 'openai.sock');
      const started = await start(['connect', 'openai', '--socket', path]);
      const [, key = ''] = await started.said(/needs the key (sk-hoop-[\w-]{43}), valid for this socket file alone/);
      const { stdout } = await promisify(execFile)('curl', [
        ...['-sS', '--unix-socket', path, '-H', `authorization: Bearer ${key}`, 'http://localhost/v1/models'],
      ]);
      expect(JSON.parse(stdout)).toMatchObject({ object: 'list' });
    });

    it('refuses --tls with status 2, naming the connection that can not have it', async () => {
      const { status, stderr } = await hoop(['connect', 'postgres', 'openai', '--tls']);
      expect(status).toBe(2);
      expect(stderr).toContain('error: --tls is for Postgres connections');
      expect(stderr).toContain('openai is of type openai');
    });

    it('lists the types with hoop connections', async () => {
      const { stdout } = await hoop(['connections', '--json']);
      const listed = JSON.parse(stdout) as { name: string; type: string }[];
      expect(listed.map(({ type }) => type).toSorted()).toEqual(['anthropic', 'http', 'openai', 'postgres']);
    });

    it('hoop exec prints the text of an answer, whole or streamed, masked', async () => {
      for (const [connection, more] of [
        ['openai', {}],
        ['openai', { stream: true }],
        ['anthropic', { max_tokens: 99 }],
        ['anthropic', { max_tokens: 99, stream: true }],
      ] as const) {
        const { status, stdout, stderr } = await hoop([
          'exec',
          connection,
          '-i',
          chat('say: mail ada@example.com', more),
        ]);
        expect([status, stdout, stderr]).toEqual([0, 'mail [email]\n', '']);
      }
    });

    it('hoop exec prints the answer itself under --json, of a stream one event a line', async () => {
      const whole = await hoop(['exec', 'openai', '-i', chat('say: hi'), '--json']);
      expect(JSON.parse(whole.stdout)).toMatchObject({ object: 'chat.completion' });
      const events = await hoop(['exec', 'openai', '-o', 'json'], {});
      expect(events.status).toBe(2);
      const { stdout } = await hoop(['exec', 'openai', '-i', chat('say: hi', { stream: true }), '--json']);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { object: string });
      expect(lines.length).toBeGreaterThan(1);
      expect(new Set(lines.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']));
    });

    it('hoop exec exits 5 for what policy blocks, which never reached the upstream', async () => {
      const before = agent.upstream.requests.length;
      const run = await hoop(['exec', 'openai', '-i', 'POST /v1/embeddings {"model":"trial","input":"x"}']);
      expect([run.status, run.stdout]).toEqual([5, '']);
      expect(run.stderr.split('\n')[0]).toBe(
        'error: blocked by policy models/no-embeddings: embeddings are not allowed',
      );
      expect(agent.upstream.requests.length).toBe(before);
      const json = await hoop(['exec', 'openai', '-i', 'POST /v1/embeddings {"model":"trial","input":"x"}', '--json']);
      expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'blocked' } });
    });

    it('hoop exec exits 1 for the upstream’s own refusals, and prints the body of any path of an http connection', async () => {
      const missingModel = await hoop(['exec', 'openai', '-i', 'GET /v1/models/none-of-that-name']);
      expect([missingModel.status, missingModel.stdout]).toEqual([1, '']);
      expect(missingModel.stderr).toMatch(/^error: the answer is HTTP 404\nwhy: {3}.+\n.+\n$/);
      const body = await hoop(['exec', 'http', '-i', 'GET /plain/bytes/10']);
      expect([body.status, body.stdout.length]).toEqual([0, 10]);
      expect((await hoop(['exec', 'http', '-i', 'GET /plain/status/503'])).status).toBe(1);
    });

    it('hoop exec says what it waits for, goes on when it is approved, and exits 7 after --wait', async () => {
      const ask = ['exec', 'openai', '-i', '{"model":"trial","input":"say: approved"}'];
      const waiting = await start(ask);
      const [, request = ''] = await waiting.said(/openai: waits for .+ until .*: hoop approve (\S+)/);
      const reviewer = await callerEnv({ subject: 'rita', groups: ['dba'] });
      expect((await runHoop(['approve', request], reviewer)).status).toBe(0);
      expect(await waiting.finished).toMatchObject({ status: 0, stdout: 'approved\n' });
      const late = await hoop([...ask.slice(0, 3), '{"model":"trial","input":"say: late"}', '--wait', '1s']);
      expect([late.status, late.stdout]).toEqual([7, '']);
    });

    it('ties a model call and a statement by HOOP_CORRELATION_ID or TRACEPARENT, and replays them as one', async () => {
      const trace = '0af7651916cd43dd8448eb211c80319c';
      const chain = { TRACEPARENT: `00-${trace}-b7ad6b7169203331-01` };
      expect((await hoop(['exec', 'openai', '-i', chat('say: look it up')], chain)).status).toBe(0);
      expect((await hoop(['exec', 'postgres', '-i', 'SELECT 40 + 2 AS looked_up'], chain)).status).toBe(0);
      expect(
        (await hoop(['exec', 'openai', '-i', chat('say: x')], { ...chain, HOOP_CORRELATION_ID: 'own' })).status,
      ).toBe(0);
      const listed = await hoop(['sessions', '--correlation-id', trace, '--json']);
      expect((JSON.parse(listed.stdout) as { connection: string }[]).map(({ connection }) => connection)).toEqual([
        'postgres',
        'openai',
      ]);
      const { status, stdout } = await hoop(['replay', '--correlation-id', trace]);
      expect(status).toBe(0);
      const lines = stdout.split('\n');
      const place = (text: string): number => lines.findIndex((line) => line.includes(text));
      expect(place('say: look it up')).toBeGreaterThan(place('on openai (openai)'));
      expect(place('SELECT 40 + 2 AS looked_up')).toBeGreaterThan(place('say: look it up'));
    });
  },
);
