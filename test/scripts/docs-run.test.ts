import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { pageBlocks, shownMissing } from '../../scripts/docs/page-blocks.js';
import { buildCli } from '../support/built-cli.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('docs/getting-started.md', () => {
  beforeAll(buildCli);

  it('shows what its commands give, each run against a real trial stack', { timeout: 300_000 }, async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/docs-run.ts'], { cwd: ROOT });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(said).toMatch(/every command did what the page says\n$/);
    expect(status).toBe(0);
  });
});

describe('a page that is run', () => {
  const page = (info: string): string =>
    `# Page\n\n\`\`\`sh ${info}\necho 1\necho 2\n\`\`\`\n\n\`\`\`text shows\n1\n…\n\`\`\`\n`;

  it('names the terminal, the exit status and the time of each block of commands, and what it shows', () => {
    expect(pageBlocks(page('terminal=a status=5 within=30s'))).toEqual([
      {
        line: 3,
        terminal: 'a',
        commands: 'echo 1\necho 2',
        shows: ['1', '…'],
        waits: false,
        status: 5,
        browser: undefined,
        needs: undefined,
        withinMs: 30_000,
      },
    ]);
  });

  it('has no commands that nobody runs, no words that mean nothing, and no block without an end', () => {
    expect(() => pageBlocks(page(''))).toThrow('line 3: in which terminal');
    expect(() => pageBlocks(page('terminal=a statsu=5'))).toThrow('line 3: what is statsu?');
    expect(() => pageBlocks('```sh terminal=a\necho')).toThrow('line 1: the block does not end');
  });

  it('misses the first line that was not shown, or not in its order', () => {
    const output = 'NAME  TYPE   \npostgres  postgres  open\n(1 row)\n';
    expect(shownMissing(['NAME  TYPE', '…', '(1 row)'], output)).toBeUndefined();
    expect(shownMissing(['post…open'], output)).toBeUndefined();
    expect(shownMissing(['post…closed'], output)).toBe('the line: post…closed');
    expect(shownMissing(['(1 row)', 'NAME  TYPE'], output)).toBe('the line: NAME  TYPE');
    expect(shownMissing(['(1.row)'], output)).toBe('the line: (1.row)');
  });
});
