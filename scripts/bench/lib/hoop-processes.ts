import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guard } from '../../../test/support/guarded-process.js';
import { freePort } from '../../../test/support/postgres-server.js';
import type { Issuer } from './issuer.js';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(project, 'bin/run.js');

export interface ProcessesOptions {
  readonly issuer: Issuer;
  /** Resource documents besides the Agent and its identity provider: connections, policies. */
  readonly resources: string;
  /** Files of examples/policies that the agent reads; none: bytes pass undecided. */
  readonly policies: readonly string[];
  /** Connections that `hoop connect` opens. */
  readonly connections: readonly string[];
  /** Below `limits` of the Agent: `sessions: 1100`. */
  readonly limits?: string;
  /** Options of Node for the agent, e.g. `--expose-gc`, and variables of its environment. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What `hoop connect --json` says of an open port. */
export interface Listening {
  readonly connection: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

/** The two processes of a way through hoop. */
export interface HoopProcesses {
  readonly agentUrl: string;
  readonly agentPid: number;
  readonly connectPid: number;
  readonly listening: readonly Listening[];
  readonly recordings: string;
  /** What both printed. */
  output(): string;
  stop(): Promise<void>;
}

/** An agent and, beside it, `hoop connect`: two processes, as a user runs them. */
export async function hoopProcesses(options: ProcessesOptions): Promise<HoopProcesses> {
  const { issuer, connections, node = [], env = {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-'));
  const [config, home] = [join(folder, 'config'), join(folder, 'home')];
  for (const each of [config, home, join(folder, 'state'), join(folder, 'recordings')])
    mkdirSync(each, { mode: 0o700 });
  writeFileSync(join(folder, 'master.key'), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const port = await freePort();
  writeFileSync(join(config, 'agent.yaml'), `${agentResources(port, options)}---\n${options.resources}`);
  for (const policy of options.policies) cpSync(join(project, 'examples/policies', policy), join(config, policy));

  const start = [process.execPath, ...node, program, 'agent', 'start', '--config', config];
  const agent = guard(start, { folder, env: { HOME: home, ...env } });
  const agentUrl = `http://127.0.0.1:${String(port)}`;
  await answering(`${agentUrl}/readyz`, agent.outputMatching(/(?!)/));
  const clientEnv = await cliEnv({ agentUrl, issuer, home });
  const connect = guard([process.execPath, program, 'connect', ...connections, '--json'], { env: clientEnv });
  await connect.outputMatching(new RegExp(`(?:"event":"listening".*\\n[^]*?){${String(connections.length)}}`));
  return {
    agentUrl,
    agentPid: agent.pid() ?? 0,
    connectPid: connect.pid() ?? 0,
    listening: listeningIn(connect.output()),
    recordings: join(folder, 'recordings'),
    output: () => agent.output() + connect.output(),
    stop: async () => {
      await connect.stop();
      await agent.stop();
    },
  };
}

/** The environment of a `hoop` that is logged in to the agent, apart from whoever runs this. */
export async function cliEnv(of: {
  readonly agentUrl: string;
  readonly issuer: Issuer;
  readonly home: string;
}): Promise<Readonly<Record<string, string>>> {
  const token = await of.issuer.token(['bench']);
  return { HOME: of.home, HOOP_CONFIG_DIR: of.home, HOOP_AGENT_URL: of.agentUrl, HOOP_TOKEN: token };
}

function agentResources(port: number, { issuer, limits = '' }: ProcessesOptions): string {
  return `apiVersion: hoop/v1
kind: Agent
metadata: { name: bench }
spec:
  listen: { host: 127.0.0.1, port: ${String(port)} }
  store: { driver: sqlite, path: ../state/hoop.db }
  recordings: { dir: ../recordings, durability: flush }
  masterKey: { file: ../master.key }
  limits: {${limits}}
---
apiVersion: hoop/v1
kind: IdentityProvider
metadata: { name: bench }
spec: { issuer: '${issuer.url}', audience: hoop, clientId: bench }
`;
}

function listeningIn(output: string): readonly Listening[] {
  const lines = output.split('\n').filter((line) => line.includes('"event":"listening"'));
  return lines.map((line) => JSON.parse(line) as Listening);
}

/** Peak and present resident memory of a process in bytes, from the kernel. */
export function memoryOf(pid: number | undefined): { peak: number; now: number } | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
    return { peak: kilobytes('VmHWM') * 1024, now: kilobytes('VmRSS') * 1024 };
  } catch {
    return undefined;
  }
}

/** Waits until a page answers 200; `ended` rejects when the program that should serve it has ended. */
async function answering(url: string, ended: Promise<unknown>): Promise<void> {
  let isReady = false;
  const asking = async (): Promise<void> => {
    for (let attempt = 0; attempt < 300 && !isReady; attempt += 1) {
      const status = await fetch(url).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200) isReady = true;
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (!isReady) throw new Error(`${url} did not answer 200 within 30 s`);
  };
  await Promise.race([asking(), ended]);
}
