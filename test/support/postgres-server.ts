import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { findPostgres, runAs, serverAccount, type Account } from './postgres-programs.js';
import { makeSharedFolder } from './folders.js';
import { guard, type GuardedProcess } from './guarded-process.js';
import { issueServerCertificate } from './server-certificate.js';

/** How the server asks for passwords, as `pg_hba.conf` spells it. */
export type PasswordMethod = 'scram-sha-256' | 'md5' | 'password' | 'trust';

export interface PostgresOptions {
  readonly auth?: PasswordMethod;
  /** Only TLS is accepted, under a certificate of a CA of its own for `127.0.0.1` and `localhost`. */
  readonly tls?: boolean;
  /** Settings of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told what the server logs, as it comes. */
  readonly onLog?: (text: string) => void;
}

export interface Role {
  readonly username: string;
  readonly password: string;
}

/** A real PostgreSQL server on loopback, thrown away afterwards. */
export interface PostgresServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** May do everything; its password differs in every server, so that tests can look for leaks of it. */
  readonly superuser: Role;
  /** `hoop_app` may read and write the data of every database made by `createDatabase`. */
  readonly app: Role;
  /** `hoop_admin` owns those databases. */
  readonly admin: Role;
  /** The CA's certificate, with `tls`. */
  readonly caFile: string | undefined;
  /** Folder of psql, pgbench and the rest. */
  readonly binDir: string;
  /** Runs SQL past hoop, as the superuser over the server's own socket; the rows of the last statement. */
  sql(text: string, database?: string): Promise<Record<string, unknown>[]>;
  /** Makes a database, then runs `seed` in it as `hoop_admin`. */
  createDatabase(name: string, seed?: string): Promise<void>;
  stop(): Promise<void>;
}

/** Why no server can be started here; undefined where one can. For `describe.skipIf`. */
export function missingPostgres(): string | undefined {
  if (findPostgres() === undefined) return 'PostgreSQL is not installed (Debian: apt-get install postgresql)';
  if (serverAccount() === undefined) return 'PostgreSQL refuses to run as root and there is no user postgres or nobody';
  return undefined;
}

const secret = (name: string): Role => ({ username: name, password: `${name}-${randomBytes(12).toString('hex')}` });
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const identifier = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Private to the account that runs the server, which is not root even where the tests run as root. */
function makeServerFolder(account: Account): string {
  const folder = makeSharedFolder('pg');
  mkdirSync(join(folder, 'socket'));
  for (const path of [folder, join(folder, 'socket')]) {
    chmodSync(path, 0o700);
    if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
  }
  return folder;
}

function hostRules(auth: PasswordMethod, tls: boolean): string {
  const kind = tls ? 'hostssl' : 'host';
  return [
    '# the folder of the socket is private',
    'local all all trust',
    `${kind} all all 127.0.0.1/32 ${auth}`,
    `${kind} replication all 127.0.0.1/32 ${auth}`,
    '',
  ].join('\n');
}

function settingsOf(folder: string, options: PostgresOptions): Record<string, string> {
  const { auth = 'scram-sha-256', tls = false, settings = {} } = options;
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: join(folder, 'socket'),
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    max_connections: '100',
    password_encryption: auth === 'md5' ? 'md5' : 'scram-sha-256',
    ...(tls ? { ssl: 'on', ssl_cert_file: join(folder, 'server.crt'), ssl_key_file: join(folder, 'server.key') } : {}),
    ...settings,
  };
}

/** A port of loopback that was free a moment ago, for programs that do not choose one themselves. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function startOnce(options: PostgresOptions, binDir: string, account: Account): Promise<RunningServer> {
  const folder = makeServerFolder(account);
  const data = join(folder, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--auth=trust', '--no-sync'];
  await runAs(account, [join(binDir, 'initdb'), ...initdb, '--no-instructions'], folder);
  writeFileSync(join(data, 'pg_hba.conf'), hostRules(options.auth ?? 'scram-sha-256', options.tls ?? false));
  const caFile = options.tls === true ? await issueServerCertificate(folder, account) : undefined;
  const port = await freePort();
  const settings = Object.entries({ ...settingsOf(folder, options), port: String(port) });
  const args = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = guard([join(binDir, 'postgres'), '-D', data, ...args], {
    account,
    folder,
    signal: 'QUIT',
    ...(options.onLog === undefined ? {} : { onOutput: options.onLog }),
  });
  await child.outputMatching(/database system is ready to accept connections/);
  const server = new RunningServer(folder, port, child, binDir, caFile);
  await server.makeRoles();
  return server;
}

/**
 * Starts a real server in about a second, as root or as any user.
 *
 * @throws with the server's own output when it does not start
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binDir = findPostgres();
  const account = serverAccount();
  if (binDir === undefined || account === undefined) throw new Error(missingPostgres());
  // PostgreSQL does not choose a port itself, and one that was free a moment ago may be taken.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options, binDir, account);
    } catch (error) {
      if (attempt === 5 || !String(error).includes('could not bind')) throw error;
    }
  }
}

class RunningServer implements PostgresServer {
  readonly host = '127.0.0.1';
  readonly superuser = secret('postgres');
  readonly app = secret('hoop_app');
  readonly admin = secret('hoop_admin');

  constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly child: GuardedProcess,
    readonly binDir: string,
    readonly caFile: string | undefined,
  ) {}

  async makeRoles(): Promise<void> {
    await this.sql(`ALTER ROLE postgres PASSWORD ${quoted(this.superuser.password)};
      CREATE ROLE hoop_admin LOGIN PASSWORD ${quoted(this.admin.password)};
      CREATE ROLE hoop_app LOGIN PASSWORD ${quoted(this.app.password)};
      GRANT pg_read_all_data, pg_write_all_data TO hoop_app`);
  }

  async sql(text: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    return this.#run('postgres', text, database);
  }

  async createDatabase(name: string, seed?: string): Promise<void> {
    await this.sql(`CREATE DATABASE ${identifier(name)} OWNER hoop_admin`);
    if (seed !== undefined) await this.#run('hoop_admin', seed, name);
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }

  async #run(user: string, text: string, database: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: join(this.folder, 'socket'), port: this.port, user, database });
    await client.connect();
    try {
      // Several statements give several results, which pg's types leave out.
      const result = (await client.query<Record<string, unknown>>(text)) as
        pg.QueryResult<Record<string, unknown>> | pg.QueryResult<Record<string, unknown>>[];
      return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
    } finally {
      await client.end();
    }
  }
}

const shared = new Map<string, Promise<PostgresServer>>();

/**
 * One server per kind and test worker, started when first asked for and ended with the worker. Tests that change
 * roles or settings start their own; others make a database each.
 */
export function sharedPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const kind = JSON.stringify([options.auth ?? 'scram-sha-256', options.tls ?? false, options.settings ?? {}]);
  const running = shared.get(kind) ?? startPostgres(options);
  shared.set(kind, running);
  return running;
}
