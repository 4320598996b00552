import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { resourcesFingerprint, watchResources } from '../../../src/agent/resources/watch-resources.js';
import { readConfigFiles } from '../../../src/config/read-files.js';
import { makeFolder } from '../../support/folders.js';

describe('the fingerprint of resource files', () => {
  let root: string;
  let dir: string;

  beforeEach(() => {
    root = makeFolder('watch');
    dir = join(root, 'config');
    mkdirSync(join(dir, 'recordings', '2026-11-28'), { recursive: true });
    mkdirSync(join(root, 'policies'));
    writeFileSync(join(dir, 'agent.yaml'), 'a');
    writeFileSync(join(root, 'policies', 'p.yml'), 'p');
    symlinkSync(join(root, 'policies'), join(dir, 'policies'));
  });

  it('changes with a file, also in a folder that a link leads to, and with nothing else below', async () => {
    const first = await resourcesFingerprint(dir);
    writeFileSync(join(dir, 'recordings', '2026-11-28', 'x.ndjson'), '{}');
    expect(await resourcesFingerprint(dir)).toBe(first);
    writeFileSync(join(root, 'policies', 'p.yml'), 'longer');
    const second = await resourcesFingerprint(dir);
    expect(second).not.toBe(first);
    writeFileSync(join(root, 'policies', 'q.yaml'), 'q');
    expect(await resourcesFingerprint(dir)).not.toBe(second);
  });

  it('is looked at again and again: a change in a linked folder is told once', async () => {
    let told = 0;
    const watch = watchResources(dir, await resourcesFingerprint(dir), () => (told += 1));
    writeFileSync(join(root, 'policies', 'p.yml'), 'longer');
    await expect.poll(() => told, { timeout: 20_000 }).toBe(1);
    watch.close();
  });

  it('waits for no pipe that is called like a resource file: it is no file', async () => {
    execFileSync('mkfifo', [join(dir, 'pipe.yaml')]);
    const { files, faults } = await readConfigFiles(dir);
    expect(files.map(({ text }) => text)).toEqual(['a', 'p']);
    expect(faults).toEqual([{ file: join(dir, 'pipe.yaml'), line: 1, column: 1, message: 'not a file' }]);
  });
});
