import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Config, Flags } from '@oclif/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HoopCommand } from '../../src/cli/base-command.js';
import { HoopError } from '../../src/core/errors.js';
import { makeFolder } from '../support/folders.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A command without a flag that tells a format. */
class Bare extends HoopCommand {
  static asked: boolean | undefined;

  async run(): Promise<void> {
    await this.parse(Bare);
    Bare.asked = this.jsonEnabled();
  }
}

class Probe extends HoopCommand {
  static override flags = { output: Flags.string({ char: 'o', options: ['table', 'json', 'csv'] }) };
  static behave: (probe: Probe) => Promise<void> | void;

  async run(): Promise<void> {
    await this.parse(Probe);
    await Probe.behave(this);
  }

  list(items: readonly { name: string }[]): void {
    this.printList(items, [{ header: 'name', value: ({ name }) => name }], { empty: 'nothing here' });
  }

  json(value: unknown): void {
    this.printJson(value);
  }

  leave(status: number): never {
    return this.exit(status);
  }
}

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

let folder: string;

async function run(argv: readonly string[], behave: (probe: Probe) => Promise<void> | void): Promise<Outcome> {
  const told = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      told[stream] += String(text);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  Probe.behave = behave;
  let status = 0;
  try {
    const config = await Config.load(ROOT);
    await new Probe([...argv], config)['_run']();
  } catch (error) {
    status = (error as { oclif?: { exit?: number } }).oclif?.exit ?? 1;
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
  return { ...told, status };
}

beforeEach(() => {
  folder = makeFolder('base');
  vi.stubEnv('HOOP_CONFIG_DIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const fail = (): never => {
  throw new HoopError('blocked', 'no');
};

describe('HoopCommand', () => {
  it.each([['--json'], ['-o', 'json'], ['-o=json'], ['--output', 'json'], ['--output=json']])(
    'with %s %s tells a failure as one object on stdout and nothing else',
    async (...argv) => {
      const { stdout, stderr, status } = await run(argv, fail);
      expect(JSON.parse(stdout)).toEqual({ error: { code: 'blocked', message: 'no', suggestion: expect.any(String) } });
      expect([stderr, status]).toEqual(['', 5]);
    },
  );

  it.each([
    ['--json'],
    ['-o', 'json'],
    ['-ojson'],
    ['-o=json'],
    ['--output=json'],
    ['--format', 'json'],
    ['--format=json'],
  ])('takes %s %s for --json where the command has no such flag', async (...argv) => {
    await new Bare([...argv], await Config.load(ROOT))['_run']();
    expect(Bare.asked).toBe(true);
  });

  it('refuses another format of a command without one', async () => {
    const bare = new Bare(['-o', 'yaml'], await Config.load(ROOT));
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const before = process.exitCode;
    await expect(bare['_run']()).rejects.toMatchObject({ oclif: { exit: 2 } });
    expect(told.mock.calls.join('')).toContain('error: -o takes json here, and nothing else');
    process.exitCode = before;
    told.mockRestore();
  });

  it.each([[], ['-o', 'csv'], ['-o', 'table']])('without it (%s %s) tells three lines on stderr', async (...argv) => {
    const { stdout, stderr, status } = await run(argv, fail);
    expect([stdout, status]).toEqual(['', 5]);
    expect(stderr.trimEnd().split('\n')).toHaveLength(3);
  });

  it.each([
    ['--nonsense', '--json'],
    ['--json', 'surplus'],
    ['-o', 'json', '--nonsense'],
    ['--json', '-o', 'xml'],
  ])('tells wrong use (%s %s) as JSON too, exit status 2', async (...argv) => {
    const { stdout, status } = await run(argv, () => undefined);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'usage' } });
    expect(status).toBe(2);
  });

  it('keeps the exit status of this.exit and says nothing about it', async () => {
    expect(await run(['--json'], (probe) => probe.leave(42))).toEqual({ stdout: '', stderr: '', status: 42 });
  });

  it('prints a list as columns, as one JSON array, and an empty one as [] or a remark on stderr', async () => {
    expect((await run([], (probe) => probe.list([{ name: 'a' }]))).stdout).toBe('NAME\na\n');
    expect((await run(['--json'], (probe) => probe.list([{ name: 'a' }]))).stdout).toBe('[{"name":"a"}]\n');
    expect(await run([], (probe) => probe.list([]))).toMatchObject({ stdout: '', stderr: 'nothing here\n' });
    expect(await run(['--json'], (probe) => probe.list([]))).toMatchObject({ stdout: '[]\n', stderr: '' });
  });

  it('writes JSON on one line that means the same and holds nothing a terminal acts on', async () => {
    const value = { text: 'a\u009b2Jb\u202ec\u2028d é 🙂' };
    const { stdout } = await run(['--json'], (probe) => probe.json(value));
    expect(JSON.parse(stdout)).toEqual(value);
    expect(stdout.trimEnd()).toMatch(/^[\u0020-\u007e\u00a0-\u2027\u202f-\uffff]*$/);
  });

  it('takes the agent from --agent, else HOOP_AGENT_URL, else fails with config_missing', async () => {
    const show = (probe: Probe): void => probe.json(probe['agentApi']().url);
    expect((await run(['--json'], show)).status).toBe(2);
    vi.stubEnv('HOOP_AGENT_URL', 'https://env.example.com/');
    expect((await run([], show)).stdout).toBe('"https://env.example.com"\n');
    expect((await run(['--agent', 'https://flag.example.com'], show)).stdout).toBe('"https://flag.example.com"\n');
  });

  it.each([
    ['as done', '', 0],
    ['where something was still to run, as SIGPIPE would end it', 'unreadStatus = CUT_SHORT;', 141],
  ])('ends quietly when the reader of stdout leaves: %s', async (_title, member, expected) => {
    const source = `
      import { CUT_SHORT, HoopCommand } from '${ROOT}src/cli/base-command.ts';
      class Endless extends HoopCommand {
        ${member}
        async run() { await this.parse(Endless); for (;;) { this.print('line'.repeat(1000)); await new Promise(setImmediate); } }
      }
      await Endless.run([], '${ROOT}package.json');`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], { cwd: ROOT });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, stderr }).toEqual({ status: expected, stderr: '' });
  });

  it.skipIf(!existsSync('/dev/full'))('tells in three lines that the disk of its output is full', async () => {
    const source = `
      import { HoopCommand } from '${ROOT}src/cli/base-command.ts';
      class Short extends HoopCommand {
        async run() { await this.parse(Short); this.print('one line'); await new Promise((resolve) => setTimeout(resolve, 60_000)); }
      }
      await Short.run([], '${ROOT}package.json');`;
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      cwd: ROOT,
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, lines: stderr.trimEnd().split('\n') }).toEqual({
      status: 1,
      lines: [
        'error: the output can not be written',
        expect.stringContaining('no space left on device'),
        expect.stringMatching(/^do:/),
      ],
    });
  });
});
