// The agent as it was built, as a process of its own, to be killed and limited: node agent-program.mjs CONF
import { writeSync } from 'node:fs';
import { createLog } from '../../dist/src/agent/log.js';
import { startAgent } from '../../dist/src/agent/start.js';

const agent = await startAgent(process.argv[2] ?? '', process.env, createLog('info'));
writeSync(1, `${agent.url}\n`);
// The parent's end is this one's.
process.stdin.on('end', () => void agent.close(0).then(() => process.exit(0))).resume();
