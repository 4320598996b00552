import type { PostgresServer, Role } from '../../../test/support/postgres-server.js';
import { hoopProcesses, memoryOf, type HoopProcesses, type ProcessesOptions } from './hoop-processes.js';
import type { Target } from './target.js';

export interface HoopOptions extends Omit<ProcessesOptions, 'resources' | 'connections'> {
  readonly name: string;
  readonly server: PostgresServer;
  readonly database: string;
  /** Patterns of other databases that clients may ask for. */
  readonly databases?: readonly string[];
  /** Who the agent logs in as; `hoop_app` where absent. */
  readonly role?: Role;
}

function connection({ server, database, databases = [], role = server.app }: HoopOptions): string {
  return `apiVersion: hoop/v1
kind: Connection
metadata: { name: postgres }
spec:
  type: postgres
  address: 127.0.0.1:${String(server.port)}
  database: ${database}
  databases: ${JSON.stringify(databases)}
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: ${role.username}, password: { env: BENCH_PASSWORD } }]
  access: { groups: ['*'] }
`;
}

export interface HoopTarget extends Target, Pick<HoopProcesses, 'agentPid' | 'connectPid' | 'recordings' | 'output'> {
  readonly agentPid: number;
  readonly connectPid: number;
}

/** A way to the database through an agent and `hoop connect`. */
export async function hoop(options: HoopOptions): Promise<HoopTarget> {
  const { server, role = server.app, env = {} } = options;
  const processes = await hoopProcesses({
    ...options,
    resources: connection(options),
    connections: ['postgres'],
    env: { BENCH_PASSWORD: role.password, ...env },
  });
  const { agentPid, connectPid, recordings, listening } = processes;
  return {
    name: options.name,
    port: listening[0]?.port ?? 0,
    password: '',
    memory: () => memoryOf(agentPid),
    agentPid,
    connectPid,
    recordings,
    output: () => processes.output(),
    stop: () => processes.stop(),
  };
}
