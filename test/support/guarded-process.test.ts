import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { guard } from './guarded-process.js';
import { makeFolder } from './folders.js';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a guarded process', () => {
  it('ends by TERM, also when it does nothing about signals, and its folder goes', async () => {
    const folder = makeFolder('guard');
    const script = 'console.log("started"); setInterval(() => undefined, 1000)';
    const child = guard([process.execPath, '-e', script], { folder });
    await child.outputMatching(/started/);
    const pid = child.pid() ?? 0;
    expect(isAlive(pid)).toBe(true);
    const started = performance.now();
    await child.stop();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  it('lets a program that handles TERM say its last words', async () => {
    const script =
      'process.on("SIGTERM", () => { console.log("goodbye"); process.exit(); }); setInterval(() => undefined, 1000); console.log("started")';
    const child = guard([process.execPath, '-e', script]);
    await child.outputMatching(/started/);
    await child.stop();
    expect(child.output()).toContain('goodbye');
  });

  it('says with its output that a program ended before it was ready', async () => {
    const child = guard([process.execPath, '-e', 'console.error("no such luck"); process.exit(3)']);
    await expect(child.outputMatching(/ready/)).rejects.toThrow(/no such luck/);
  });

  it('gives the program nothing of the environment but what is given', async () => {
    const child = guard([process.execPath, '-p', 'Object.keys(process.env).sort().join()'], { env: { GIVEN: '1' } });
    await child.outputMatching(/GIVEN/);
    expect(child.output()).toMatch(/^GIVEN,LC_ALL,PATH(,PWD)?(,OLDPWD)?(,SHLVL)?(,_)?\s*$/);
    await child.stop();
  });
});
