import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import pg from 'pg';
import { AgentApi } from '../../src/client/agent-api.js';
import { openConnections } from '../../src/client/connect/open-connections.js';
import { startTestAgent, type TestAgent, type TestAgentOptions } from './agent.js';

export interface PsqlEnd {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface PsqlOptions {
  /** libpq's own settings, such as `sslmode=allow`. */
  readonly settings?: string;
  readonly args?: readonly string[];
  /** Called before anything is written to it. */
  readonly onStart?: (child: ChildProcessWithoutNullStreams) => void;
}

/** A real agent, a real local port of it, as `hoop connect` opens one, and the programs that use it. */
export interface LocalPostgres {
  readonly agent: TestAgent;
  readonly port: number;
  /** Runs a script through the local port. */
  psql(script: string, options?: PsqlOptions): Promise<PsqlEnd>;
  /** Runs it past hoop, with the credential that the agent uses. */
  psqlDirect(script: string, options?: PsqlOptions): Promise<PsqlEnd>;
  /** A driver's client, not connected yet, and one past hoop. */
  client(): pg.Client;
  clientDirect(): pg.Client;
  close(): Promise<void>;
}

/** @param options.tls offers TLS at the local port */
export async function openLocalPostgres(
  options: TestAgentOptions & { readonly tls?: boolean } = {},
): Promise<LocalPostgres> {
  const agent = await startTestAgent(options);
  const token = (): Promise<string> => agent.token();
  const api = new AgentApi({ url: agent.agent.url, token });
  const tls = options.tls === true ? { tlsFolder: join(agent.dir, 'client') } : {};
  const opened = await openConnections(
    { api, token },
    ['postgres'],
    { kind: 'port', host: '127.0.0.1', port: 0, ...tls },
    () => undefined,
  );
  const address = opened.places[0]?.address;
  if (address === undefined || !('port' in address)) throw new Error('there is no local port');
  const { postgres, database } = agent;
  const through = { port: address.port, user: 'ann', password: '' };
  const direct = { port: postgres.port, user: postgres.app.username, password: postgres.app.password };
  type Place = typeof through;

  const psql = (place: Place, script: string, { settings = '', args = [], onStart }: PsqlOptions = {}) => {
    const env = {
      PATH: `${process.env['PATH'] ?? ''}:${postgres.binDir}`,
      HOME: '/nonexistent',
      PGPASSWORD: place.password,
      LC_ALL: 'C.UTF-8',
    };
    const where = `host=127.0.0.1 port=${String(place.port)} user=${place.user} dbname=${database} ${settings}`;
    const child = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', ...args, '-d', where, '-f', '-'], { env });
    return ended(child, script, onStart);
  };
  const client = (place: Place): pg.Client => new pg.Client({ host: '127.0.0.1', database, ...place });
  return {
    agent,
    port: address.port,
    psql: (script, settings) => psql(through, script, settings),
    psqlDirect: (script, settings) => psql(direct, script, settings),
    client: () => client(through),
    clientDirect: () => client(direct),
    close: async () => {
      await opened.close();
      await agent.close();
    },
  };
}

function ended(
  child: ChildProcessWithoutNullStreams,
  script: string,
  onStart: PsqlOptions['onStart'],
): Promise<PsqlEnd> {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => stdout.push(part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  child.stdin.on('error', () => undefined);
  onStart?.(child);
  child.stdin.end(script);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout: Buffer.concat(stdout), stderr });
    });
  });
}
