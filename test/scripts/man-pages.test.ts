import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { roff } from '../../scripts/man-pages.mjs';
import { buildCli } from '../support/built-cli.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
beforeAll(buildCli);

describe('manual pages', () => {
  it('there is one of every command, with each of its flags, and hoop.1 names it', async () => {
    const { commands } = await Config.load(ROOT);
    const main = readFileSync(join(ROOT, 'dist/man/hoop.1'), 'utf8');
    const visible = commands.filter(({ hidden, aliases, id }) => hidden !== true && !aliases.includes(id));
    expect(visible.length).toBeGreaterThan(15);
    for (const { id, flags } of visible) {
      const name = `hoop-${id.replaceAll(':', '-')}`;
      const page = readFileSync(join(ROOT, 'dist/man', `${name}.1`), 'utf8');
      for (const flag of Object.values(flags).filter(({ hidden }) => hidden !== true))
        expect(page).toContain(roff(`--${flag.name}`));
      expect(main).toContain(roff(name));
      expect(page).not.toContain('<%=');
    }
  });

  it('no text acts on roff: backslashes, hyphens, and dots that begin a line', () => {
    expect(roff('.so /etc/x\n\\fB -x')).toBe('\\&.so /etc/x\n\\efB \\-x');
  });

  it('npm links them: package.json names the folder', () => {
    const { directories } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(existsSync(join(ROOT, directories.man, 'hoop-exec.1'))).toBe(true);
  });
});
