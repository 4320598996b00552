// Packs hoop as npm would publish it, installs it in an empty folder with production packages only, and runs it there:
// what works in the tree but was not packed, or is a development package, shows here.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hoop-pack-'));
const run = (cwd, command, ...args) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

try {
  const [{ filename, files }] = JSON.parse(
    run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  );
  const packed = new Set(files.map((file) => file.path));
  const needed = [
    'bin/run.js',
    'bin/package.json',
    'dist/launch.cjs',
    'dist/hoop.cjs',
    'dist/policy.cjs',
    'dist/man/hoop.1',
    'dist/src/core/errors.js',
    'oclif.manifest.json',
    'README.md',
    'LICENSE',
  ];
  const missing = needed.filter((path) => !packed.has(path));
  if (missing.length > 0) throw new Error(`not in the package: ${missing.join(', ')}`);
  const surplus = [...packed].filter((path) => /^(src|test|scripts|commands)\//.test(path));
  if (surplus.length > 0) throw new Error(`does not belong in the package: ${surplus.slice(0, 5).join(', ')}`);

  run(folder, 'tar', '-xzf', filename);
  const home = join(folder, 'package');
  // The lockfile is not published; with it the install takes the tested versions, from npm's cache where it can.
  cpSync(join(root, 'package-lock.json'), join(home, 'package-lock.json'));
  run(home, 'npm', 'ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund');

  // As npm links a binary: run through a symbolic link, from another folder.
  const link = join(folder, 'hoop');
  symlinkSync(join(home, 'bin/run.js'), link);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const told = run(folder, link, '--version');
  if (!told.startsWith(`hoop/${version} `)) throw new Error(`hoop --version says ${told.trim()}`);
  // From the bundle, then with the compiled code of the first run; and a command that is not in the bundle.
  for (const words of [
    ['version', '--client'],
    ['version', '--client'],
    ['agent', 'init', join(folder, 'agent')],
  ])
    run(folder, link, ...words);
  if (!run(folder, link, '--help').includes('COMMANDS')) throw new Error('hoop --help lists no commands');
} catch (error) {
  console.error(error.stderr ? `${error.message}\n${error.stderr}` : error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
