import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { candidatesFor } from '../../../src/cli/completion/candidates.js';
import { SCRIPTS, SHELLS, type Shell } from '../../../src/cli/completion/scripts.js';
import { connectionNames } from '../../../src/client/connect/connection-names.js';
import { HoopError } from '../../../src/core/errors.js';
import { buildCli, runHoop } from '../../support/built-cli.js';
import { TunnelEndpoint } from '../../client/tunnel-pair.js';
import { makeFolder } from '../../support/folders.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const folder = makeFolder('completion');
let config: Config;
let agent: TunnelEndpoint;
let env: Record<string, string>;

beforeAll(async () => {
  await buildCli();
  config = await Config.load(ROOT);
  agent = await TunnelEndpoint.open();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'hoop'), `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, 'bin/run.js')} "$@"\n`);
  chmodSync(join(bin, 'hoop'), 0o755);
  env = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    XDG_CACHE_HOME: join(folder, 'cache'),
    HOOP_CONFIG_DIR: folder,
    HOOP_AGENT_URL: agent.url,
    HOOP_TOKEN: 'token',
  };
});

afterAll(() => agent.close());

const words = (line: string): readonly string[] => {
  const candidates = candidatesFor(line.split(' ').slice(1), config.commands);
  return candidates.kind === 'words' ? candidates.words.map(({ word }) => word) : [`:${candidates.kind}`];
};

describe('what may come next', () => {
  it.each([
    ['hoop conn', ['connect', 'connections']],
    ['hoop agent ', ['init', 'rotate-master-key', 'start']],
    ['hoop nonsense ', []],
    ['hoop exec pg --single', ['--single-transaction']],
    ['hoop exec pg --single-transaction --single', []],
    ['hoop exec pg -o ', ['table', 'json', 'csv', 'ndjson']],
    ['hoop exec pg --output=c', ['--output=csv']],
    ['hoop exec pg --output = c', ['--output=csv']],
    ['hoop exec pg -f ', [':files']],
    ['hoop exec pg -i ', []],
    ['hoop exec pg ', []],
    ['hoop exec pg -- ', [':command']],
    ['hoop exec pg -- psql -', [':files']],
    ['hoop verify a ', [':files']],
    ['hoop completion ', [...SHELLS]],
    ['hoop exec ', [':names']],
    ['hoop connect one two', [':names']],
    ['hoop whoami --profile ', [':names']],
  ])('behind `%s`: %j', (line, expected) => {
    expect(words(line)).toEqual(expected);
  });
});

describe('names of connections', () => {
  const listed = [{ name: 'shop', type: 'postgres', access: 'open', labels: {}, database: '' }];
  const ask = (asked: string[], answer: () => Promise<unknown>) => ({
    get: <T>(path: string): Promise<T> => {
      asked.push(path);
      return answer() as Promise<T>;
    },
  });

  it('are asked once a minute, and kept for each agent and profile apart', async () => {
    const asked: string[] = [];
    const api = ask(asked, () => Promise.resolve(listed));
    const owner = { name: 'default', agentUrl: 'https://one' };
    const options = { folder: join(folder, 'names'), owner, api, nowMs: () => Date.now() };
    expect(await connectionNames(options)).toEqual([{ name: 'shop', type: 'postgres' }]);
    await connectionNames(options);
    expect(asked).toHaveLength(1);
    await connectionNames({ ...options, owner: { ...owner, agentUrl: 'https://two' } });
    await connectionNames({ ...options, nowMs: () => Date.now() + 61_000 });
    expect(asked).toHaveLength(3);
  });

  it('stay the old ones where the agent refuses, and are none where there never were any', async () => {
    const api = ask([], () => Promise.reject(new HoopError('not_logged_in', 'not logged in')));
    const owner = { name: 'default', agentUrl: 'https://one' };
    const later = { folder: join(folder, 'names'), owner, api, nowMs: () => Date.now() + 3_600_000 };
    expect(await connectionNames(later)).toEqual([{ name: 'shop', type: 'postgres' }]);
    expect(await connectionNames({ ...later, owner: { name: 'x', agentUrl: 'y' } })).toEqual([]);
  });
});

/** Programs that ask a shell what it completes, and print it a line each. */
const ASK: Readonly<Record<Shell, (line: readonly string[]) => readonly string[]>> = {
  bash: (line) => [
    'bash',
    '-c',
    `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
     _hoop; printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    join(folder, 'bash'),
    ...line,
  ],
  zsh: (line) => [
    'zsh',
    '-fc',
    `compdef() { :; }; _describe() { local e; for e in "\${entries[@]}"; do print -r -- "\${e%%:*}"; done; }
     _files() { print :files; }; source "$1"; shift; words=("$@"); CURRENT=$#; _hoop`,
    'zsh',
    join(folder, 'zsh'),
    ...line,
  ],
  fish: (line) => [
    'fish',
    '-c',
    'source $argv[1]; complete -C "$argv[2]" | string replace -r "\\t.*" ""; true',
    join(folder, 'fish'),
    line.join(' '),
  ],
};

describe.each(SHELLS)('in %s', (shell) => {
  const missing = ((): boolean => {
    try {
      execFileSync(shell, ['-c', 'true']);
      return false;
    } catch {
      return true;
    }
  })();
  const complete = async (...line: string[]): Promise<readonly string[]> => {
    writeFileSync(join(folder, shell), SCRIPTS[shell]);
    const [program = '', ...args] = ASK[shell](line);
    const { stdout } = await promisify(execFile)(program, args, { env, cwd: folder });
    return stdout.trim().split('\n');
  };

  it.skipIf(missing)('commands, values and connections are completed', async () => {
    expect(await complete('hoop', 'conn')).toEqual(['connect', 'connections']);
    expect(await complete('hoop', 'exec', 'po')).toEqual(['postgres']);
    expect(await complete('hoop', 'exec', 'postgres', '-o', 'nd')).toEqual(['ndjson']);
  });
});

it.skipIf(process.platform === 'win32')('bash completes behind =, which it takes for a word of its own', () => {
  writeFileSync(join(folder, 'bash'), SCRIPTS.bash);
  const script = `source "$1"; COMP_WORDS=(hoop exec pg --output = js); COMP_CWORD=5; COMP_LINE="hoop exec pg --output=js"
    COMP_POINT=\${#COMP_LINE}; _hoop; printf '%s\\n' "\${COMPREPLY[@]}"`;
  expect(execFileSync('bash', ['-c', script, 'bash', join(folder, 'bash')], { env, encoding: 'utf8' })).toBe('json\n');
});

it('prints the script of the shell that is named, else of SHELL, else says which there are', async () => {
  expect((await runHoop(['completion', 'fish'], {})).stdout).toBe(SCRIPTS.fish);
  expect((await runHoop(['completion'], { SHELL: '/usr/bin/zsh' })).stdout).toBe(SCRIPTS.zsh);
  const other = await runHoop(['completion', 'tcsh'], {});
  expect([other.status, other.stdout]).toEqual([2, '']);
});
