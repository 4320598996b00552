import type { Place } from '../../../../test/support/model-programs/program.js';
import { hoopProcesses, type HoopProcesses, type ProcessesOptions } from '../hoop-processes.js';

/** What the upstream takes; nobody but the agent knows it. */
export const UPSTREAM_KEYS = {
  openaiKey: 'sk-upstream-of-the-bench',
  anthropicKey: 'ak-upstream-of-the-bench',
} as const;

/** Where the upstream listens; `plainUrl` for the connection of type http, where that is another one. */
interface UpstreamAddress {
  readonly url: string;
  readonly plainUrl?: string;
}

/** The three types of connections to one upstream. */
function modelConnections({ url, plainUrl = url }: UpstreamAddress): string {
  const connection = (type: string, credentials: string): string => `apiVersion: hoop/v1
kind: Connection
metadata: { name: ${type} }
spec:
  type: ${type}
  url: ${type === 'http' ? plainUrl : url}
  credentials: ${credentials}
  access: { groups: ['*'] }
`;
  return [
    connection('openai', "[{ groups: ['*'], apiKey: { env: BENCH_OPENAI_KEY } }]"),
    connection('anthropic', "[{ groups: ['*'], apiKey: { env: BENCH_ANTHROPIC_KEY } }]"),
    connection('http', "[{ groups: ['*'] }]"),
  ].join('---\n');
}

/** An agent and `hoop connect` in front of the upstream: both ways in. */
export interface ModelHoop {
  readonly processes: HoopProcesses;
  /** The caller's token at the agent's own port. */
  direct(connection: string): Place;
  /** The local port of `hoop connect`, with the key that it gave to its environment. */
  port(connection: 'openai' | 'anthropic'): Place;
  stop(): Promise<void>;
}

export async function modelHoop(
  upstream: UpstreamAddress,
  options: Pick<ProcessesOptions, 'issuer' | 'policies'> & Partial<ProcessesOptions>,
): Promise<ModelHoop> {
  const { resources = '', env = {} } = options;
  const processes = await hoopProcesses({
    connections: ['openai', 'anthropic'],
    ...options,
    resources: [modelConnections(upstream), ...(resources === '' ? [] : [resources])].join('---\n'),
    env: { BENCH_OPENAI_KEY: UPSTREAM_KEYS.openaiKey, BENCH_ANTHROPIC_KEY: UPSTREAM_KEYS.anthropicKey, ...env },
  });
  const token = await options.issuer.token(['bench']);
  return {
    processes,
    direct: (connection) => ({ url: `${processes.agentUrl}/c/${connection}`, apiKey: token }),
    port: (connection) => {
      const found = processes.listening.find((each) => each.connection === connection);
      if (found === undefined) throw new Error(`no port was opened for ${connection}`);
      const [url, key] =
        connection === 'openai' ? ['OPENAI_BASE_URL', 'OPENAI_API_KEY'] : ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'];
      return { url: (found.env[url] ?? '').replace(/\/v1$/, ''), apiKey: found.env[key] ?? '' };
    },
    stop: () => processes.stop(),
  };
}
