import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plantTree, type PlantedTree } from './planted-tree.js';

const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** What a pure room might reach for, and the name the compiler must not know. */
const impurities = [
  ['src/core/buffer.ts', 'export const x = Buffer.alloc(1);', 'Buffer'],
  ['src/policy/process.ts', 'export const x = process.env;', 'process'],
  ['src/masking/fetch.ts', "export const x = fetch('');", 'fetch'],
  ['src/protocols/timer.ts', 'export const x = setTimeout(() => undefined, 1);', 'setTimeout'],
  ['src/core/module.ts', "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;", 'node:fs'],
  ['src/core/web-crypto.ts', 'export const x = crypto.getRandomValues(new Uint8Array(1));', 'crypto'],
] as const;

describe('purity by compiler', () => {
  let tree: PlantedTree;
  let output: string;

  beforeAll(async () => {
    tree = plantTree(['package.json', 'tsconfig.json', 'tsconfig.pure.json', 'src/core']);
    for (const [path, text] of impurities) tree.write(path, `${text}\n`);
    const run = promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.pure.json'], { cwd: tree.root });
    output = await run.then(
      () => 'nothing was refused',
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  });

  afterAll(() => {
    tree.remove();
  });

  it.each(impurities)('refuses %s', (path, _text, name) => {
    const line = output.split('\n').find((each) => each.startsWith(`${path}(`));
    expect(line, output).toContain(`'${name}'`);
  });

  it('refuses nothing else', () => {
    const files = new Set(
      output
        .split('\n')
        .filter((line) => line.includes('error TS'))
        .map((line) => line.split('(')[0]),
    );
    expect([...files].sort()).toEqual(impurities.map(([path]) => path as string).sort());
  });
});
