// Loaded into a process that is measured: at SIGUSR2 it collects garbage and writes down what it holds.
import { renameSync, writeFileSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';

const file = process.env['BENCH_MEMORY_FILE'];
let asked = 0;
process.on('SIGUSR2', () => {
  for (let round = 0; round < 4; round += 1) globalThis.gc();
  asked += 1;
  if (process.env['BENCH_HEAP_SNAPSHOTS'] === 'yes') writeHeapSnapshot(`${file}.${asked}.heapsnapshot`);
  // Beside and renamed, so that a reader never sees a part.
  writeFileSync(`${file}.draft`, JSON.stringify({ asked, ...process.memoryUsage() }));
  renameSync(`${file}.draft`, file);
});
