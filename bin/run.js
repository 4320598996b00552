#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { join } = require('node:path');

// The built launcher: `node scripts/build.mjs` makes it.
const launcher = join(__dirname, '../dist/launch.cjs');
if (existsSync(launcher)) {
  require(launcher).launch(process.argv.slice(2));
} else {
  const folder = join(__dirname, '..');
  console.error(
    `error: hoop is not built\nwhy:   ${launcher} is not there\ndo:    run ${join(folder, 'scripts', 'install')}`,
  );
  process.exitCode = 1;
}
