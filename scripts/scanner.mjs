// Compiles src/masking/assembly (AssemblyScript) to WebAssembly and holds it in src/masking/chunk-engine-code.ts, so that
// the pure room needs no file and nothing at run time.
//
//   node scripts/scanner.mjs           writes the file where it differs
//   node scripts/scanner.mjs --check   fails where it differs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = new URL('../src/masking/chunk-engine-code.ts', import.meta.url);

/**
 * @param countSteps a module that counts the bytes its finders read, for the test of linear work
 * @returns the module's bytes, the same on every machine
 */
export async function compileScanner({ countSteps = false } = {}) {
  let code;
  const { error, stderr } = await asc.main(
    [
      'src/masking/assembly/index.ts',
      ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '25'],
      ...['--use', `COUNT_STEPS=${countSteps ? 1 : 0}`, '--baseDir', root, '--outFile', 'scanner.wasm'],
    ],
    {
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) code = contents;
      },
    },
  );
  if (error !== null || code === undefined) throw new Error(`the scanner does not compile: ${stderr.toString()}`);
  return code;
}

/** Writes the module where it differs; with `check` only says so, by exit status 1. */
export async function holdScanner({ check = false } = {}) {
  const text = `/** Made by \`node scripts/scanner.mjs\` from \`assembly/\`: the module in base64. */
export const SCANNER_CODE =
  '${Buffer.from(await compileScanner()).toString('base64')}';
`;
  let now = '';
  try {
    now = readFileSync(target, 'utf8');
  } catch {
    // A missing file differs from any text.
  }
  if (now === text) return;
  if (!check) {
    writeFileSync(target, text);
    return;
  }
  console.error('src/masking/chunk-engine-code.ts is out of date: run `npm run build`');
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await holdScanner({ check: process.argv.includes('--check') });
