import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadScript } from './code-cache.js';
import { moveLeadingFlags } from './leading-flags.js';
import type { main } from './main.js';
import { giveHeapRoom, spareMemory } from './heap-flags.js';

/** The package's folder; this file is its `dist/src/cli/launch.js`. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Commands that are in no bundle: they need the agent or the trial stack, and run for long. */
const UNBUNDLED: ReadonlySet<string> = new Set(['agent', 'dev']);

/** Node's own exit status for a top-level await that is never answered. */
const UNSETTLED = 13;

/**
 * Starts hoop by the shortest way: `--version` without loading anything, the commands of a laptop from the bundles, the
 * others from the files as they were compiled.
 *
 * @param argv what was typed after `hoop`
 */
export async function launch(argv: readonly string[]): Promise<void> {
  let ended = false;
  // As Node does for a module that waits for what never comes: to end with 0 would say that all was done.
  process.once('beforeExit', () => {
    if (!ended) process.exitCode = UNSETTLED;
  });
  await start(argv);
  ended = true;
}

async function start(typed: readonly string[]): Promise<void> {
  const argv = moveLeadingFlags(typed);
  const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string; version: string };
  const word = argv[0] ?? '';
  if (word === '--version') {
    process.stdout.write(
      `${pjson.name}/${pjson.version} ${process.platform}-${process.arch} node-${process.version}\n`,
    );
    return;
  }
  if (word === 'replay') spareMemory();
  if (word === 'connect') giveHeapRoom();
  const bundle = join(ROOT, 'dist', word === 'policy' ? 'policy.cjs' : 'hoop.cjs');
  const loaded =
    UNBUNDLED.has(word) || !existsSync(bundle)
      ? await import('./main.js')
      : (loadScript(bundle, /^[a-z]+$/.test(word) ? word : '', process.env) as { main: typeof main });
  await loaded.main(argv, { root: ROOT, pjson });
}
