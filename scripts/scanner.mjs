// Compiles src/masking/assembly (AssemblyScript) to WebAssembly and holds it in src/masking/chunks/chunk-engine-code.ts, so that
// the pure room needs no file and nothing at run time.
// `npm run build` does it, and so does `node scripts/scanner.mjs`; a test holds the two against each other.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = new URL('../src/masking/chunks/chunk-engine-code.ts', import.meta.url);

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

/** Writes the module where it differs. */
export async function writeScanner() {
  const text = `/** Made by \`node scripts/scanner.mjs\` from \`assembly/\`: the module in base64. */
export const SCANNER_CODE =
  '${Buffer.from(await compileScanner()).toString('base64')}';
`;
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeScanner();
