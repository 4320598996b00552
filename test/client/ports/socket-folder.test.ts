import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, lchownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareSocketFolder } from '../../../src/client/ports/socket-folder.js';
import { makeFolder } from '../../support/folders.js';

const isRoot = process.getuid?.() === 0;

function folder(mode: number): string {
  const made = join(makeFolder('folder'), 'of');
  mkdirSync(made);
  chmodSync(made, mode);
  return made;
}

describe.skipIf(process.getuid === undefined)('prepareSocketFolder', () => {
  it('makes a missing folder for this user alone', async () => {
    const path = join(folder(0o700), 'a', 's');
    await prepareSocketFolder(path);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('takes a folder of one’s own, and one like /tmp', async () => {
    await prepareSocketFolder(join(folder(0o755), 's'));
    await prepareSocketFolder(join(folder(0o1777), 's'));
  });

  it.each([0o777, 0o775, 0o773])('refuses mode %o: others could put a socket there', async (mode) => {
    await expect(prepareSocketFolder(join(folder(mode), 's'))).rejects.toMatchObject({
      code: 'usage',
      why: 'others may put files there in the place of yours',
    });
  });

  it.runIf(isRoot)('refuses a folder of another user, and a link of theirs to one of mine (needs root)', async () => {
    const theirs = folder(0o755);
    chownSync(theirs, 65_534, 65_534);
    await expect(prepareSocketFolder(join(theirs, 's'))).rejects.toMatchObject({ why: 'it belongs to another user' });
    const link = join(folder(0o755), 'link');
    symlinkSync(folder(0o700), link);
    await prepareSocketFolder(join(link, 's'));
    lchownSync(link, 65_534, 65_534);
    await expect(prepareSocketFolder(join(link, 's'))).rejects.toMatchObject({ why: 'it belongs to another user' });
  });

  it('says so where the folder can not be made', async () => {
    await expect(prepareSocketFolder(join(folder(0o700), 'a', 'b', 's'))).rejects.toMatchObject({
      message: 'the folder of the socket file is not there and can not be made',
    });
  });
});
