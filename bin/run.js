#!/usr/bin/env node
// The built launcher: `node scripts/build.mjs` makes it.
require('../dist/launch.cjs').launch(process.argv.slice(2));
