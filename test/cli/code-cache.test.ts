import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../src/cli/code-cache.js';
import { buildCli } from '../support/built-cli.js';
import { makeFolder } from '../support/folders.js';

const BUILT = fileURLToPath(new URL('../../dist/src/cli/code-cache.js', import.meta.url));
/** Says whether V8 took what was kept, what the script exports, and that it can import(). */
const PROGRAM = `
import { Script } from 'node:vm';
import { syncBuiltinESMExports } from 'node:module';
import vm from 'node:vm';
let kept = 'none';
vm.Script = class extends Script {
  constructor(code, options) {
    super(code, options);
    if (options.cachedData !== undefined) kept = this.cachedDataRejected ? 'rejected' : 'taken';
  }
};
syncBuiltinESMExports();
const { loadScript } = await import(process.argv[1]);
const script = loadScript(process.argv[2], 'word', process.env);
console.log(kept, script.answer(), await script.later());
`;

let folder: string;
let script: string;

beforeAll(buildCli);

beforeEach(() => {
  folder = makeFolder('code');
  script = join(folder, 'script.cjs');
  writeFileSync(join(folder, 'beside.mjs'), 'export const word = "beside";');
  writeFileSync(
    script,
    `exports.answer = () => 'answer'; exports.later = async () => (await __import('./beside.mjs')).word;`,
  );
});

function run(env: Record<string, string> = {}, path = script, program = PROGRAM): string {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program, BUILT, path], {
    env: { PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), ...env },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.trim();
}

const cache = (): string => join(folder, 'cache', 'hoop', 'code');
const kept = (): string => join(cache(), readdirSync(cache())[0] ?? '');

describe('the code cache', () => {
  it('takes what V8 compiled the last time, and the script can import() with it', () => {
    expect([run(), run()]).toEqual(['none answer beside', 'taken answer beside']);
    expect(statSync(kept()).mode & 0o777).toBe(0o600);
    expect(statSync(cache()).mode & 0o777).toBe(0o700);
  });

  it('takes what was compiled where memory is spared, as for hoop replay', () => {
    const sparing = PROGRAM.replace(
      'const script',
      "(await import(new URL('heap-flags.js', new URL(process.argv[1], 'file:')).href)).spareMemory();\nconst script",
    );
    expect([run({}, script, sparing), run({}, script, sparing)]).toEqual(['none answer beside', 'taken answer beside']);
  });

  it('takes nothing that somebody else could have written', () => {
    run();
    chmodSync(kept(), 0o666);
    expect(run()).toBe('none answer beside');
    // It is written anew, for this user alone.
    expect(statSync(kept()).mode & 0o777).toBe(0o600);
    expect(run()).toBe('taken answer beside');
  });

  it('goes on with a damaged file, and replaces it', () => {
    run();
    writeFileSync(kept(), readFileSync(kept()).subarray(0, 100));
    expect(run()).toBe('rejected answer beside');
    expect(run()).toBe('taken answer beside');
  });

  it('keeps one build: a script that changed leaves nothing behind', () => {
    run();
    const before = kept();
    writeFileSync(script, `${readFileSync(script, 'utf8')}\n// changed`);
    expect(run()).toBe('none answer beside');
    expect(readdirSync(cache())).toHaveLength(1);
    expect(kept()).not.toBe(before);
  });

  it('keeps two scripts beside each other', () => {
    const other = join(folder, 'script-of-more.cjs');
    copyFileSync(script, other);
    expect([run(), run({}, other)]).toEqual(['none answer beside', 'none answer beside']);
    expect([run(), run({}, other)]).toEqual(['taken answer beside', 'taken answer beside']);
  });

  it('does without where nothing can be kept, and where it is turned off', () => {
    mkdirSync(join(folder, 'cache'));
    writeFileSync(join(folder, 'cache', 'hoop'), 'a file, no folder');
    expect(run()).toBe('none answer beside');
    rmSync(join(folder, 'cache'), { recursive: true });
    expect(run({ NODE_DISABLE_COMPILE_CACHE: '1' })).toBe('none answer beside');
    expect(() => readdirSync(join(folder, 'cache'))).toThrow('ENOENT');
  });

  it('lies where each platform keeps such things, and not at a relative path', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/x/hoop');
    expect(cacheFolder({ XDG_CACHE_HOME: 'x' }, 'linux')).toMatch(/^\/.*\/\.cache\/hoop$/);
    expect(cacheFolder({}, 'darwin')).toMatch(/Library\/Caches\/hoop$/);
    expect(cacheFolder({ LOCALAPPDATA: '/local' }, 'win32')).toBe('/local/hoop/Cache');
  });
});
