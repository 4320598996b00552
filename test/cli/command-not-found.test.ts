import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { refuseUnknown } from '../../src/cli/command-not-found.js';
import type { HoopError } from '../../src/core/errors.js';
import { buildCli, runHoop } from '../support/built-cli.js';

let config: Config;

beforeAll(async () => {
  await buildCli();
  config = await Config.load(fileURLToPath(new URL('../..', import.meta.url)));
});

function refusal(line: string): HoopError | undefined {
  try {
    refuseUnknown(line.split(' '), config);
    return undefined;
  } catch (error) {
    return error as HoopError;
  }
}

describe('words that are no command', () => {
  it.each([
    ['conect postgres', 'hoop connect'],
    ['ecxec postgres -i x', 'hoop exec'],
    ['connexions', 'hoop connections'],
    ['agnet start', 'hoop agent'],
    ['agent strat --config x', 'hoop agent start'],
    ['start', 'hoop agent start'],
  ])('`hoop %s` is answered with `%s`', (line, meant) => {
    expect(refusal(line)).toMatchObject({ code: 'usage', suggestion: expect.stringContaining(`\`${meant}\`?`) });
  });

  it.each(['--jsn ls', '--wait 1s exec', '--json'])('`hoop %s` lacks its command', (line) => {
    expect(refusal(line)).toMatchObject({ code: 'usage', message: 'a command is missing before the flags' });
  });

  it.each(['--help', '--json --help', '-h', '--version'])('`hoop %s` needs none', (line) => {
    expect(refusal(line)).toBeUndefined();
  });

  it('names no command that is far from what was typed', () => {
    expect(refusal('xyzzyplugh')?.suggestion).toBe('`hoop --help` lists the commands');
  });

  it('says of `hoop mcp` that a later version has it', () => {
    expect(refusal('mcp')).toMatchObject({ code: 'not_in_version', message: '`hoop mcp` is not in this version' });
  });

  it.each(['connect a', 'ls', 'agent start', 'agent', '--help', 'exec pg -- nonsense'])('passes `hoop %s`', (line) => {
    expect(refusal(line)).toBeUndefined();
  });

  it('fail with status 2: three lines on stderr, or one object on stdout', async () => {
    const plain = await runHoop(['conect'], {});
    expect([plain.status, plain.stdout, plain.stderr.split('\n')[0]]).toEqual([
      2,
      '',
      'error: there is no such command',
    ]);
    const json = await runHoop(['agent', 'strat', '--json'], {});
    expect([json.status, json.stderr, JSON.parse(json.stdout)]).toMatchObject([2, '', { error: { code: 'usage' } }]);
  });
});

describe('a word behind a command that takes none', () => {
  it.each(['whoami extra', 'connections extra', 'ls extra --json', 'profile list extra'])('`hoop %s`', (line) => {
    expect(refusal(line)).toMatchObject({ code: 'usage', message: 'unexpected argument: extra' });
  });

  it('is told as every failure is, in each spelling of --json', async () => {
    const plain = await runHoop(['whoami', 'extra'], {});
    expect([plain.status, plain.stdout, plain.stderr.trimEnd().split('\n').length]).toEqual([2, '', 3]);
    const json = await runHoop(['whoami', 'extra', '-o', 'json'], {});
    expect([json.status, json.stderr, JSON.parse(json.stdout)]).toMatchObject([2, '', { error: { code: 'usage' } }]);
  });
});

describe('the help of a command that runs another', () => {
  it.each(['exec', 'connect'])('hoop %s says where that one stands', async (name) => {
    expect((await runHoop([name, '--help'], {})).stdout).toMatch(/\$ hoop .* \[-- COMMAND\.\.\.\]/);
  });
});

describe('flags and arguments that are wrong', () => {
  it.each([
    [['exec', 'pg', '--fromat', 'csv'], 'did you mean --format?'],
    [['exec', 'pg', '--single-trasaction'], 'did you mean --single-transaction?'],
    [['exec', 'pg', '-X'], 'run the command with --help'],
    [['exec'], 'run the command with --help'],
  ])('`hoop %j` fails with status 2: %s', async (args, suggestion) => {
    const { status, stdout, stderr } = await runHoop(args, {});
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(suggestion);
    if (args.length === 1) expect(stderr).toMatch(/^error: CONNECTION is missing\n/);
  });
});
