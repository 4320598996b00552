import { hoop, type HoopTarget } from '../../bench/lib/hoop.js';
import { startIssuer } from '../../bench/lib/issuer.js';
import { startPostgres, type PostgresOptions, type PostgresServer } from '../../../test/support/postgres-server.js';
import { oneUserRelay } from './one-user.js';

/** How a suite reaches the server. */
export interface Way {
  readonly name: 'direct' | 'hoop';
  readonly port: number;
  /** The server behind it, for what has to be set up past it. */
  readonly server: PostgresServer;
  /** Of a program that uses libpq's variables; nothing of the caller's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly hoop?: HoopTarget;
  stop(): Promise<void>;
}

export interface WayOptions extends PostgresOptions {
  readonly database?: string;
  readonly policies?: readonly string[];
}

/**
 * A fresh server, and a way to it for its superuser: `direct` past a relay that gives every client that one user,
 * as hoop does; `hoop` through `hoop connect` and an agent, without rules and masks unless `policies` names some.
 */
export async function openWay(name: Way['name'], options: WayOptions = {}): Promise<Way> {
  return wayTo(await startPostgres(options), name, options, true);
}

/** The same to a server that runs already, which `stop` leaves alone unless it is `owned`. */
export async function wayTo(
  server: PostgresServer,
  name: Way['name'],
  options: Pick<WayOptions, 'database' | 'policies'> = {},
  owned = false,
): Promise<Way> {
  const stopServer = (): Promise<void> => (owned ? server.stop() : Promise.resolve());
  const database = options.database ?? 'postgres';
  if (name === 'direct') {
    const relay = await oneUserRelay(server.port, server.superuser.username);
    const env = variables(server, relay.port, database, server.superuser.password);
    const stop = async (): Promise<void> => {
      await relay.stop();
      await stopServer();
    };
    return { name, port: relay.port, server, env, stop };
  }
  const issuer = await startIssuer();
  const { policies = [] } = options;
  const role = server.superuser;
  const target = await hoop({ name, policies, issuer, server, database, databases: ['*'], role });
  const stop = async (): Promise<void> => {
    await target.stop();
    await issuer.stop();
    await stopServer();
  };
  // The password that hoop does not ask for is given all the same: the same command line, the same environment.
  return { name, port: target.port, server, env: variables(server, target.port, database, ''), hoop: target, stop };
}

function variables(
  server: PostgresServer,
  port: number,
  database: string,
  password: string,
): Readonly<Record<string, string>> {
  return {
    PATH: `${server.binDir}:${process.env['PATH'] ?? ''}`,
    LC_ALL: 'C',
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: server.superuser.username,
    PGDATABASE: database,
    PGPASSWORD: password === '' ? 'not-needed' : password,
  };
}
