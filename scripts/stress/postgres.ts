// Puts load on hoop, as users run it: an agent and `hoop connect` as processes, in front of a real server.
//
//   node --import tsx scripts/stress/postgres.ts [--only NAME,…] [--policies off|on|both]
//     [--connections 200] [--short 10000] [--gigabytes 10] [--cell-mebibytes 100]
//
// With policies both standard sets are on. The last line is `N passed, N failed`.
import { parseArgs } from 'node:util';
import { openWay } from '../conformance/lib/ways.js';
import { CASES, type Sizes } from './cases.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    policies: { type: 'string', default: 'both' },
    connections: { type: 'string', default: '200' },
    short: { type: 'string', default: '10000' },
    gigabytes: { type: 'string', default: '10' },
    'cell-mebibytes': { type: 'string', default: '100' },
  },
});
const STANDARD = ['standard-sql.yaml', 'standard-masking.yaml'];
const only = values.only.split(',').filter((name) => name !== '');
const unknown = only.filter((name) => !(name in CASES));
if (unknown.length > 0)
  throw new Error(`no such case: ${unknown.join(', ')}; there are ${Object.keys(CASES).join(', ')}`);

let [passed, failed] = [0, 0];
for (const policies of [false, true]) {
  if (values.policies === (policies ? 'off' : 'on')) continue;
  const sizes: Sizes = {
    connections: Number(values.connections),
    queriesEach: 20,
    short: Number(values.short),
    resultBytes: Number(values.gigabytes) * 1e9,
    cellBytes: Number(values['cell-mebibytes']) * 2 ** 20,
  };
  const settings = { max_connections: String(sizes.connections + 50), log_min_messages: 'log' };
  const way = await openWay('hoop', { settings, policies: policies ? STANDARD : [] });
  try {
    for (const [name, run] of Object.entries(CASES)) {
      if (only.length > 0 && !only.includes(name)) continue;
      const title = `${name} (${policies ? 'standard policies and masks' : 'no policies'})`;
      try {
        console.log(`ok     ${title}: ${await run(way, sizes)}`);
        passed += 1;
      } catch (error) {
        console.log(`FAILED ${title}: ${(error as Error).message}`);
        console.error(way.hoop?.output().split('\n').slice(-12).join('\n'));
        failed += 1;
      }
    }
  } finally {
    await way.stop();
  }
}
console.log(`${String(passed)} passed, ${String(failed)} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
