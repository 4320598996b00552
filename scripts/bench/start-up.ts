// What it costs to start hoop, against a Node that does nothing: `hoop --version`, a command that calls no agent, one
// that asks the agent, and `hoop exec CONNECTION -- true` with the agent warm. Commands go in turn, round by round, so
// that a busy machine is busy for all of them; ratios are of medians, the wall clock's and the processor's.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cliEnv, hoopProcesses } from './lib/hoop-processes.js';
import { startIssuer } from './lib/issuer.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });

/** The most that issue and contract allow, as a ratio to `node -e 0`. */
const BOUNDS: Readonly<Record<string, number>> = { 'hoop --version': 1.6, 'hoop exec postgres -- true': 5 };
const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

const issuer = await startIssuer();
const processes = await hoopProcesses({
  issuer,
  // Nothing connects to it: `true` uses no database.
  resources: `apiVersion: hoop/v1
kind: Connection
metadata: { name: postgres }
spec:
  type: postgres
  address: 127.0.0.1:9
  database: shop
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: app, password: { env: BENCH_PASSWORD } }]
  access: { groups: ['*'] }
`,
  policies: [],
  connections: ['postgres'],
  env: { BENCH_PASSWORD: 'unused' },
});
const home = mkdtempSync(join(tmpdir(), 'hoop-bench-home-'));
const { agentUrl } = processes;
const env = { PATH: process.env['PATH'], ...(await cliEnv({ agentUrl, issuer, home })) };

interface Way {
  readonly name: string;
  readonly command: readonly string[];
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

const way = (name: string, ...command: readonly string[]): Way => ({ name, command, wallMs: [], cpuMs: [] });
const hoop = (...args: readonly string[]): Way => way(`hoop ${args.join(' ')}`, process.execPath, PROGRAM, ...args);
const ways = [
  way('node -e 0', process.execPath, '-e', '0'),
  hoop('--version'),
  hoop('help'),
  hoop('connections'),
  hoop('exec', 'postgres', '--', 'true'),
];

/** The shell's own clock: Node tells no processor time of children. */
function timed(command: readonly string[]): { readonly wallMs: number; readonly cpuMs: number } {
  const script = `TIMEFORMAT='%R %U %S'; exec 3>&2; { time "$@" >/dev/null 2>&3; } 2>&1; exit \${PIPESTATUS[0]}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...command], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${String(status)}:\n${stderr}`);
  const [real = 0, user = 0, system = 0] = stdout.trim().split(' ').map(Number);
  return { wallMs: real * 1000, cpuMs: (user + system) * 1000 };
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

try {
  // The first run of each keeps its compiled code: what is measured is the second, and every one after.
  for (const { command } of ways) timed(command);
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const { command, wallMs, cpuMs } of ways) {
      const took = timed(command);
      wallMs.push(took.wallMs);
      cpuMs.push(took.cpuMs);
    }
  const [node] = ways;
  console.log(`Node ${process.versions.node}, ${values.rounds} rounds, medians\n`);
  console.log('| command | wall | × node | cpu | × node | at most |\n| --- | --- | --- | --- | --- | --- |');
  for (const { name, wallMs, cpuMs } of ways) {
    const [wall, cpu] = [median(wallMs), median(cpuMs)];
    const ratios = [wall / median(node?.wallMs ?? []), cpu / median(node?.cpuMs ?? [])].map((ratio) =>
      ratio.toFixed(2),
    );
    const bound = BOUNDS[name];
    console.log(
      `| \`${name}\` | ${wall.toFixed(0)} ms | ${ratios[0] ?? ''} | ${cpu.toFixed(0)} ms | ${ratios[1] ?? ''} | ${bound === undefined ? '' : String(bound)} |`,
    );
  }
} finally {
  await processes.stop();
  await issuer.stop();
}
