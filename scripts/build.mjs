// Builds dist/ from commands/ and src/, and the manifest that lets `hoop --help` answer without loading a command.
// One place, so that people, the demo, the tests and CI build the same way.
//
// --if-needed: nothing is done where the last build is newer than every source.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBundles } from './bundle.mjs';
import { writeManPages } from './man-pages.mjs';
import { writeScanner } from './scanner.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = new URL('../oclif.manifest.json', import.meta.url);

if (process.argv.includes('--if-needed') && isBuilt()) process.exit();

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
rmSync(manifest, { force: true });
await writeScanner();
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
chmodSync(new URL('../bin/run.js', import.meta.url), 0o755);

await writeBundles();

const { Plugin } = await import('@oclif/core');
const plugin = new Plugin({ root, type: 'core', ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
writeManPages(plugin.manifest);
writeFileSync(manifest, `${JSON.stringify(plugin.manifest)}\n`);

/** The manifest is written last, so it tells of a whole build. A folder's time tells of a file that went. */
function isBuilt() {
  if (!existsSync(manifest)) return false;
  const folders = ['commands', 'src'].flatMap((folder) => [
    folder,
    ...readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  ]);
  const sources = [
    ...folders,
    ...['build.mjs', 'bundle.mjs', 'late-bufferutil.cjs', 'man-pages.mjs', 'scanner.mjs'].map(
      (name) => `scripts/${name}`,
    ),
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'node_modules/.hoop-lockfile',
  ];
  const builtAtMs = statSync(manifest).mtimeMs;
  return sources.every((name) => !existsSync(join(root, name)) || statSync(join(root, name)).mtimeMs < builtAtMs);
}
