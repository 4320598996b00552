import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildCli } from '../support/built-cli.js';
import { processesNaming } from '../support/processes.js';
import { makeFolder } from '../support/folders.js';

// What scripts/demo starts after installing and building; those two are done here already.
const DEMO = fileURLToPath(new URL('../../dist/src/dev/demo.js', import.meta.url));
let folder: string;

beforeAll(buildCli);
beforeEach(() => {
  folder = makeFolder('demo-test');
});

function runDemo(
  onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [DEMO], {
    env: { ...process.env, TMPDIR: folder, HOOP_AGENT_URL: 'http://127.0.0.1:1', HOOP_TOKEN: 'not-for-the-demo' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput(output, (signal) => child.kill(signal));
    });
  }
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, output })));
}

describe('the demo', () => {
  it('shows every step and ends with 0 within a minute, leaving no process and no file', async () => {
    const { status, output } = await runDemo();
    expect(output).toContain('The tour is done');
    expect(status).toBe(0);
    expect(output.match(/✓/g)?.length).toBeGreaterThanOrEqual(25);
    const seconds = Number(/checks held, in ([\d.]+) s/.exec(output)?.[1]);
    expect(seconds).toBeLessThan(60);
    expect(readdirSync(folder)).toEqual([]);
    expect(processesNaming(folder)).toEqual([]);
  }, 120_000);

  it('cleans up when it is ended in the middle, and says so by its status', async () => {
    const { status, output } = await runDemo((text, kill) => {
      if (text.includes('3. ')) kill('SIGTERM');
    });
    expect(status).toBe(128 + 15);
    expect(output).toContain('ended by SIGTERM');
    expect(readdirSync(folder)).toEqual([]);
    expect(processesNaming(folder)).toEqual([]);
  }, 120_000);
});
