#!/usr/bin/env node
// The built launcher: `node scripts/build.mjs` makes it.
const { launch } = await import(new URL('../dist/src/cli/launch.js', import.meta.url).href);
await launch(process.argv.slice(2));
