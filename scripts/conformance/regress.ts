// PostgreSQL's own regression suite, direct and through hoop, its output compared file by file.
//
//   node --import tsx scripts/conformance/regress.ts FOLDER [--max-connections N] [--test NAME …] [--keep DIR]
//
// FOLDER is what `scripts/conformance/fetch` made. --test runs the named ones alone, after test_setup.
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { REGRESS_SETTINGS, runRegress } from './lib/pg-regress.js';
import { report } from './lib/verdict.js';
import { openWay } from './lib/ways.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'max-connections': { type: 'string', default: '10' },
    test: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
  },
});

async function run(): Promise<number> {
  const [given] = positionals;
  if (given === undefined || !existsSync(join(resolve(given), 'lib/regress.so'))) {
    console.error('expected the folder that scripts/conformance/fetch made');
    return 2;
  }
  const folder = resolve(given);
  const scratch = mkdtempSync(join(tmpdir(), 'hoop-regress-'));
  chmodSync(scratch, 0o755);
  const found: ReadonlyMap<string, string>[] = [];
  try {
    for (const name of ['direct', 'hoop'] as const) {
      const way = await openWay(name, { settings: REGRESS_SETTINGS });
      try {
        found.push(
          await runRegress(folder, way, join(scratch, name), {
            tests: values.test,
            maxConnections: values['max-connections'],
          }),
        );
      } finally {
        await way.stop();
      }
    }
    if (values.keep !== undefined) cpSync(scratch, values.keep, { recursive: true });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const [direct, hoop] = found;
  const names = [...new Set([...(direct?.keys() ?? []), ...(hoop?.keys() ?? [])])].sort();
  return report(names.map((name) => ({ name, direct: direct?.get(name), hoop: hoop?.get(name) })));
}

process.exitCode = await run();
