import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { makeKey, startLocalIssuer, type LocalIssuer, type SigningKey } from '../identity/local-issuer.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { buildCli } from '../support/built-cli.js';
import { missingPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CI = join(ROOT, 'examples/ci');
const read = (name: string): string => readFileSync(join(CI, name), 'utf8');
const missing = missingPostgres();

/** What GitHub writes into the token of a push to main, and GitLab into that of a protected branch. */
const GITHUB = {
  sub: 'repo:acme/shop:ref:refs/heads/main',
  repository: 'acme/shop',
  repository_owner: 'acme',
  ref: 'refs/heads/main',
  event_name: 'push',
  workflow: 'migrate',
  run_id: '1234',
};
const GITLAB = {
  sub: 'project_path:acme/shop:ref_type:branch:ref:main',
  project_path: 'acme/shop',
  ref: 'main',
  ref_type: 'branch',
  ref_protected: 'true',
  pipeline_id: '77',
};

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(missing !== undefined)(`the examples for CI${missing === undefined ? '' : ` (${missing})`}`, () => {
  const folder = makeFolder('ci');
  let issuers: { readonly github: LocalIssuer; readonly gitlab: LocalIssuer };
  let key: SigningKey;
  let agent: TestAgent;
  let host: Server;

  beforeAll(async () => {
    await buildCli();
    key = await makeKey('ci');
    issuers = { github: await startLocalIssuer(), gitlab: await startLocalIssuer() };
    for (const issuer of Object.values(issuers)) issuer.publish([key.jwk]);
    const providers = read('identity-providers.yaml')
      .replace('https://token.actions.githubusercontent.com', issuers.github.issuer)
      .replace('https://gitlab.com', issuers.gitlab.issuer)
      // The group that may change tables on the agent of these tests.
      .replaceAll('[deploy]', '[dba]');
    const policy = read('../policies/standard-sql.yaml');
    agent = await startTestAgent({
      policies: `${providers}---\n${policy}`,
    });
    host = await startJobHost();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'hoop'), `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, 'bin/run.js')} "$@"\n`);
    chmodSync(join(bin, 'hoop'), 0o755);
  });

  afterAll(async () => {
    host.close();
    await agent.close();
    for (const issuer of Object.values(issuers)) await issuer.close();
  });

  beforeEach(() => agent.postgres.sql('DROP TABLE IF EXISTS prices', agent.database));

  const sign = (issuer: LocalIssuer, claims: object, audience = 'hoop-ci'): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    return key.sign({ iss: issuer.issuer, aud: audience, iat: now, exp: now + 300, ...claims }, { typ: 'JWT' });
  };

  /** GitHub's own: gives the job a token for the audience asked, to who shows the job's key. */
  async function startJobHost(): Promise<Server> {
    const server = createServer((request, response) => {
      const audience = new URL(request.url ?? '', 'http://x').searchParams.get('audience') ?? '';
      const known = request.headers.authorization === 'bearer the-job';
      void sign(issuers.github, GITHUB, audience).then((value) => {
        response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
        response.end(JSON.stringify(known ? { value } : {}));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** Runs lines of a job in its folder, as the runner does. */
  function run(script: string, env: Readonly<Record<string, string>>): Promise<Ended> {
    return new Promise((resolve) => {
      const all = {
        PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
        HOME: folder,
        HOOP_CONFIG_DIR: folder,
        ...env,
        HOOP_AGENT_URL: agent.agent.url,
      };
      execFile('bash', ['-e', '-c', script], { cwd: CI, env: all }, (error, stdout, stderr) => {
        resolve({ status: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
      });
    });
  }

  const github = (): { readonly script: string; readonly env: Record<string, string> } => {
    const job = parse(read('github-actions.yml')).jobs.migrate;
    return {
      script: job.steps.find((step: { name?: string }) => step.name === 'migrate').run,
      env: {
        HOOP_RUN: GITHUB.run_id,
        ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(host.address() as AddressInfo).port}/token?api-version=2`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'the-job',
        // Of GitHub's own address hoop knows the audience from the agent; this issuer has another.
        HOOP_TOKEN_AUDIENCE: 'hoop-ci',
      },
    };
  };

  it('GitHub Actions: the step migrates with the job’s own token', async () => {
    const { script, env } = github();
    const { status, stdout, stderr } = await run(script, env);
    expect([status, stdout, stderr]).toEqual([0, '{"rows":2}\n', expect.stringContaining('COPY 2')]);
  });

  it('GitLab: the script migrates with the token that the job is given', async () => {
    const job = parse(read('gitlab-ci.yml')).migrate;
    expect(job.id_tokens.HOOP_TOKEN.aud).toBe('hoop-ci');
    const token = await sign(issuers.gitlab, GITLAB);
    const { status, stdout } = await run(job.script.join('\n'), { HOOP_TOKEN: token, HOOP_RUN: GITLAB.pipeline_id });
    expect([status, stdout]).toEqual([0, '{"rows":2}\n']);
  });

  it.each([
    ['a branch that is not protected', { ref: 'feature', ref_protected: 'false' }],
    ['somebody else’s project', { project_path: 'evil/shop' }],
  ])('GitLab: %s is refused with status 3, and the log names the hop', async (_name, claims) => {
    const token = await sign(issuers.gitlab, { ...GITLAB, ...claims });
    const { status, stdout, stderr } = await run('./migrate.sh postgres migration.sql prices', { HOOP_TOKEN: token });
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/FAIL\s+token/);
  });

  it('what policy forbids ends the job with status 5, and nothing of it is applied', async () => {
    writeFileSync(join(folder, 'bad.sql'), 'CREATE TABLE prices (sku text); DELETE FROM customers;');
    const { script, env } = github();
    const { status, stderr } = await run(script.replace('migration.sql', join(folder, 'bad.sql')), env);
    expect([status, stderr]).toEqual([5, expect.stringContaining('policy forbids this migration')]);
    expect(await agent.postgres.sql(`SELECT to_regclass('prices') AS t`, agent.database)).toEqual([{ t: null }]);
  });
});
