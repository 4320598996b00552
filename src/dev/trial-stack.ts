import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeStarter } from '../config/write-starter.js';
import { startAgentProcess, type AgentProcess } from './agent-process.js';
import { startIdentityProvider, type IdentityProvider } from './identity-provider.js';
import { ModelUpstream } from './model-upstream/model-upstream.js';
import { startTrialPostgres, type TrialPostgres } from './trial-postgres.js';
import { trialResources } from './trial-resources.js';
import type { TrialUser } from './trial-user.js';

const USERS: readonly TrialUser[] = [
  { id: 'alice', email: 'alice@example.com', groups: ['engineering'] },
  { id: 'dana', email: 'dana@example.com', groups: ['dba'] },
];

export interface TrialStack {
  readonly agentUrl: string;
  readonly agentPid: number;
  /** Settles when a part ends by itself; says which, and why. */
  readonly broken: Promise<{ readonly part: 'agent' | 'database'; readonly why: string }>;
  readonly issuer: string;
  readonly machine: IdentityProvider['machine'];
  readonly postgres: { readonly host: string; readonly port: number };
  /** Where the stand-in for the model API listens. */
  readonly modelUrl: string;
  readonly users: readonly TrialUser[];
  /** The agent's resource files, recordings and store; its log is `agent.log` beside it. */
  readonly agentDir: string;
  readonly agentLog: string;
  /** A folder of its own for the configuration of each person's `hoop`. */
  configDir(user: string): string;
  close(): Promise<void>;
}

/**
 * Everything that hoop needs for a trial, on loopback: an OpenID provider, a Postgres with data, a stand-in for a
 * model API, and the agent as its own process.
 *
 * @param options.dir empty folder for the agent's files
 * @param options.ports left out: free ones
 * @throws HoopError where a part does not start; what had started is closed then
 */
export async function startTrialStack(options: {
  readonly dir: string;
  readonly ports?: { readonly agent?: number; readonly issuer?: number };
}): Promise<TrialStack> {
  const { dir, ports = {} } = options;
  const agentDir = join(dir, 'agent');
  const agentLog = join(dir, 'agent.log');
  let provider: IdentityProvider | undefined;
  let postgres: TrialPostgres | undefined;
  let model: ModelUpstream | undefined;
  let agent: AgentProcess | undefined;
  const close = async (): Promise<void> => {
    await agent?.close();
    await Promise.all([provider?.close(), postgres?.close(), model?.close()]);
  };
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    postgres = await startTrialPostgres();
    provider = await startIdentityProvider({
      users: USERS,
      ...(ports.issuer === undefined ? {} : { port: ports.issuer }),
    });
    const key = `sk-trial-${randomBytes(24).toString('hex')}`;
    model = await ModelUpstream.start({ openaiKey: key, anthropicKey: key, keep: 0 });
    await writeStarter(agentDir, trialResources({ provider, postgres, model, agentPort: ports.agent ?? 0 }));
    agent = await startAgentProcess({ configDir: agentDir, logFile: agentLog, env: { TRIAL_MODEL_KEY: key } });
    return {
      agentUrl: agent.url,
      agentPid: agent.pid,
      broken: Promise.race([
        agent.ended.then((why) => ({ part: 'agent', why }) as const),
        postgres.ended.then((why) => ({ part: 'database', why }) as const),
      ]),
      issuer: provider.issuer,
      machine: provider.machine,
      postgres: { host: postgres.host, port: postgres.port },
      modelUrl: model.url,
      users: USERS,
      agentDir,
      agentLog,
      configDir: (user) => join(dir, user),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
