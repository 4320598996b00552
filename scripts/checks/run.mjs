// `npm run check`: every check of the project, fast ones first, the same for people and CI.
//
//   npm run check                 all of them; goes on after a failure, exits 1 if there was one
//   npm run check -- lint types   only those named
//
// HOOP_CHECK_REPORT=FILE also writes the outcomes as JSON, for scripts/test.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tool = (path, ...args) => [process.execPath, `node_modules/${path}`, ...args];
const own = (file, ...args) => [process.execPath, `scripts/checks/${file}`, ...args];

/** Name, what it proves, command. */
const STEPS = [
  ['licences', 'every dependency may be shipped under MIT', own('licences.mjs')],
  ['imports', 'no room imports what its table refuses', own('imports.mjs')],
  ['rooms-page', 'docs/architecture.md says which room may import which', own('rooms-page.mjs')],
  ['pure', 'the pure rooms compile without Node', tool('typescript/bin/tsc', '-p', 'tsconfig.pure.json')],
  [
    'types',
    'everything compiles under the strict rules',
    tool('typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'),
  ],
  [
    'format',
    'the tree is as prettier writes it',
    tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
  ],
  ['unused', 'no file, export or dependency is left over', tool('knip/bin/knip.js', '--no-progress')],
  [
    'lint',
    'typed lint: promises awaited, no any, small files',
    tool('eslint/bin/eslint.js', '.', '--max-warnings', '0'),
  ],
  ['build', 'dist/ and the command manifest build', [process.execPath, 'scripts/build.mjs']],
  ['errors-page', 'docs/errors.md says what src/core/errors.ts says', own('errors-page.mjs')],
  ['commands-page', 'README.md and docs/commands.md say what the commands say', own('commands-page.mjs')],
  ['schema-file', 'examples/schema says what the readers of resource files say', own('schema-file.mjs')],
  ['publint', 'the package is laid out as npm and Node expect', tool('publint/src/cli.js', '--strict')],
  ['pack', 'the packed package installs elsewhere and runs', own('pack.mjs')],
];

/** Runs one command; its output is kept and shown only when it fails. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ passed: false, output: error.message }));
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !STEPS.some(([step]) => step === name));
if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(', ')}; there are: ${STEPS.map(([name]) => name).join(', ')}`);
  process.exit(2);
}

const outcomes = [];
for (const [name, proves, command] of STEPS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = performance.now();
  const { passed, output } = await run(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  outcomes.push({ name, passed });
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name.padEnd(14)} ${proves} (${seconds} s)`);
  if (!passed) console.log(output.trimEnd().replace(/^/gm, '       '));
}

const failed = outcomes.filter((outcome) => !outcome.passed).length;
console.log(`${outcomes.length - failed} checks passed, ${failed} failed`);
const report = process.env.HOOP_CHECK_REPORT;
if (report !== undefined) {
  mkdirSync(dirname(report), { recursive: true });
  writeFileSync(report, JSON.stringify(outcomes));
}
process.exitCode = failed === 0 ? 0 : 1;
