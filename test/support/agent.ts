import { mkdir, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { AgentLog } from '../../src/agent/log.js';
import { startAgent, type RunningAgent } from '../../src/agent/start.js';
import { bridge } from '../../src/tunnel/bridge.js';
import { dialTunnel, type DialOptions, type TunnelClient } from '../../src/tunnel/dial.js';
import { makeKey, startLocalIssuer } from '../identity/local-issuer.js';
import { sharedPostgres, type PostgresServer } from './postgres-server.js';
import { makeFolder } from './folders.js';

export interface TestAgent {
  readonly agent: RunningAgent;
  readonly postgres: PostgresServer;
  readonly database: string;
  readonly dir: string;
  readonly recordings: string;
  /** What the agent logged, a line each. */
  readonly logged: string[];
  /** A local port to connection `postgres` for a caller of these groups, and the news it was told. */
  port(caller?: {
    readonly subject?: string;
    readonly groups?: readonly string[];
    readonly connection?: string;
  }): Promise<{ port: number; events: Record<string, unknown>[]; tunnel: TunnelClient }>;
  token(caller?: { readonly subject?: string; readonly groups?: readonly string[] }): Promise<string>;
  /** One call of the REST interface. */
  call(
    path: string,
    options: { readonly token: string; readonly body?: unknown },
  ): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
}

export interface TestAgentOptions {
  /** YAML documents: policies, flows, entities, more connections. */
  readonly policies?: string;
  /** Members of `listen` besides host and port: `tls: { cert: …, key: … }`. */
  readonly listenSpec?: string;
  /** Lines below `spec:` of the Agent, e.g. `limits: { statementBytes: 1000 }`. */
  readonly agentSpec?: string;
  readonly connectionSpec?: string;
  /** Members of `recordings` besides its folder, e.g. `durability: sync`. */
  readonly recordingsSpec?: string;
  readonly dir?: string;
  readonly database?: string;
  /** Instead of the server that tests share. */
  readonly postgres?: PostgresServer;
  /** Where the agent reaches it, if not at its own port: something that stands between. */
  readonly serverPort?: number;
  readonly issuer?: TestIssuer;
  /** Variables of the agent's environment besides the passwords of `postgres`. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestIssuer {
  readonly issuer: string;
  token(claims: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
}

export async function startTestIssuer(): Promise<TestIssuer> {
  const local = await startLocalIssuer();
  const key = await makeKey('test');
  local.publish([key.jwk]);
  return {
    issuer: local.issuer,
    token: (claims) => {
      const now = Math.floor(Date.now() / 1000);
      return key.sign({ iss: local.issuer, aud: 'hoop', iat: now, exp: now + 600, ...claims });
    },
    close: () => local.close(),
  };
}

/** Data with personal values in it, the same for every test. */
export const SEED = `
  create table customers (id int primary key, name text not null, email text, card text, ssn text, phone text, notes jsonb, password text);
  insert into customers values
    (1, 'Ann Lee', 'ann.lee@example.com', '4111 1111 1111 1111', '123-45-6789', '+1 415 555 0132', '{"mail":"ann.lee@example.com"}', 'hunter2'),
    (2, 'Bo Diaz', 'bo@mail.example.org', '5555555555554444', '321-54-9876', '(212) 555-0187', null, 's3cret');
  create table contacts (id int primary key, email text, card text, ssn text);
  insert into contacts select id, email, card, ssn from customers;
  create table payments (id int primary key, customer int references customers (id), amount numeric not null);
  insert into payments values (1, 1, 10.50), (2, 2, 99.00);
`;

/** Files of an agent and the data behind it, ready to be started. */
export interface AgentFolder {
  readonly postgres: PostgresServer;
  readonly database: string;
  readonly issuer: TestIssuer;
  readonly dir: string;
  /** Folder of the resource files. */
  readonly conf: string;
  /** What their secrets come from. */
  readonly env: Readonly<Record<string, string>>;
}

export async function makeAgentFolder(options: TestAgentOptions = {}): Promise<AgentFolder> {
  const postgres = options.postgres ?? (await sharedPostgres());
  const database = options.database ?? `t_${randomBytes(6).toString('hex')}`;
  if (options.database === undefined) await postgres.createDatabase(database, SEED);
  const issuer = options.issuer ?? (await startTestIssuer());
  const dir = options.dir ?? makeFolder('agent');
  const conf = join(dir, 'conf');
  await mkdir(conf, { recursive: true });
  await writeFile(join(dir, 'master.key'), `${randomBytes(32).toString('base64')}\n`, {
    mode: 0o600,
    flag: 'wx',
  }).catch(() => undefined);
  await writeFile(join(conf, 'agent.yaml'), agentYaml(issuer, options));
  await writeFile(join(conf, 'connection.yaml'), connectionYaml(postgres, database, options));
  await writeFile(join(conf, 'policies.yaml'), options.policies ?? '');
  const env = { APP_PASSWORD: postgres.app.password, ADMIN_PASSWORD: postgres.admin.password, ...options.env };
  return { postgres, database, issuer, dir, conf, env };
}

/** A local port to one connection, through a tunnel of its own. */
export async function openPort(
  agentUrl: string,
  connection: string,
  token: string,
  more: Pick<DialOptions, 'reason' | 'trace' | 'portKeyHash' | 'caFile'> = {},
): Promise<{ port: number; tunnel: TunnelClient; events: Record<string, unknown>[]; close(): void }> {
  const tunnel = await dialTunnel({ agentUrl, connection, token, ...more });
  const events: Record<string, unknown>[] = [];
  tunnel.onEvent((event) => events.push(event));
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    bridge(socket, tunnel.openStream());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    tunnel.close();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, tunnel, events, close };
}

/** A real agent in this process, in front of a real PostgreSQL, with an issuer of its own. */
export async function startTestAgent(options: TestAgentOptions = {}): Promise<TestAgent> {
  const { postgres, database, issuer, dir, conf, env } = await makeAgentFolder(options);
  const logged: string[] = [];
  const line =
    (level: string) =>
    (message: string, fields?: object): void => {
      logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    };
  const log: AgentLog = {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    failure: (message, error) => logged.push(`failure ${message} ${String(error)}`),
  };
  const agent = await startAgent(conf, env, log);
  const ports: { close(): void }[] = [];
  const token: TestAgent['token'] = (caller = {}) =>
    issuer.token({
      sub: caller.subject ?? 'ann',
      email: `${caller.subject ?? 'ann'}@example.test`,
      groups: caller.groups ?? ['engineering'],
    });
  return {
    agent,
    postgres,
    database,
    dir,
    recordings: join(dir, 'recordings'),
    logged,
    token,
    port: async (caller) => {
      const opened = await openPort(agent.url, caller?.connection ?? 'postgres', await token(caller));
      ports.push(opened);
      return opened;
    },
    call: async (path, { token: bearer, body }) => {
      const response = await fetch(`${agent.url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : text,
      };
    },
    close: async () => {
      for (const port of ports) port.close();
      await agent.close(1_000);
      if (options.issuer === undefined) await issuer.close();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

function agentYaml(issuer: TestIssuer, options: TestAgentOptions): string {
  return `apiVersion: hoop/v1
kind: Agent
metadata: { name: test }
spec:
  listen: { host: 127.0.0.1, port: 0${options.listenSpec === undefined ? '' : `, ${options.listenSpec}`} }
  store: { driver: sqlite, path: ../state/hoop.db }
  recordings: { dir: ../recordings, ${options.recordingsSpec ?? 'durability: flush'} }
  masterKey: { file: ../master.key }
  roles: { admin: { groups: [dba] }, auditor: { groups: [auditors] } }
  ${options.agentSpec ?? ''}
---
apiVersion: hoop/v1
kind: IdentityProvider
metadata: { name: test }
spec: { issuer: '${issuer.issuer}', audience: hoop, clientId: hoop-cli, reviewers: true }
`;
}

function connectionYaml(postgres: PostgresServer, database: string, options: TestAgentOptions): string {
  return `apiVersion: hoop/v1
kind: Connection
metadata: { name: postgres, labels: { env: test } }
spec:
  type: postgres
  address: 127.0.0.1:${String(options.serverPort ?? postgres.port)}
  database: ${database}
  tls: { mode: disable }
  credentials:
    - { groups: [dba], username: ${postgres.admin.username}, password: { env: ADMIN_PASSWORD } }
    - { groups: ['*'], username: ${postgres.app.username}, password: { env: APP_PASSWORD } }
  access: { groups: [engineering, dba] }
  ${options.connectionSpec ?? ''}
`;
}
