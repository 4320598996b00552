// `npm run check`: every check of the project, two at a time, the same for people and CI.
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
const AFTER_BUILD = 'build';

/** How many run at a time: a third would take longer than it waits. */
const LANES = 2;

/**
 * Name, what it proves, command, and whether it reads what `build` writes. The longest begins first, so that it is not
 * left over at the end; then what is soon done.
 */
const STEPS = [
  [
    'lint',
    'typed lint: promises awaited, no any, small files',
    tool('eslint/bin/eslint.js', '.', '--max-warnings', '0'),
  ],
  ['licences', 'every dependency may be shipped under MIT', own('licences.mjs')],
  ['imports', 'no room imports what its table refuses', own('imports.mjs')],
  ['rooms-page', 'docs/architecture.md says which room may import which', own('rooms-page.mjs')],
  [
    'build',
    'dist/ and the command manifest are those of the sources',
    [process.execPath, 'scripts/build.mjs', '--if-needed'],
  ],
  ['errors-page', 'docs/errors.md says what src/core/errors.ts says', own('errors-page.mjs'), AFTER_BUILD],
  ['commands-page', 'README.md and docs/commands.md say what the commands say', own('commands-page.mjs'), AFTER_BUILD],
  ['schema-file', 'examples/schema says what the readers of resource files say', own('schema-file.mjs'), AFTER_BUILD],
  ['publint', 'the package is laid out as npm and Node expect', tool('publint/src/cli.js', '--strict'), AFTER_BUILD],
  ['unused', 'no file, export or dependency is left over', tool('knip/bin/knip.js', '--no-progress'), AFTER_BUILD],
  ['pack', 'the packed package installs elsewhere and runs', own('pack.mjs'), AFTER_BUILD],
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

const steps = STEPS.filter(([name]) => wanted.length === 0 || wanted.includes(name));
const outcomes = new Map();
const waiting = [...steps];

/** The first step that needs no other, or one that is over. */
function takeStep() {
  const isFree = ([, , , after]) =>
    after === undefined || outcomes.has(after) || !steps.some(([name]) => name === after);
  const index = waiting.findIndex(isFree);
  return index < 0 ? undefined : waiting.splice(index, 1)[0];
}

async function runStep([name, proves, command]) {
  const started = performance.now();
  const { passed, output } = await run(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  outcomes.set(name, passed);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name.padEnd(14)} ${proves} (${seconds} s)`);
  if (!passed) console.log(output.trimEnd().replace(/^/gm, '       '));
}

/** Where the rest waits for a step of the other lane, that lane goes on with it. */
async function runLane() {
  for (let step = takeStep(); step !== undefined; step = takeStep()) await runStep(step);
}

await Promise.all(Array.from({ length: LANES }, runLane));
const failed = [...outcomes.values()].filter((passed) => !passed).length;
console.log(`${outcomes.size - failed} checks passed, ${failed} failed`);
const report = process.env.HOOP_CHECK_REPORT;
if (report !== undefined) {
  mkdirSync(dirname(report), { recursive: true });
  writeFileSync(report, JSON.stringify(steps.map(([name]) => ({ name, passed: outcomes.get(name) }))));
}
process.exitCode = failed === 0 ? 0 : 1;
