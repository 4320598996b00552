// Builds dist/ from commands/ and src/, and the manifest that lets `hoop --help` answer without loading a command.
// One place, so that people, the demo, the tests and CI build the same way.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = new URL('../oclif.manifest.json', import.meta.url);

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
rmSync(manifest, { force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
chmodSync(new URL('../bin/run.js', import.meta.url), 0o755);

const { Plugin } = await import('@oclif/core');
const plugin = new Plugin({ root, type: 'core', ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
writeFileSync(manifest, `${JSON.stringify(plugin.manifest)}\n`);
