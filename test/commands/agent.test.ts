import { spawn } from 'node:child_process';
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildCli, runHoop, startHoop } from '../support/built-cli.js';
import type { Running } from '../support/built-cli.js';
import { gone } from '../support/processes.js';
import { makeFolder } from '../support/folders.js';

const HOOP = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const ENV = { HOOP_ISSUER: 'http://127.0.0.1:9', HOOP_CLIENT_ID: 'hoop-cli', PG_APP_PASSWORD: 'planted-password' };
/** What `hoop agent init` wrote once. */
let starter: string;
let folder: string;
let dir: string;
let running: Running[];

beforeAll(async () => {
  await buildCli();
  starter = join(makeFolder('starter'), 'agent');
  expect((await runHoop(['agent', 'init', starter], {})).status).toBe(0);
});
beforeEach(() => {
  folder = makeFolder('agent-test');
  dir = join(folder, 'agent');
  running = [];
});
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ finished }) => finished));
});

function init(port = 0): void {
  cpSync(starter, dir, { recursive: true });
  change('agent.yaml', /port: \d+/, `port: ${String(port)}`);
}

function change(file: string, from: RegExp, to: string): void {
  const path = join(dir, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(path, text.replace(from, to));
}

async function startAgent(
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly agent: Running; readonly url: string }> {
  const agent = startHoop(['agent', 'start', '--config', dir, '--json'], { ...ENV, ...env });
  running.push(agent);
  const [line] = await agent.printed(/^\{.*\}$/m);
  const { event, url } = JSON.parse(line) as { readonly event: string; readonly url: string };
  expect(event).toBe('listening');
  return { agent, url };
}

describe('hoop agent init', () => {
  it('writes files for the owner alone, and 32 bytes of key that differ each time', async () => {
    await runHoop(['agent', 'init', dir], {});
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    const key = readFileSync(join(dir, 'master.key'), 'utf8');
    expect(statSync(join(dir, 'master.key')).mode & 0o777).toBe(0o600);
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    const other = join(folder, 'other');
    await runHoop(['agent', 'init', other], {});
    expect(readFileSync(join(other, 'master.key'), 'utf8')).not.toBe(key);
  });

  it('overwrites nothing: with one of its files there it exits 1 and writes none', async () => {
    init();
    const key = readFileSync(join(dir, 'master.key'), 'utf8');
    rmSync(join(dir, 'identity.yaml'));
    const { status, stderr } = await runHoop(['agent', 'init', dir], {});
    expect(status).toBe(1);
    expect(stderr).toContain('error: agent.yaml is there already');
    expect(readFileSync(join(dir, 'master.key'), 'utf8')).toBe(key);
    expect(() => statSync(join(dir, 'identity.yaml'))).toThrow();
  });
});

describe('hoop agent start --validate', () => {
  it('tells every fault as FILE:LINE:COLUMN and exits 1', async () => {
    init();
    change('agent.yaml', /listen:/, 'lisen:');
    const { status, stdout, stderr } = await runHoop(['agent', 'start', '--config', dir, '--validate'], {});
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^\S+agent\.yaml:\d+:\d+: unknown key `lisen`; did you mean `listen`\?$/m);
    expect(stderr).toMatch(/^\S+identity\.yaml:\d+:\d+: the environment variable `HOOP_ISSUER` is not set$/m);
    expect(stderr).toContain('error: the resource files have 3 faults');
  });

  it('looks whether secrets are there, and opens nothing', async () => {
    init();
    const good = await runHoop(['agent', 'start', '--config', dir, '--validate', '--json'], ENV);
    expect([good.status, good.stdout]).toEqual([0, '{"valid":true,"connections":1,"policies":2}\n']);
    const { status, stderr } = await runHoop(['agent', 'start', '--config', dir, '--validate'], {
      ...ENV,
      PG_APP_PASSWORD: '',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('connection postgres: a secret is empty');
    expect(() => statSync(join(dir, 'state'))).toThrow();
  });
});

describe('hoop agent start', { timeout: 120_000 }, () => {
  it('listens, keeps its files private, and ends with 0 on SIGTERM', async () => {
    init();
    const { agent, url } = await startAgent();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(statSync(join(dir, 'state', 'hoop.db')).mode & 0o077).toBe(0);
    agent.child.kill('SIGTERM');
    const { status, stderr } = await agent.finished;
    expect(status).toBe(0);
    expect(stderr).not.toContain('planted-password');
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(lines.map(({ msg }) => msg)).toEqual(['listening', 'draining', 'ended']);
    expect(lines[0]).toMatchObject({ level: 'info', url, version: expect.stringMatching(/^\d/) });
  });

  it('says at the start which connection has no secret yet, and with --log-level warn nothing else', async () => {
    init();
    const { agent } = await startAgent({ PG_APP_PASSWORD: '', HOOP_LOG_LEVEL: 'warn' });
    agent.child.kill('SIGTERM');
    const { status, stderr } = await agent.finished;
    expect(status).toBe(0);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      expect.objectContaining({
        level: 'warn',
        msg: 'connection postgres can not be used yet: a secret is empty',
        why: 'environment variable PG_APP_PASSWORD',
      }),
    ]);
  });

  it('does not start under a debugger, and SIGUSR1 opens none', async () => {
    init();
    const debugged = await runHoop(['agent', 'start', '--config', dir], {
      ...ENV,
      NODE_OPTIONS: '--inspect=127.0.0.1:0',
    });
    expect(debugged.status).toBe(2);
    expect(debugged.stderr).toContain('error: the agent does not run with --inspect');
    const { agent, url } = await startAgent();
    agent.child.kill('SIGUSR1');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    agent.child.kill('SIGTERM');
    expect((await agent.finished).stderr).not.toContain('Debugger listening');
  });

  it('goes on after an exception and a rejection nobody caught, and logs none of their words', async () => {
    init();
    const thrower = join(folder, 'thrower.mjs');
    writeFileSync(
      thrower,
      "process.on('SIGUSR2', () => { void Promise.reject(new TypeError('card 4111 1111 1111 1111')); throw new RangeError('card 4111 1111 1111 1111'); });",
    );
    const { agent, url } = await startAgent({ NODE_OPTIONS: `--import=${thrower}` });
    agent.child.kill('SIGUSR2');
    await agent.said(/RangeError.*unforeseen exception/);
    await agent.said(/TypeError.*unforeseen rejection/);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    agent.child.kill('SIGTERM');
    const { status, stderr } = await agent.finished;
    expect(status).toBe(0);
    expect(stderr).not.toContain('4111');
  });

  it('reloads on SIGHUP and when a file changes; a bad file leaves what runs and says where', async () => {
    init();
    const { agent, url } = await startAgent();
    agent.child.kill('SIGHUP');
    await agent.said(/"msg":"reloaded"/);
    change('connections.yaml', /type: postgres/, 'typ: postgres');
    await agent.said(/not reloaded: \S+connections\.yaml:\d+:\d+: unknown key `typ`/);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('exits 1 when its port is taken', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    init((holder.address() as AddressInfo).port);
    const { status, stdout } = await runHoop(['agent', 'start', '--config', dir, '--json'], ENV);
    await new Promise((resolve) => holder.close(resolve));
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'port_taken' } });
  });

  it('ends when the process that started it with a channel has gone', async () => {
    init();
    const child = spawn(process.execPath, [HOOP, 'agent', 'start', '--config', dir, '--json'], {
      env: { ...process.env, ...ENV },
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.disconnect();
    await gone(child.pid as number, 15_000);
  });
});
