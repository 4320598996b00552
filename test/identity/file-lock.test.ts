import { spawn } from 'node:child_process';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { withFileLock } from '../../src/identity/file-lock.js';
import { makeFolder } from '../support/folders.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = makeFolder('lock');
  path = join(folder, 'a.lock');
});

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid as number;
}

describe('withFileLock', () => {
  it('lets one of 10 work at a time and leaves nothing behind', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 10 }, () => withFileLock(path, work, { waitMs: 10_000 })));
    expect([most, readdirSync(folder)]).toEqual([1, []]);
  });

  it('is given back when the work throws', async () => {
    await expect(withFileLock(path, () => Promise.reject(new Error('x')), { waitMs: 0 })).rejects.toThrow('x');
    expect(existsSync(path)).toBe(false);
  });

  it('gives up after the wait while a living process holds it', async () => {
    writeFileSync(path, `${process.pid} ${hostname()} x`);
    await expect(withFileLock(path, async () => undefined, { waitMs: 100 })).rejects.toMatchObject({ code: 'failed' });
    expect(existsSync(path)).toBe(true);
  });

  it('is taken over from a dead process, once though 5 wait', async () => {
    writeFileSync(path, `${await deadPid()} ${hostname()} x`);
    let inside = 0;
    const work = async (): Promise<number> => {
      inside += 1;
      await new Promise(setImmediate);
      return (inside -= 1);
    };
    const left = await Promise.all(Array.from({ length: 5 }, () => withFileLock(path, work, { waitMs: 10_000 })));
    expect(left).toEqual([0, 0, 0, 0, 0]);
  });

  it('is not taken over from another machine’s process until it is 90 s old', async () => {
    writeFileSync(path, `${await deadPid()} elsewhere x`);
    await expect(withFileLock(path, async () => undefined, { waitMs: 60 })).rejects.toMatchObject({ code: 'failed' });
    const old = Date.now() / 1000 - 91;
    utimesSync(path, old, old);
    expect(await withFileLock(path, async () => 'mine', { waitMs: 1_000 })).toBe('mine');
  });
});
