import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildCli, startHoop } from '../support/built-cli.js';
import type { Running } from '../support/built-cli.js';
import { gone, isRunning, processesNaming } from '../support/processes.js';
import { makeFolder } from '../support/folders.js';

interface Told {
  readonly event: string;
  readonly agentUrl: string;
  readonly agentPid: number;
  readonly agentDir: string;
  readonly issuer: string;
}

const RUNNING = /^\{"event":"running".*\}$/m;
let folder: string;

beforeAll(buildCli);
beforeEach(() => {
  folder = makeFolder('dev-test');
});

function start(...args: readonly string[]): Running {
  return startHoop(['dev', ...args], { TMPDIR: folder });
}

async function told(dev: Running): Promise<Told> {
  const [line] = await dev.printed(RUNNING);
  return JSON.parse(line) as Told;
}

it.each(['oidc-provider', '@electric-sql/pglite'])('says so where an install left out %s', async (name) => {
  const hook = `export const resolve = (asked, context, next) => {
    if (asked === ${JSON.stringify(name)}) throw Object.assign(new Error('not here'), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(asked, context);
  };`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)});`;
  const file = join(folder, 'without.mjs');
  writeFileSync(file, register);
  const dev = startHoop(['dev'], { TMPDIR: folder, NODE_OPTIONS: `--import=${file}` });
  const { status, stderr } = await dev.finished;
  expect(stderr).toContain('error: the trial stack is not installed');
  expect(stderr).toContain('--omit=optional');
  expect(status).toBe(1);
});

// Each starts a database and two programs: many seconds where the machine is busy.
describe('hoop dev', { timeout: 120_000 }, () => {
  it('runs a stack that answers, and leaves no process, port or file after Ctrl-C', async () => {
    const dev = start('--json');
    const { agentUrl, agentPid, agentDir, issuer } = await told(dev);
    expect((await fetch(`${agentUrl}/readyz`)).status).toBe(200);
    expect((await fetch(`${issuer}/.well-known/openid-configuration`)).status).toBe(200);
    expect(statSync(agentDir).mode & 0o077).toBe(0);
    expect(isRunning(agentPid)).toBe(true);

    dev.child.kill('SIGINT');
    const { status } = await dev.finished;
    expect(status).toBe(0);
    expect(isRunning(agentPid)).toBe(false);
    await expect(fetch(agentUrl)).rejects.toThrow();
    await expect(fetch(issuer)).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([]);
    expect(processesNaming(folder)).toEqual([]);
  });

  it('says without colours what to type where it is no terminal, keeps the files where --keep says, for their owner alone, and ends on SIGTERM too', async () => {
    const kept = join(folder, 'kept');
    const agentDir = join(kept, 'agent');
    const dev = start('--keep', kept);
    await dev.printed(/hoop verify/);
    dev.child.kill('SIGTERM');
    const { status, stdout } = await dev.finished;
    expect(status).toBe(0);
    expect(stdout).not.toMatch(/\u001b/);
    for (const part of [
      'HOOP_AGENT_URL=http://127.0.0.1:',
      'hoop login',
      'hoop connect postgres',
      'DELETE FROM customers',
      'UPDATE payments',
      'hoop approve',
      'hoop sessions',
      'hoop replay',
      join(agentDir, 'policies'),
    ]) {
      expect(stdout).toContain(part);
    }
    expect(readdirSync(folder)).toEqual(['kept']);
    expect(existsSync(join(agentDir, 'policies', 'standard-sql.yaml'))).toBe(true);
    expect(statSync(join(agentDir, 'master.key')).mode & 0o777).toBe(0o600);
  });

  it('takes the agent along when it is killed', async () => {
    const dev = start('--json');
    const { agentPid } = await told(dev);
    dev.child.kill('SIGKILL');
    await dev.finished;
    await gone(agentPid, 15_000);
  });

  it('says so and fails when the agent is killed', async () => {
    const dev = start('--json');
    const { agentPid } = await told(dev);
    process.kill(agentPid, 'SIGKILL');
    const { status, stdout } = await dev.finished;
    expect(status).toBe(1);
    expect(stdout).toContain('the agent ended by itself: SIGKILL');
    expect(readdirSync(folder)).toEqual([]);
  });
});
